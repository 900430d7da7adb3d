// A marker opens its quote beside its line: in the margin where there is one, else below the line.
// Without this script a marker is a link into the list of sources.
const wide = window.matchMedia("(min-width: 1001px)");
let opened = null;

const top = (element) => element.getBoundingClientRect().top + window.scrollY;

function close() {
  if (!opened) return;
  opened.marker.setAttribute("aria-expanded", "false");
  opened.line.classList.remove("on");
  opened.box.remove();
  for (const bar of document.querySelectorAll(".timeline .on")) bar.classList.remove("on");
  opened = null;
}

function boxOf(sources, name) {
  const box = document.createElement("section");
  box.className = "margin-quote";
  box.setAttribute("aria-label", name);
  const title = document.createElement("h2");
  title.textContent = name;
  const shut = document.createElement("button");
  shut.type = "button";
  shut.className = "link";
  shut.textContent = "Close";
  shut.addEventListener("click", () => {
    const { marker } = opened;
    close();
    marker.focus();
  });
  title.append(shut);
  box.append(title, ...sources.map((source) => source.querySelector(".quote").cloneNode(true)));
  return box;
}

// Set the quote among the facts of the margin, as near to its line's height as they allow.
function setInMargin(box, line, margin) {
  const at = top(line) - top(margin);
  const facts = [...margin.querySelectorAll(":scope > .fact")];
  let after = null;
  let end = 0;
  for (const fact of facts) {
    const begins = top(fact) - top(margin);
    const ends = begins + fact.offsetHeight;
    if (at < (begins + ends) / 2) break;
    after = fact;
    end = ends;
  }
  if (after) after.after(box);
  else margin.prepend(box);
  box.style.marginTop = `${Math.max(after ? 28 : 0, at - end)}px`;
}

function setBelow(box, line) {
  const host = line.matches(".sentence") ? line.closest(".lead") : line;
  box.classList.add("quote-below");
  if (host === line && !line.matches(".theme")) line.append(box);
  else host.after(box);
}

function open(marker, greeting = false) {
  const sources = marker.dataset.source.split(" ").map((number) => document.getElementById(`source-${number}`));
  const line = marker.closest("[data-line]");
  const margin = document.getElementById("margin");
  if (sources.includes(null) || !line || !margin) return;
  close();
  const box = boxOf(sources, marker.getAttribute("aria-label"));
  line.classList.add("on");
  marker.setAttribute("aria-expanded", "true");
  if (wide.matches && !margin.contains(line)) setInMargin(box, line, margin);
  else setBelow(box, line);
  for (const { dataset: { meeting } } of sources) {
    document.querySelector(`.timeline [data-meeting="${CSS.escape(meeting)}"]`)?.classList.add("on");
  }
  if (!greeting) box.classList.add("appears");
  opened = { marker, line, box, greeting };
}

function step(by) {
  const markers = [...document.querySelectorAll("[data-line] a[data-source]")];
  if (!markers.length) return;
  const at = opened ? markers.indexOf(opened.marker) + by : 0;
  const next = markers[Math.min(Math.max(at, 0), markers.length - 1)];
  open(next);
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const marker = event.target.closest("a[data-source]");
  if (!marker || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (opened?.marker === marker && !opened.greeting) close();
  else open(marker);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && opened) {
    const { marker, greeting } = opened;
    close();
    if (!greeting) marker.focus();
  } else if (!event.target.closest("input, textarea, select") && !localStorage.getItem("tidings-keys-off")) {
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  }
});

wide.addEventListener("change", () => opened && open(opened.marker, opened.greeting));

// Where the margin is, it begins with the first source, so that it shows what it is for.
function greet() {
  const first = document.querySelector(".reading a[data-source]");
  if (wide.matches && first && !opened) open(first, true);
}

greet();
document.addEventListener("tidings:content", greet);
