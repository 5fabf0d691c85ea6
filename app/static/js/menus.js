// Menus are <details>: they open without a script. This closes them, and moves through them with the arrow keys.

const ITEMS = ".menu-list :is(a, button, input:not([type=hidden]))";
const open = () => document.querySelectorAll("details.menu[open]");

/** Open or shut a menu at once, so that what is typed next is typed into it. */
export function toggleMenu(menu) {
  menu.open = !menu.open;
  if (menu.open) enter(menu);
}

function enter(menu) {
  if (!menu.contains(document.activeElement) || document.activeElement.matches("summary")) menu.querySelector(ITEMS)?.focus();
}

export function closeMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.("details.menu[open]")) return;
    for (const menu of open()) if (menu !== event.target && !menu.contains(event.target)) menu.open = false;
    enter(event.target);
  }, true);
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
      const step = event.key === "ArrowDown" ? 1 : -1;
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
      event.preventDefault();
    }
  });
  // A verb was chosen: its menu has done its work.
  document.addEventListener("htmx:beforeRequest", (event) => event.target.closest("details.menu")?.removeAttribute("open"));
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-aside], [data-aside-close]");
    if (!toggle) return;
    event.preventDefault();
    const app = document.querySelector(".app");
    app.dataset.aside = toggle.dataset.aside !== undefined && app.dataset.aside !== "open" ? "open" : "";
  });
}
