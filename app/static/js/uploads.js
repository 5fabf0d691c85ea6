// Files of a reply: by paste, drop and button, each with its progress.
import { words } from "./words.js";

let form;
let hooks;
let running = 0;

/** `onChange` is called when the files of the form change; `insertPicture(cid, alt)` shows a picture in the text. */
export function attach(of, told) {
  [form, hooks, running] = [of, told, 0];
  form.querySelector('input[type="file"]').addEventListener("change", ({ target }) => {
    takeFiles([...target.files], { asFiles: true });
    target.value = "";
  });
  form.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-remove]")) return;
    target.closest(".composer-file").remove();
    hooks.onChange();
  });
  for (const name of ["dragover", "drop"]) form.addEventListener(name, drop);
}

export function isUploading() {
  return running > 0;
}

function drop(event) {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  if (event.type === "drop") takeFiles([...event.dataTransfer.files]);
}

/** Pictures go into the text, unless they come by the button. */
export function takeFiles(files, { asFiles = false } = {}) {
  for (const file of files) upload(file, !asFiles && file.type.startsWith("image/"));
}

function upload(file, isInline) {
  const to = form;
  const chip = newChip(file.name);
  const most = Number(to.dataset.most);
  if (file.size > most) return fail(chip, words().tooLarge.replace("{size}", String(Math.floor(most / 1_000_000))));
  const body = new FormData();
  body.set("csrf_token", to.elements.csrf_token.value);
  body.set("file", file);
  if (isInline) body.set("inline", "1");
  const request = new XMLHttpRequest();
  request.open("POST", to.dataset.upload);
  request.responseType = "json";
  request.upload.addEventListener(
    "progress",
    ({ loaded, total }) => (chip.querySelector("progress").value = loaded / total),
  );
  request.addEventListener("loadend", () => {
    if (to !== form) return;
    running -= 1;
    if (request.status !== 201) return fail(chip, request.response?.error || words().unsent);
    done(chip, request.response, isInline);
  });
  chip.querySelector("[data-remove]").addEventListener("click", () => request.abort());
  running += 1;
  request.send(body);
}

function newChip(name) {
  const chip = form.querySelector("template").content.firstElementChild.cloneNode(true);
  chip.querySelector("bdi").textContent = name;
  form.querySelector(".composer-files").append(chip);
  return chip;
}

function done(chip, kept, isInline) {
  chip.querySelector("progress").remove();
  chip.querySelector("input").value = kept.id;
  chip.querySelector("input").disabled = false;
  if (isInline) {
    chip.dataset.cid = kept.content_id;
    chip.dataset.address = form.dataset.files.replace("/0", `/${kept.id}`);
    chip.hidden = true;
    hooks.insertPicture(kept.content_id, kept.filename);
  }
  hooks.onChange();
}

function fail(chip, sentence) {
  chip.classList.add("is-failed");
  chip.querySelector("progress")?.replaceWith(sentence);
}
