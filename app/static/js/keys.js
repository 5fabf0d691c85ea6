// Keyboard shortcuts. A button has its key in data-key ("e", "shift+e", "g u" in sequence, "c|i" either). The key
// presses the button on the page, so an action that is not allowed has no key.
import { toggleMenu } from "./menus.js";
import { backToList, list, neighbour, open } from "./navigate.js";

let first = ""; // the first key of two

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.metaKey || event.altKey) return;
    if (event.ctrlKey) return sendWithEnter(event);
    if (event.target.matches("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.target.closest("details.menu[open], dialog")) return;
    if (event.key.startsWith("Arrow")) return stepWithArrow(event);
    const key = nameOf(event);
    if (!key) return;
    const pressed = first ? `${first} ${key}` : key;
    first = "";
    if (move(pressed) || press(pressed)) event.preventDefault();
    else if (key === "g") {
      first = "g";
      setTimeout(() => (first = ""), 1500);
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-press], [data-sheet], [data-step]");
    if (button?.dataset.press) setTimeout(() => press(button.dataset.press));
    if (button?.dataset.sheet) document.getElementById(button.dataset.sheet).showModal();
    if (button?.dataset.step) step(Number(button.dataset.step));
  });
}

function nameOf(event) {
  if (event.key.length === 1) {
    const letter = event.key.toLowerCase();
    return event.shiftKey && letter >= "a" && letter <= "z" ? `shift+${letter}` : letter;
  }
  return { Enter: "enter", Escape: "escape" }[event.key];
}

function move(key) {
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  if (key === "?") return document.getElementById("keys").showModal() ?? true;
  if (key === "u" || key === "escape") {
    const isOpen = document.querySelector(".app").dataset.pane === "read";
    if (isOpen) backToList();
    return isOpen;
  }
  if (key === "o") {
    const row = document.activeElement.closest?.(".conv") ?? neighbour(0);
    if (row) open(row.querySelector(".conv-subject").href);
    return Boolean(row);
  }
  return false;
}

/** Arrows scroll an open mail. Elsewhere they move through the list, and stay in it. */
function stepWithArrow(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || event.target.closest("#open")) return;
  neighbour(by)?.querySelector(".conv-subject").focus({ preventScroll: true });
  step(by, { stays: true });
  event.preventDefault();
}

function step(by, how) {
  const row = neighbour(by);
  if (row) open(row.querySelector(".conv-subject").href, how);
  else if (by > 0) list().querySelector("#more a")?.click();
  return true;
}

function press(key) {
  const fits = [...document.querySelectorAll("[data-key]")].filter((e) => e.dataset.key.split("|").includes(key));
  const verb = fits.filter(canBePressed).pop();
  if (!verb) return false;
  if (verb.matches("input, textarea")) verb.focus();
  else if (verb.matches("summary")) toggleMenu(verb.parentElement);
  else verb.click();
  return true;
}

/** On the page, or in a menu on it; not in a hidden pane. */
function canBePressed(element) {
  return (element.closest("details.menu") ?? element).getClientRects().length > 0;
}

function sendWithEnter(event) {
  if (event.key === "Enter" && event.target.matches("textarea")) {
    event.target.form?.requestSubmit();
    event.preventDefault();
  }
}
