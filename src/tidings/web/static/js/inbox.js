// The inbox, live: what comes in is shown without a reload, and what is looked at is marked as read.
const SETTLE = 150;
const inbox = document.getElementById("inbox");
const token = document.querySelector('meta[name="csrf-token"]').content;
const PLACES = ["channels", "reading"];

let waiting = null;
let asked = 0;
let shown = 0;

// Bring in what the server now shows here. What is typed or opened is never pulled away.
async function refresh() {
  waiting = null;
  const turn = ++asked;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("inbox");
  // Of two answers the one that was asked for first may come last: it knows less.
  if (!fresh || turn < shown) return;
  shown = turn;
  if (fresh.dataset.stamp === inbox.dataset.stamp) return;
  for (const name of PLACES) {
    const place = document.getElementById(name);
    const isHeld = name === "reading" && (inbox.dataset.live === undefined
      || place.contains(document.activeElement) || place.querySelector("details[open]"));
    if (isHeld) continue;
    place.replaceChildren(...fresh.querySelector(`#${name}`).childNodes);
    place.dispatchEvent(new CustomEvent("tidings:content", { bubbles: true }));
  }
  for (const name of ["position", "unread", "stamp"]) {
    if (fresh.dataset[name] !== undefined) inbox.dataset[name] = fresh.dataset[name];
  }
  markRead();
}

// Only while somebody looks, and only at the newest page of all messages: a list of threads shows
// that there are some, not what they say.
async function markRead() {
  const { channel, position, unread } = inbox.dataset;
  if (!channel || !Number(unread) || document.visibilityState !== "visible") return;
  inbox.dataset.unread = "0";
  await fetch(`/v1/channels/${channel}/read`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrftoken": token },
    body: JSON.stringify({ position: Number(position) }),
  }).catch(() => null);
  document.querySelector('#channels a[aria-current] .unread')?.remove();
  document.querySelector('#channels a[aria-current]')?.classList.remove("has-unread");
}

if (inbox?.dataset.topics) {
  const topics = inbox.dataset.topics.split(",").map((topic) => ["topics", topic]);
  const events = new EventSource(`/v1/realtime?${new URLSearchParams(topics)}`);
  // What came while the page was on its way, or the connection away.
  events.addEventListener("joined", refresh);
  events.addEventListener("message", ({ data }) => {
    if (["messages", "proposals"].includes(JSON.parse(data).event)) waiting ??= setTimeout(refresh, SETTLE);
  });
}
document.addEventListener("visibilitychange", markRead);
if (inbox) markRead();
