// A click inside a choice also selects the choice.
document.addEventListener("input", ({ target }) => {
  const choice = target.closest(".choice")?.querySelector("[type=radio]");
  if (choice) choice.checked = true;
});
