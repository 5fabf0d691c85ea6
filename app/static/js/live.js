// Live updates: the server names the conversation that changed, and the page reloads what it shows and morphs it in
// place. Without a stream (no room, an old proxy) the page polls every 15 seconds.
import { fragment } from "./fragment.js";
import { morphById } from "./morph.js";
import { list, select } from "./navigate.js";

const POLL = 15_000;
const TOGETHER = 150; // changes this close together are one refresh
const AT_MOST = 30_000; // so long an answer is waited for

const due = new Set();
let refreshing = false; // one at a time, so that no older response follows a newer one
let polling;

export function goLive() {
  if (!list()) return;
  listen();
  for (const name of ["signalbox:changed", "signalbox:stale"]) document.addEventListener(name, () => soon("list"));
  document.addEventListener("signalbox:stale", () => soon("open"));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && soon("list", "open"));
}

function listen() {
  const stream = new EventSource(document.querySelector(".app").dataset.stream);
  stream.addEventListener("open", () => stopPolling());
  stream.addEventListener("conversation", (event) => {
    const news = JSON.parse(event.data);
    const pane = document.getElementById("open");
    if (pane?.dataset.id === String(news.id) && !(Number(pane.dataset.revision) >= news.revision)) soon("open");
    if (String(news.mailbox) === list().dataset.mailbox && !isKnown(news)) soon("list");
  });
  stream.addEventListener("counts", (event) => showCounts(JSON.parse(event.data)));
  stream.addEventListener("health", () => soon("list"));
  stream.addEventListener("resync", () => soon("list", "open"));
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) return startPolling(); // the browser tries again by itself
    startPolling();
    setTimeout(listen, POLL);
  });
}

function isKnown({ id, revision }) {
  const row = document.getElementById(`row-${id}`);
  return row && Number(row.dataset.revision) >= revision;
}

function soon(...parts) {
  for (const part of parts) due.add(part);
  if (!refreshing) refresh();
}

async function refresh() {
  refreshing = true;
  try {
    while (due.size) {
      await new Promise((resolve) => setTimeout(resolve, TOGETHER));
      const parts = new Set(due);
      due.clear();
      if (document.visibilityState !== "visible") continue; // shown again, it asks for all
      await Promise.all([parts.has("list") && refreshList(), parts.has("open") && refreshOpen()]);
      document.dispatchEvent(new CustomEvent("signalbox:refreshed"));
    }
  } finally {
    refreshing = false;
  }
}

async function refreshList() {
  const address = new URL(list().dataset.refresh, location.href);
  const open = document.getElementById("open")?.dataset.id;
  const isRead = document.querySelector(".app").dataset.pane === "read" || matchMedia("(min-width: 720px)").matches;
  address.searchParams.set("part", "list");
  address.searchParams.set("rows", shown());
  if (open && isRead) address.searchParams.set("selected", open);
  const before = shown();
  const html = await fragment(address, AbortSignal.timeout(AT_MOST));
  if (!html) return;
  if (shown() > before) return soon("list"); // more was scrolled to meanwhile
  const hovered = document.querySelector("#rows .conv:hover");
  const top = hovered?.getBoundingClientRect().top;
  const isOpen = document.getElementById("open")?.dataset.id; // it may have been opened meanwhile
  morphById(html, ["list", "mailbox-banner", "sidebar", ...(isOpen ? [] : ["open"])]);
  // The element under the pointer stays there.
  if (hovered?.isConnected) document.getElementById("rows").scrollTop += hovered.getBoundingClientRect().top - top;
  if (open && location.pathname.startsWith("/conversations/")) select(open, { scrolls: false });
}

async function refreshOpen() {
  const pane = document.getElementById("open");
  if (!pane?.dataset.address) return;
  const html = await fragment(pane.dataset.address, AbortSignal.timeout(AT_MOST));
  if (html) morphById(html, ["open"], isNoOlder);
}

/** The response to a verb may have arrived while this one was loading. */
function isNoOlder(old, fresh) {
  return old.dataset.id === fresh.dataset.id && Number(old.dataset.revision) <= Number(fresh.dataset.revision);
}

function shown() {
  return document.querySelectorAll("#rows .conv").length;
}

function showCounts({ mailbox, ...views }) {
  if (String(mailbox) !== list().dataset.mailbox) return;
  for (const place of document.querySelectorAll("[data-count]")) {
    const count = views[place.dataset.count];
    if (count !== undefined) place.textContent = count === 0 ? "" : count >= 1000 ? "1000+" : count;
  }
}

function startPolling() {
  polling ??= setInterval(() => soon("list", "open"), POLL);
}

function stopPolling() {
  clearInterval(polling);
  polling = undefined;
}
