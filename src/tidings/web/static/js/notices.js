// Notices: what the server said, what a script has to say (event `tidings:notice`), and how to dismiss either.
const place = document.getElementById("notices");

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest("[data-notice]")?.remove();
});

document.addEventListener("tidings:notice", ({ detail }) => {
  const notice = document.createElement("div");
  notice.className = `notice ${detail.kind}`;
  notice.dataset.notice = "";
  const text = document.createElement("p");
  text.textContent = detail.text;
  if (detail.href) {
    const link = document.createElement("a");
    link.href = detail.href;
    link.textContent = detail.link;
    text.append(" ", link);
  }
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "link";
  dismiss.dataset.dismiss = "";
  dismiss.textContent = "Dismiss";
  notice.append(text, dismiss);
  place.replaceChildren(notice);
});
