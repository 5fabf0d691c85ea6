// A conversation opens beside the list. The address changes with it, and back and forward work.
// If the reader moves on before a response arrives, it is dropped: only the last `wanted` one is shown.
import { fragment } from "./fragment.js";
import { words } from "./words.js";

const app = () => document.querySelector(".app");
const pane = () => document.getElementById("open");
const ABOVE = 60; // pixels of the preceding text that stay visible
let wanted; // the conversation that is open or on its way
let coming; // the wait for it, which can be ended

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
  document.addEventListener("htmx:beforeSwap", dropLate);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "open") arrived();
  });
  arrived();
}

/** Open it and move the focus to it; `stays`: the focus stays in the list. */
export function open(address, { stays = false } = {}) {
  if (address !== location.href) history.pushState({}, "", address);
  return show(address, stays);
}

export function backToList() {
  history.pushState({}, "", list().dataset.refresh);
  leave();
}

/** The row `by` steps away from the open one, or the first row. */
export function neighbour(by) {
  const rows = [...document.querySelectorAll("#rows .conv")];
  const at = rows.findIndex((row) => row.classList.contains("is-selected"));
  return at < 0 ? rows[0] : rows[at + by];
}

async function show(address, stays = false) {
  stopWaiting();
  coming = new AbortController();
  const { signal } = coming;
  app().dataset.pane = "read";
  wanted = new URL(address).pathname.split("/").pop();
  select(wanted);
  const slow = setTimeout(() => pane().classList.add("is-loading"), 150);
  const html = await fragment(address, signal);
  clearTimeout(slow);
  if (signal.aborted) return;
  stopWaiting();
  if (!html) return select(wanted);
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("open");
  pane().replaceWith(fresh);
  window.htmx.process(fresh);
  if (!stays && !document.activeElement.matches("input, textarea"))
    fresh.querySelector("#thread-scroll").focus({ preventScroll: true });
  arrived();
  document.dispatchEvent(new CustomEvent("signalbox:opened"));
}

/** The page shows the wanted conversation. */
function stopWaiting() {
  coming?.abort();
  pane().classList.remove("is-loading");
  wanted = pane().dataset.id;
}

/** The response to a verb may arrive while another conversation is open or loading. */
function dropLate(event) {
  const { target } = event.detail;
  if (target.id === "open" && target.dataset.id !== wanted) event.detail.shouldSwap = false;
}

function leave() {
  stopWaiting();
  app().dataset.pane = "list";
  const row = document.querySelector("#rows .is-selected .conv-subject");
  select(null);
  row?.focus({ preventScroll: true });
}

// Text from right to left must not reorder the words around it.
function isolated(words) {
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(words) ? `\u2068${words}\u2069` : words;
}

function arrived() {
  const id = pane()?.dataset.id;
  if (!id) return;
  wanted = id;
  select(id);
  const subject = pane().querySelector(".reading-head h1")?.textContent;
  if (subject) document.title = `${isolated(subject)} · Signalbox`;
  const scroller = pane().querySelector("#thread-scroll");
  if (!scroller || scroller.dataset.placed) return;
  scroller.dataset.placed = "yes";
  // A conflict is at the top and waits for a decision, so we do not scroll past it.
  if (!pane().querySelector("#conflict")) scroller.scrollTop = startOfNews(scroller);
}

/** Where reading begins: at the first unfolded mail if the newest mail or note is visible from there, or at the newest. */
function startOfNews(scroller) {
  const shown = [...scroller.querySelectorAll("#thread > article.message")];
  const newest = [...scroller.querySelectorAll("#thread > article")].at(-1);
  if (!newest || newest.offsetTop < scroller.clientHeight) return 0;
  const first = shown[0] ?? newest;
  const isNear = newest.offsetTop - first.offsetTop < scroller.clientHeight - ABOVE - 60;
  return Math.max(0, (isNear ? first : newest).offsetTop - ABOVE);
}

/** Mark the row of the open conversation and show its position. Live updates do not scroll the list. */
export function select(id, { scrolls = true } = {}) {
  const rows = [...document.querySelectorAll("#rows .conv")];
  for (const row of rows) {
    const isIt = row.dataset.id === String(id);
    row.classList.toggle("is-selected", isIt);
    const subject = row.querySelector(".conv-subject");
    if (isIt) subject.setAttribute("aria-current", "true");
    else subject.removeAttribute("aria-current");
    if (isIt && scrolls) row.scrollIntoView({ block: "nearest" });
  }
  const at = rows.findIndex((row) => row.dataset.id === String(id));
  const place = document.querySelector("[data-position]");
  if (place)
    place.textContent =
      at < 0
        ? ""
        : words()
            .position.replace("{n}", at + 1)
            .replace("{all}", total(rows));
}

function total(rows) {
  const shown = document.querySelector("#list .pane-head .num")?.textContent.trim();
  return shown || (document.getElementById("more") ? `${rows.length}+` : rows.length);
}

export function list() {
  return document.getElementById("list");
}

function samePlace(one, other) {
  const [a, b] = [new URL(one, location.href), new URL(other, location.href)];
  return a.pathname === b.pathname && a.search === b.search;
}
