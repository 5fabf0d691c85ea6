// The composer: the form in which a reply is written. It is saved a second after the last key, and on leaving. Its text
// field works alone; where scripts run an editor takes its place.

import { say } from "./snacks.js";
import { attach, isUploading, takeFiles } from "./uploads.js";
import { words } from "./words.js";

const PAUSE = 1000;
const KEPT_ALIVE = 60_000; // a request that outlives its page may have 64 kB

const form = () => document.getElementById("reply-form");
const editors = new WeakMap(); // form -> its editor, once that is loaded
let dirty = null; // the form with unsaved words; it may have left the page
let timer;
let saving = Promise.resolve(true);

export function compose() {
  document.addEventListener("input", ({ target }) => form() && target.form === form() && note());
  document.addEventListener("htmx:afterSettle", ({ target }) => target.id === "composer-open" && begin());
  document.addEventListener("click", act);
  document.addEventListener("htmx:confirm", sendWhenSaved);
  document.addEventListener("htmx:configRequest", ({ detail }) => detail.elt === form() && complete(detail.parameters));
  document.addEventListener("signalbox:sent", shut);
  document.addEventListener(
    "keydown",
    (event) => event.key === "Escape" && form()?.contains(event.target) && fold(event),
  );
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save());
  addEventListener("pagehide", save);
  if (form()) begin();
}

async function begin() {
  const now = form();
  if (!now) return;
  attach(now, { onChange: note, insertPicture: (cid, alt) => editors.get(now)?.insertPicture(cid, alt) });
  now.querySelector("[data-discard]").hidden = !now.elements.draft.value;
  now.scrollIntoView({ block: "nearest" });
  const text = now.elements.text;
  text.focus();
  const { editor: make } = await import("../editor.js");
  if (now !== form() || text.value !== text.defaultValue) return; // typed before it was loaded: the field is as good
  const editor = make(text, {
    html: now.elements.html.value,
    label: text.labels[0].textContent,
    onChange: note,
    takeFiles,
    picture: (cid) => now.querySelector(`[data-cid="${CSS.escape(cid)}"]`)?.dataset.address ?? "",
    send: (then) => press(now, then),
  });
  editors.set(now, editor);
  now.elements.html.disabled = false;
  text.disabled = true;
  now.querySelector(".composer-tools").hidden = false;
  if (now.contains(document.activeElement) || document.activeElement === document.body) editor.focus();
}

function press(now, then) {
  now.querySelector(`button[name="then"][value="${then}"]`).click();
  return true;
}

function note() {
  dirty = form();
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

/** One save at a time. Whether everything is saved then; the form may have left the page meanwhile. */
function save() {
  clearTimeout(timer);
  if (dirty) {
    const [now, body] = [dirty, content(dirty)];
    dirty = null;
    saving = saving.then(() => send(now, body));
  }
  return saving;
}

async function send(now, body) {
  for (const name of ["draft", "revision"]) body.set(name, now.elements[name].value); // as the save before it left them
  const size = [...body.values()].reduce((sum, value) => sum + String(value).length, 0);
  try {
    const answer = await fetch(now.dataset.save, { method: "POST", body, keepalive: size < KEPT_ALIVE });
    const saved = await answer.json();
    if (!answer.ok) {
      tell(now, saved.error);
      return false;
    }
    now.elements.draft.value = saved.id;
    now.elements.revision.value = saved.revision;
    now.querySelector("[data-discard]").hidden = false;
    const time = new Date(saved.saved_at).toLocaleTimeString([], { timeStyle: "short" });
    tell(now, words().saved.replace("{time}", time));
    return true;
  } catch {
    dirty ??= now;
    tell(now, words().unsaved);
    timer = setTimeout(save, 5 * PAUSE);
    return false;
  }
}

function tell(now, sentence) {
  now.querySelector(".composer-state").textContent = sentence;
}

function content(now) {
  const editor = editors.get(now);
  if (editor) now.elements.html.value = editor.html();
  return new FormData(now);
}

/** Sending goes on once the save that is on its way has ended, and every file is there. */
function sendWhenSaved(event) {
  if (!form() || event.detail.elt !== form()) return;
  event.preventDefault();
  if (isUploading()) return tell(form(), words().uploading);
  save().then(() => event.detail.issueRequest(true));
}

function complete(parameters) {
  const elements = form().elements;
  parameters.draft = elements.draft.value;
  parameters.revision = elements.revision.value;
  const editor = editors.get(form());
  if (editor) parameters.html = editor.html();
}

async function act(event) {
  const button = event.target.closest("#reply-form button");
  if (!button) return;
  if (button.dataset.tool) tool(button.dataset.tool);
  if (button.matches("[data-edit]")) {
    button.closest(".composer-guard").remove();
    (editors.get(form()) ?? form().elements.text).focus();
  }
  if (button.matches("[data-note]") && (await save())) {
    shut();
    document.getElementById("note-text")?.focus();
  }
  if (button.matches("[data-discard]")) await discard();
}

function tool(name) {
  if (name === "attach") return form().querySelector('input[type="file"]').click();
  const address = name === "link" ? prompt(words().link) : undefined;
  if (address !== null) editors.get(form())?.run(name, address);
}

async function fold(event) {
  event.stopPropagation();
  if (await save()) shut();
}

async function discard() {
  const now = form();
  await saving;
  const address = now.dataset.discard.replace("/0", `/${now.elements.draft.value}`);
  const body = new FormData();
  body.set("csrf_token", now.elements.csrf_token.value);
  const answer = await fetch(`${address}?_method=DELETE`, { method: "POST", body, headers: { "HX-Request": "true" } });
  if (answer.ok) shut();
  else say(words().unsent);
}

function shut() {
  if (dirty === form()) dirty = null;
  document.getElementById("composer-open")?.replaceChildren();
  document.querySelector(".composer-shut [data-key=r]")?.focus();
}
