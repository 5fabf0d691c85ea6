// A conversation opens beside the list; the address follows, and back and forward work.
/* global htmx */

const app = () => document.querySelector(".app");

export function openInPlace() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-open], a[data-back]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.dataset.back !== undefined) return backToList();
    open(link.href);
  });
  addEventListener("popstate", () => {
    if (location.hash) return;
    if (location.pathname.startsWith("/conversations/")) show(location.href);
    else if (samePlace(location.href, list().dataset.refresh)) leave();
    else location.reload();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "open") arrived();
  });
  arrived();
}

export function open(address) {
  if (address !== location.href) history.pushState({}, "", address);
  return show(address);
}

export function backToList() {
  history.pushState({}, "", list().dataset.refresh);
  leave();
}

/** The row `by` steps away from the open one, or the first. */
export function neighbour(by) {
  const rows = [...document.querySelectorAll("#rows .conv")];
  const at = rows.findIndex((row) => row.classList.contains("is-selected"));
  return at < 0 ? rows[0] : rows[at + by];
}

async function show(address) {
  app().dataset.pane = "read";
  select(new URL(address).pathname.split("/").pop());
  const pane = document.getElementById("open");
  const slow = setTimeout(() => pane.classList.add("is-loading"), 150);
  await htmx.ajax("GET", address, { target: "#open", swap: "outerHTML" });
  clearTimeout(slow);
}

function leave() {
  app().dataset.pane = "list";
  const row = document.querySelector("#rows .is-selected .conv-subject");
  select(null);
  row?.focus({ preventScroll: true });
}

function arrived() {
  const pane = document.getElementById("open");
  const id = pane?.dataset.id;
  if (!id) return;
  select(id);
  const subject = pane.querySelector(".reading-head h1")?.textContent;
  if (subject) document.title = `${subject} · Signalbox`;
  const news = pane.querySelector("#thread > .message:last-of-type, #thread > .note:last-of-type");
  const scroller = pane.querySelector("#thread-scroll");
  if (scroller && !scroller.dataset.placed) {
    scroller.dataset.placed = "yes";
    if (news && news.offsetTop > scroller.clientHeight) scroller.scrollTop = Math.max(0, firstUnfolded(pane) - 60);
  }
}

function firstUnfolded(pane) {
  return pane.querySelector("#thread > article.message")?.offsetTop ?? 0;
}

/** Mark the row of the open conversation, and say where in the list it stands. */
export function select(id) {
  const rows = [...document.querySelectorAll("#rows .conv")];
  for (const row of rows) {
    const isIt = row.dataset.id === String(id);
    row.classList.toggle("is-selected", isIt);
    const subject = row.querySelector(".conv-subject");
    if (isIt) subject.setAttribute("aria-current", "true");
    else subject.removeAttribute("aria-current");
    if (isIt) row.scrollIntoView({ block: "nearest" });
  }
  const at = rows.findIndex((row) => row.dataset.id === String(id));
  const place = document.querySelector("[data-position]");
  if (place) place.textContent = at < 0 ? "" : words().position.replace("{n}", at + 1).replace("{all}", total(rows));
}

function total(rows) {
  const shown = document.querySelector("#list .pane-head .num")?.textContent.trim();
  return shown || (document.getElementById("more") ? `${rows.length}+` : rows.length);
}

export function words() {
  return JSON.parse(app().dataset.words);
}

export function list() {
  return document.getElementById("list");
}

function samePlace(one, other) {
  const [a, b] = [new URL(one, location.href), new URL(other, location.href)];
  return a.pathname === b.pathname && a.search === b.search;
}
