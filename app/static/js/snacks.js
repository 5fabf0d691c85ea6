// A line at the foot says what just happened. It disappears after ten seconds, but not under the pointer or with the
// focus.
import { words } from "./words.js";

const STAYS = 10_000;

export function showSnacks() {
  const place = document.getElementById("snacks");
  for (const lost of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(lost, () => say(words().unsent));
  const leave = () => {
    if (place.matches(":hover, :focus-within")) setTimeout(leave, 1000);
    else place.replaceChildren();
  };
  let timer;
  new MutationObserver(() => {
    clearTimeout(timer);
    if (place.children.length) timer = setTimeout(leave, STAYS);
  }).observe(place, { childList: true });
  if (place.children.length) timer = setTimeout(leave, STAYS);
}

/** An error of this side, in the form that templates/_snack.html has for the server's refusals. */
export function say(text) {
  const snack = document.createElement("div");
  snack.className = "snack";
  snack.role = "alert";
  snack.innerHTML =
    '<div class="snack-line"><i class="bi bi-exclamation-circle danger" aria-hidden="true"></i><span class="grow"></span></div>';
  snack.querySelector(".grow").textContent = text;
  document.getElementById("snacks").replaceChildren(snack);
}
