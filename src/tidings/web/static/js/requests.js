// htmx requests carry the CSRF token, and one that failed says so instead of doing nothing.
const token = document.querySelector('meta[name="csrf-token"]').content;

function say(text) {
  document.dispatchEvent(new CustomEvent("tidings:notice", { detail: { kind: "error", text } }));
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb !== "get") detail.headers["x-csrftoken"] = token;
});
document.addEventListener("htmx:responseError", ({ detail }) => {
  say(`That did not work (${detail.xhr.status}). Load the page again and repeat it.`);
});
document.addEventListener("htmx:sendError", () => {
  say("The service cannot be reached. Check the connection and try again.");
});
