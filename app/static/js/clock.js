// Waits count on while the page is open, by the rules of app/web/when.py.

const LATE = 120;
const OVER = 360;

export function countOn() {
  setInterval(() => document.querySelectorAll("time.js-wait").forEach(recount), 20_000);
}

function recount(time) {
  const minutes = Math.max(0, Math.floor((Date.now() - new Date(time.dateTime)) / 60_000));
  const hours = Math.floor(minutes / 60);
  const said = minutes < 60 ? `${minutes} m`
    : hours < 24 ? `${hours} h ${String(minutes % 60).padStart(2, "0")} m`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (time.textContent !== said) time.textContent = said;
  const level = minutes >= OVER ? "over" : minutes >= LATE ? "late" : "";
  const wait = time.closest(".wait");
  if (level && !wait.classList.contains(`wait-${level}`)) {
    wait.classList.remove("wait-late", "wait-over");
    wait.classList.add(`wait-${level}`);
  }
}
