// Editing: "Use the original" puts the record's words back, and leaving with unsaved changes asks first.
const form = document.getElementById("edition");

if (form) {
  let changed = form.querySelector('[role="alert"]') !== null;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-original]");
    if (!button) return;
    const words = button.closest("[data-edit-line]").querySelector("textarea");
    words.value = button.dataset.original;
    words.focus();
    changed = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}
