// What a new fragment must not take away: typed words, open menus and folds, measured frames, scroll positions.
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

/** Put the parts of an answer in the place of their namesakes, where they fit. */
export function morphById(html, ids, fits = () => true) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const id of ids) {
    const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
    if (!old || !next || !fits(old, next)) continue;
    // A focused field keeps its value. A focused container follows: it would keep all that is in it.
    const isTyping = document.activeElement.matches("input, textarea, select");
    Idiomorph.morph(old, next, { morphStyle: "outerHTML", ignoreActiveValue: isTyping });
    window.htmx.process(document.getElementById(id));
  }
}
