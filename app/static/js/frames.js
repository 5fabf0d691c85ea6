// A mail's HTML is in its own frame, which runs nothing. This module measures its height.
import { isThere } from "./files.js";

/** Pixels. The longest newsletters have a third of that. */
const TALLEST = 30000;
/** The smallest scale; smaller text would be unreadable. A newsletter of 600 pixels fits on a phone. */
const SMALLEST = 0.55;
/** Pixels on the right, as on the left. */
const EDGE = 16;

export function fitFrames() {
  document.addEventListener(
    "load",
    (event) => {
      if (event.target.matches?.("iframe.message-frame")) fit(event.target);
    },
    true,
  );
  for (const frame of document.querySelectorAll("iframe.message-frame")) fit(frame);
}

function fit(frame) {
  const page = frame.contentDocument;
  if (!page?.body || page.URL === "about:blank") return;
  // The address in `src` stays the server's, so that a live update changes and reloads nothing.
  const address = new URL(page.URL);
  if (document.documentElement.dataset.bsTheme === "dark" && !address.searchParams.has("dark")) {
    address.searchParams.set("dark", "1");
    frame.contentWindow.location.replace(address);
    return;
  }
  page.documentElement.classList.add("measured");
  // The space of a scroll bar below a wide mail has the mail's colour.
  const sheet = page.body.firstElementChild;
  if (sheet?.matches(".sb-page")) page.documentElement.style.backgroundColor = sheet.style.backgroundColor;
  const measure = () => {
    const shrunk = shrink(page.body);
    const sideways = !shrunk && page.body.scrollWidth > page.body.clientWidth;
    const height =
      Math.ceil(shrunk ? page.body.getBoundingClientRect().height : page.body.scrollHeight) + (sideways ? 16 : 0);
    // A mail can make itself millions of pixels high. It then scrolls inside its frame.
    if (height > TALLEST) page.documentElement.classList.remove("measured");
    frame.style.height = `${Math.min(height, TALLEST)}px`;
  };
  measure();
  // Unfolding a quote and loading a picture change the height.
  new ResizeObserver(measure).observe(page.body);
  page.addEventListener("toggle", measure, true);
  page.addEventListener("load", measure, true);
  for (const picture of page.images) bring(picture);
  // Keys pressed while the frame has the focus are for the page.
  page.addEventListener("keydown", (event) => {
    frame.dispatchEvent(new KeyboardEvent("keydown", { ...pick(event), bubbles: true, cancelable: true }));
  });
}

/** Scale a mail that is slightly too wide to its frame, as mail clients do. Returns whether that helped. */
function shrink(body) {
  body.style.zoom = "";
  const room = body.clientWidth / (body.scrollWidth + EDGE);
  if (body.scrollWidth <= body.clientWidth || room < SMALLEST) return false;
  body.style.zoom = String(Math.floor(room * 1000) / 1000);
  return true;
}

/** A picture of the mail itself is on the mail server until the worker has fetched it. */
async function bring(picture) {
  if (!picture.src.startsWith(`${location.origin}/attachments/`) || picture.naturalWidth) return;
  if (await isThere(picture.src, () => {})) picture.src = `${picture.src}&here`;
}

function pick({ key, shiftKey, ctrlKey, metaKey, altKey }) {
  return { key, shiftKey, ctrlKey, metaKey, altKey };
}
