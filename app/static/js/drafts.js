// An unsent note stays in this tab, with its writer and its conversation, until it is sent.

const form = () => document.getElementById("note-form");
const key = (form) => `${document.querySelector(".app").dataset.member}-${form.dataset.keep}`;

export function keepDrafts() {
  document.addEventListener("input", (event) => {
    if (event.target.id === "note-text") sessionStorage.setItem(key(event.target.form), event.target.value);
  });
  for (const name of ["htmx:afterSettle", "signalbox:opened"]) document.addEventListener(name, restore);
  document.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => {
    if (elt !== form()) return;
    const [name, text] = [key(elt), elt.elements.text.value];
    // When the response arrives, another conversation may be open, or more text may have been written.
    xhr.addEventListener("load", () => xhr.status < 400 && forget(name, text));
  });
  restore();
}

function restore() {
  const draft = form() && sessionStorage.getItem(key(form()));
  if (draft && !form().elements.text.value) form().elements.text.value = draft;
}

function forget(name, text) {
  if (sessionStorage.getItem(name) === text) sessionStorage.removeItem(name);
  if (!form() || key(form()) !== name) return;
  form().elements.key.value += "+"; // the next note is another one, even with the same words
  if (form().elements.text.value === text) form().elements.text.value = "";
}
