// Light or dark: as the system has it, until somebody presses the switch.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  root.classList.add("js");
  try {
    const kept = localStorage.getItem("fivefold-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch { /* some browsers keep nothing for files */ }

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("fivefold-theme", root.dataset.theme);
      } catch { /* then it is chosen again next time */ }
      tell();
    });
    system.addEventListener("change", tell);
    tell();
  });
})();
