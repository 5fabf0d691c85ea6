// Before the first paint: who chose nothing gets the theme of their system, also when it changes later.
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
