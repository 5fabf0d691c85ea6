// Runs before the first paint: without a chosen theme, the page follows the system's, also when that changes.
(() => {
  const page = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const choose = () => {
    const theme = page.dataset.theme;
    page.dataset.bsTheme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  };
  choose();
  dark.addEventListener("change", choose);
})();
