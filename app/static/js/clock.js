// Waiting times continue while the page is open. The limits are the mailbox's; `wait_level` in
// app/inbox/conversations/derived.py has the rule.

export function countOn() {
  setInterval(() => document.querySelectorAll("time.js-wait").forEach(recount), 20_000);
}

function recount(time) {
  const minutes = Math.max(0, Math.floor((Date.now() - new Date(time.dateTime)) / 60_000));
  const text = duration(minutes);
  if (time.textContent !== text) time.textContent = text;
  const { late, over } = document.querySelector(".app").dataset;
  const level = minutes >= over ? "over" : minutes >= late ? "late" : "";
  const wait = time.closest(".wait");
  if (level && !wait.classList.contains(`wait-${level}`)) {
    wait.classList.remove("wait-late", "wait-over");
    wait.classList.add(`wait-${level}`);
  }
}

function duration(minutes) {
  const hours = Math.floor(minutes / 60);
  if (minutes < 60) return `${minutes} m`;
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
