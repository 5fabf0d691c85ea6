// Reports with a POST that a conversation was open for two seconds; the GET that showed it does not count.

const LONG_ENOUGH = 2000;
let timer;
let told = "";

export function markSeen() {
  const begin = () => {
    clearTimeout(timer);
    const pane = document.getElementById("open");
    const what = pane?.dataset.seen && `${pane.dataset.id}:${pane.querySelectorAll("#thread article.message").length}`;
    if (!what || what === told || document.visibilityState !== "visible") return;
    timer = setTimeout(() => tell(pane.dataset.seen, what), LONG_ENOUGH);
  };
  for (const name of ["htmx:afterSettle", "signalbox:opened", "signalbox:refreshed", "visibilitychange"])
    document.addEventListener(name, begin);
  begin();
}

async function tell(address, what) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const answer = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => null);
  if (answer?.ok) {
    told = what;
    document.dispatchEvent(new CustomEvent("signalbox:changed"));
  }
}
