// The queue: j and k move, a approves, e edits, r asks why not, x ticks. It is live while nobody is at work in it.
const OFF = "tidings-keys-off";
const NEXT = "tidings-approvals-next";
const SETTLE = 150;
const PACE = 1000;
let going = 0;
let current = null;
let looked = 0;
let waiting = null;
let isStale = false;

const all = () => [...document.querySelectorAll("[data-queue] article")];
const at = () => all().find((article) => article.contains(document.activeElement)) ?? document.getElementById(current);

function move(by) {
  const articles = all();
  if (!articles.length) return;
  const place = articles.indexOf(at());
  go(articles[Math.min(articles.length - 1, Math.max(0, place + by))] ?? articles[0]);
}

function go(article) {
  current = article.id;
  article.focus();
  article.scrollIntoView({ block: "nearest" });
}

function act(name) {
  const article = at();
  const found = article?.querySelector(`[data-act="${name}"]`);
  if (!found) return;
  const articles = all();
  const place = articles.indexOf(article);
  sessionStorage.setItem(NEXT, (articles[place + 1] ?? articles[place - 1])?.id ?? "");
  if (found.tagName !== "DETAILS") return found.click();
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
  else if (all().length && Date.now() - going >= 1500 && Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});

// What is typed, ticked or opened is never pulled away: it is looked at again once that is over.
function isHeld(now) {
  return (now.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"))
    || now.querySelector("details[open], input:checked") !== null
    || [...now.querySelectorAll("textarea, input")].some((field) => field.value !== field.defaultValue);
}

function look() {
  waiting = null;
  const now = document.getElementById("now");
  isStale = isHeld(now) || document.visibilityState !== "visible";
  if (isStale) return;
  looked = Date.now();
  now.dispatchEvent(new CustomEvent("look"));
}

function soon() {
  waiting ??= setTimeout(look, Math.max(SETTLE, looked + PACE - Date.now()));
}

// What is as it was stays as it is, with whoever is in the middle of it.
function said(now) {
  const copy = now.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.replaceWith(time.dateTime);
  return copy.outerHTML;
}

let shown = document.getElementById("now") && said(document.getElementById("now"));
document.addEventListener("htmx:beforeSwap", ({ target, detail }) => {
  if (target.id !== "now") return;
  const next = new DOMParser().parseFromString(detail.serverResponse, "text/html").getElementById("now");
  if (!next) return;
  // Something may have been taken hold of while the answer was on its way.
  isStale = isHeld(target);
  detail.shouldSwap = !isStale && said(next) !== shown;
  if (!isStale) shown = said(next);
});

const topics = document.getElementById("now")?.dataset.topics;
if (topics) {
  const asked = new URLSearchParams(topics.split(",").map((topic) => ["topics", topic]));
  const events = new EventSource(`/v1/realtime?${asked}`);
  // Joined: what came while the page was on its way, or the connection away.
  events.addEventListener("joined", soon);
  events.addEventListener("message", soon);
  for (const end of ["focusout", "toggle", "change", "visibilitychange"]) {
    document.addEventListener(end, () => isStale && soon(), true);
  }
}

document.addEventListener("focusin", ({ target }) => {
  current = target.closest("[data-queue] article")?.id ?? current;
});
document.addEventListener("htmx:afterSwap", () => {
  if (current && document.activeElement === document.body) document.getElementById(current)?.focus({ preventScroll: true });
});

// After a decision by key the next one is at hand.
const next = document.getElementById(sessionStorage.getItem(NEXT) ?? "");
sessionStorage.removeItem(NEXT);
if (next && document.querySelector("[data-queue]")) go(next);
