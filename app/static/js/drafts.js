// A note begun and not sent stays in this tab, each at its conversation, until it is sent.

const field = () => document.getElementById("note-text");
const name = () => `note-${document.getElementById("open").dataset.id}`;

export function keepDrafts() {
  document.addEventListener("input", (event) => {
    if (event.target === field()) sessionStorage.setItem(name(), event.target.value);
  });
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "note-form" || !event.detail.successful) return;
    sessionStorage.removeItem(name());
    field().value = "";
  });
  restore();
}

function restore() {
  const draft = field() && sessionStorage.getItem(name());
  if (draft && !field().value) field().value = draft;
}
