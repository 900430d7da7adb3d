// Single keys: / searches, ? shows the keys, g and a letter goes to a page. They can be switched off (WCAG 2.1.4).
const OFF = "tidings-keys-off";
const dialog = document.getElementById("keys");
const toggle = document.getElementById("keys-on");
let going = 0;

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function go(letter) {
  document.querySelector(`[data-go="${CSS.escape(letter)}"]`)?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || localStorage.getItem(OFF) || document.querySelector("dialog[open]")) return;
  if (Date.now() - going < 1500) {
    going = 0;
    go(event.key);
  } else if (event.key === "g") {
    going = Date.now();
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (event.key === "?") {
    dialog?.showModal();
  }
});

for (const opener of document.querySelectorAll('[data-open="keys"]')) {
  opener.addEventListener("click", () => dialog.showModal());
}
if (toggle) {
  toggle.checked = !localStorage.getItem(OFF);
  toggle.addEventListener("change", () => {
    if (toggle.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
}
