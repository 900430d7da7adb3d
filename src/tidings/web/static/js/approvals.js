// The queue: j and k move, a approves, e edits, r asks why not, x ticks. It looks again while nobody is at work in it.
const OFF = "tidings-keys-off";
const PERIOD = 4000;
let going = 0;
let current = null;

const all = () => [...document.querySelectorAll("[data-queue] article")];
const at = () => all().find((article) => article.contains(document.activeElement)) ?? document.getElementById(current);

function move(by) {
  const articles = all();
  if (!articles.length) return;
  const place = articles.indexOf(at());
  const next = articles[Math.min(articles.length - 1, Math.max(0, place + by))] ?? articles[0];
  current = next.id;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function act(name) {
  const found = at()?.querySelector(`[data-act="${name}"]`);
  if (found?.tagName !== "DETAILS") return found?.click();
  found.open = true;
  found.querySelector("input:not([type=hidden])").focus();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  a: () => act("approve"),
  e: () => act("edit"),
  r: () => act("reject"),
  x: () => at()?.querySelector("input[type=checkbox]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || localStorage.getItem(OFF)) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
  if (event.key === "g") going = Date.now();
  else if (Date.now() - going >= 1500 && Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});

setInterval(() => {
  const now = document.getElementById("now");
  const focus = document.activeElement;
  const isHeld = (now?.contains(focus) && focus.tagName !== "ARTICLE") || now?.querySelector("details[open], input:checked");
  if (now && !isHeld && document.visibilityState === "visible") now.dispatchEvent(new CustomEvent("look"));
}, PERIOD);

document.addEventListener("htmx:afterSwap", () => {
  if (current && document.activeElement === document.body) document.getElementById(current)?.focus({ preventScroll: true });
});
