// Whoever picks something inside a choice has chosen it.
document.addEventListener("input", ({ target }) => {
  const choice = target.closest(".choice")?.querySelector("[type=radio]");
  if (choice) choice.checked = true;
});
