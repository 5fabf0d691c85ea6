// Attachments are on the mail server. The first click requests one; once the worker has fetched it, it is saved.
// A file that the browser can show opens in a new tab, whose page polls (message/fetching.html).
import { words } from "./words.js";

export function followFiles() {
  document.addEventListener("click", async (event) => {
    const file = event.target.closest("a[data-file][download]");
    if (!file || event.button || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (file.dataset.busy) return;
    file.dataset.busy = "yes";
    const said = file.querySelector(".file-words .quiet");
    const size = said.textContent;
    if (await isThere(file.href, () => (said.textContent = words().fetching))) {
      said.textContent = size;
      location.href = file.href;
    } else said.textContent = words().failed;
    delete file.dataset.busy;
  });
}

/** Whether the worker has fetched it. Polls for a minute at most. */
export async function isThere(address, waiting) {
  for (let tries = 0; tries < 120; tries += 1) {
    const answer = await fetch(address, { method: "HEAD", headers: { Accept: "*/*" } }).catch(() => null);
    if (answer?.status === 200) return true;
    if (answer?.status !== 202) return false;
    waiting();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return false;
}
