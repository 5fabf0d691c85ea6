// Keeps what a new fragment must not remove: typed text, open menus and folds, measured frames, scroll positions.
/* global Idiomorph */

export function keepWhatIsTheirs() {
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old, fresh) =>
      !(old instanceof Element && old.dataset.keep !== undefined && old.dataset.keep === fresh.dataset?.keep),
    beforeAttributeUpdated: (name, element) =>
      !(name === "open" && element.tagName === "DETAILS") &&
      !(name === "style" && element.tagName === "IFRAME") &&
      !(name === "value" && element.matches("input:not([type=hidden])") && element.value !== element.defaultValue),
  });
}

/** Replace the elements that have the ids of the response's parts, if `fits`. */
export function morphById(html, ids, fits = () => true) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const id of ids) {
    const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
    if (!old || !next || !fits(old, next)) continue;
    // A focused field keeps its value. A focused container is morphed, because otherwise it would keep all its content.
    const isTyping = document.activeElement.matches("input, textarea, select");
    Idiomorph.morph(old, next, { morphStyle: "outerHTML", ignoreActiveValue: isTyping });
    window.htmx.process(document.getElementById(id));
  }
}
