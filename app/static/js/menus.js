// Menus are <details>, which open without a script. This module closes them, and moves through them with the arrow
// keys.

const ITEMS = ".menu-list :is(a, button, input:not([type=hidden]))";
const open = () => document.querySelectorAll("details.menu[open]");

/** Open or close a menu at once, so that the next keys go into it. */
export function toggleMenu(menu) {
  menu.open = !menu.open;
  if (menu.open) enter(menu);
}

/** A field gets the focus. No button is preselected, so Enter alone does nothing. */
function enter(menu) {
  if (menu.contains(document.activeElement) && !document.activeElement.matches("summary")) return;
  const items = menu.querySelector(".menu-list");
  const first = menu.querySelector(ITEMS);
  if (first?.matches("input")) return first.focus();
  items.tabIndex = -1;
  items.focus();
}

/** A field with data-filter shows only matching items; Enter chooses the first of them. */
export function filterMenus() {
  document.addEventListener("input", ({ target }) => target.matches("[data-filter]") && filter(target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || !event.target.matches("[data-filter]")) return;
    const [first] = filter(event.target);
    if (!first) return; // the form is sent: the server creates it, or refuses
    event.preventDefault();
    first.click();
  });
  // A refused value is still in its field, to be corrected.
  document.addEventListener("htmx:afterRequest", ({ detail: { elt, xhr } }) => {
    const menu = elt.closest?.("details.menu");
    if (menu && xhr.status < 400) return empty(menu);
    const field = menu && elt.querySelector("input:not([type=hidden])");
    if (!field) return;
    menu.open = true;
    field.focus();
  });
}

function empty(menu) {
  for (const form of menu.querySelectorAll("form")) {
    form.reset();
    form.hidden = false;
  }
}

/** The matching items; those that begin with the text come before those that contain it. */
function filter(field) {
  const typed = field.value.trim().toLowerCase();
  const names = (item) => [item.dataset.name, item.dataset.label].map((name) => name.toLowerCase());
  const fits = [];
  for (const item of field.closest(".menu-list").querySelectorAll("[data-name]")) {
    item.form.hidden = !names(item).some((name) => name.includes(typed));
    if (typed && !item.form.hidden) fits.push(item);
  }
  const rank = (item) => (names(item).includes(typed) ? 0 : names(item).some((name) => name.startsWith(typed)) ? 1 : 2);
  return fits.sort((a, b) => rank(a) - rank(b));
}

export function closeMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.matches?.("details.menu[open]")) return;
      for (const menu of open()) if (menu !== event.target && !menu.contains(event.target)) menu.open = false;
      enter(event.target);
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
      event.preventDefault(); // the key has done its work: it does not lead back to the list as well
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...menu.querySelectorAll(ITEMS)];
      const at = items.indexOf(document.activeElement);
      const next = event.key === "ArrowDown" ? at + 1 : at < 0 ? items.length - 1 : at - 1;
      items.at(next % items.length)?.focus();
      event.preventDefault();
    }
  });
  // A button was pressed, so its menu closes.
  document.addEventListener("htmx:beforeRequest", (event) =>
    event.target.closest("details.menu")?.removeAttribute("open"),
  );
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-aside], [data-aside-close]");
    if (!toggle) return;
    event.preventDefault();
    const app = document.querySelector(".app");
    app.dataset.aside = toggle.dataset.aside !== undefined && app.dataset.aside !== "open" ? "open" : "";
  });
}
