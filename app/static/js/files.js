// An attachment lies on the mail server. The first click asks for it; when the worker has brought it, it opens.
import { words } from "./words.js";

export function followFiles() {
  document.addEventListener("click", async (event) => {
    const file = event.target.closest("a[data-file]");
    if (!file || event.button || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (file.dataset.busy) return;
    file.dataset.busy = "yes";
    const said = file.querySelector(".file-words .quiet");
    const size = said.textContent;
    if (await isThere(file.href, () => (said.textContent = words().fetching))) {
      said.textContent = size;
      if (file.target) window.open(file.href, "_blank", "noopener");
      else location.href = file.href;
    } else said.textContent = words().failed;
    delete file.dataset.busy;
  });
}

/** Whether the worker has brought it: asks again until it has, for a minute at most. */
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
