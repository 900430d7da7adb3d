// The palette: auto, light or dark. A cookie keeps it, so that the server sets it before the first paint.
const root = document.documentElement;
const choices = document.querySelectorAll("[data-theme-choice]");

function choose(theme) {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  document.cookie = `tidings_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  for (const button of choices) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}

for (const button of choices) {
  button.addEventListener("click", () => choose(button.dataset.themeChoice));
}
