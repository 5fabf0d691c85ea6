// A line at the foot says what just happened; it leaves after ten seconds, but not from under a pointer or the focus.

const STAYS = 10_000;

export function showSnacks() {
  const place = document.getElementById("snacks");
  if (!place) return;
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

export function say(text) {
  const place = document.getElementById("snacks");
  const snack = document.createElement("div");
  snack.className = "snack";
  snack.role = "status";
  const line = document.createElement("div");
  line.className = "snack-line";
  line.textContent = text;
  snack.append(line);
  place.replaceChildren(snack);
}
