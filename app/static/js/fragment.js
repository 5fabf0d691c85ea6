// Loads a part of a page, as htmx does. A refusal is shown at the foot of the page, in the server's words.
import { say } from "./snacks.js";
import { words } from "./words.js";

/** Its HTML; "" if there is none, or if nobody waits for it any longer. */
export async function fragment(address, signal) {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal });
    if (answer.status === 401) location.reload();
    const html = await answer.text();
    if (answer.ok) return html;
    if (answer.headers.get("HX-Retarget") === "#snacks") document.getElementById("snacks").innerHTML = html;
  } catch {
    if (!signal?.aborted) say(words().offline);
  }
  return "";
}
