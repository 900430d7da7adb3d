// Who is at a board and where they point, over one WebSocket that also brings what others change (`tidings:board`).
// A place is a fraction of the card under the pointer, else of all the columns: it means the same on every screen.
const PACE = 100;
const AWAY = 30_000;
const board = () => document.getElementById("board");
const canvas = () => board().querySelector(".columns");
const topic = `brainstorm:${board().dataset.board}`;
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");
const people = new Map();
let socket = null;
let position = null;
let me = null;
let wait = 500;

const say = (message) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
const notify = (event, payload = {}) =>
  document.dispatchEvent(new CustomEvent("tidings:board", { detail: { event, payload } }));

// The board names its people; who was brought in since is named once it is read anew.
const nameOf = (user) => board().querySelector(`[data-person="${CSS.escape(user)}"] .person-name`)?.textContent ?? "Somebody";
const initials = (name) => name.split(/\s+/u).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
const shade = (user) => Math.max(0, [...board().querySelectorAll("[data-person]")].findIndex((one) => one.dataset.person === user)) % 6;

function showPeople() {
  const users = [...new Set([...people.values()].map((one) => one.user))];
  document.getElementById("here").replaceChildren(...users.map((user) => {
    const name = nameOf(user);
    const item = document.createElement("li");
    item.className = `avatar shade-${shade(user)}`;
    item.title = name;
    const letters = document.createElement("span");
    letters.setAttribute("aria-hidden", "true");
    letters.textContent = initials(name);
    const full = document.createElement("span");
    full.className = "unseen";
    full.textContent = name;
    item.append(letters, full);
    return item;
  }));
}

function showCursor(id) {
  const one = people.get(id);
  const anchor = one?.at && (one.at.over ? board().querySelector(`[data-idea="${CSS.escape(one.at.over)}"]`) : canvas());
  if (!anchor) {
    one?.mark?.remove();
    return;
  }
  if (!one.mark) {
    one.mark = document.createElement("span");
    one.mark.className = `cursor shade-${shade(one.user)}`;
    one.mark.setAttribute("aria-hidden", "true");
  }
  one.mark.textContent = nameOf(one.user);
  if (one.mark.parentNode !== canvas()) canvas().append(one.mark);
  const [outer, inner] = [canvas().getBoundingClientRect(), anchor.getBoundingClientRect()];
  const isAll = anchor === canvas();
  const left = isAll ? one.at.x * anchor.scrollWidth : inner.left - outer.left + canvas().scrollLeft + one.at.x * inner.width;
  const top = isAll ? one.at.y * anchor.scrollHeight : inner.top - outer.top + canvas().scrollTop + one.at.y * inner.height;
  // The name stays within the columns: beyond their edge it would make them longer.
  one.mark.hidden = true;
  const [width, height] = [canvas().scrollWidth, canvas().scrollHeight];
  one.mark.hidden = false;
  one.mark.style.translate = `${Math.min(left, width - one.mark.offsetWidth)}px ${Math.min(top, height - one.mark.offsetHeight)}px`;
}

function hear({ op, id, user_id: user }) {
  if (op === "leave") {
    people.get(id)?.mark?.remove();
    people.delete(id);
  } else if (!people.has(id)) people.set(id, { user, at: null, mark: null });
  showPeople();
}

function point({ id, at }) {
  const one = people.get(id);
  if (!one || id === me) return;
  one.at = at;
  clearTimeout(one.gone);
  one.gone = setTimeout(() => point({ id, at: null }), AWAY);
  // Who wants little motion sees where others are, once a second, not how they get there.
  if (!isCalm.matches || !at) showCursor(id);
  else one.later ??= setTimeout(() => {
    one.later = null;
    showCursor(id);
  }, 1000);
}

function take(message) {
  if (message.type === "joined") {
    if (position === null) notify("joined");
    position ??= message.position;
    say({ type: "presence", topic, state: {}, ref: "seen" });
  } else if (message.type === "done" && message.ref === "seen") {
    say({ type: "who", topic });
  } else if (message.type === "here") {
    for (const one of people.values()) one.mark?.remove();
    people.clear();
    me = message.you;
    for (const one of message.present) people.set(one.id, { user: one.user_id, at: null, mark: null });
    showPeople();
  } else if (message.type === "left" || (message.type === "error" && message.code === "not_found")) {
    // Not ours to read any more, or too far behind to catch up.
    if (message.code === "cursor_invalid") again();
    else location.reload();
  } else if (message.type === "error" && message.code === "cursor_invalid") {
    again();
  } else if (message.type === "event") {
    if (message.position) position = message.position;
    if (message.event === "presence") hear(message.payload);
    else if (message.event === "cursor") point(message.payload);
    else notify(message.event, message.payload);
  }
}

function again() {
  position = null;
  say({ type: "join", topics: [topic] });
  notify("missed");
}

function open() {
  const address = new URL("/v1/realtime/ws", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    wait = 500;
    say({ type: "join", topics: [topic], after: position });
  });
  socket.addEventListener("message", ({ data }) => take(JSON.parse(data)));
  socket.addEventListener("close", ({ code }) => {
    for (const one of people.values()) one.mark?.remove();
    people.clear();
    showPeople();
    if (code === 4001) location.reload();
    else setTimeout(open, wait + Math.random() * wait);
    wait = Math.min(wait * 2, 30_000);
  });
}

// One's own pointer: at most ten times a second, the last place always; nowhere once it leaves the columns.
let next = null;
let timer = null;

function tellSoon(at) {
  next = { at };
  timer ??= setTimeout(() => {
    timer = null;
    if (people.size > 1) say({ type: "cursor", topic, at: next.at });
  }, PACE);
}

const share = (value, all) => Math.min(1, Math.max(0, value / (all || 1)));

document.addEventListener("pointermove", (event) => {
  if (event.pointerType === "touch") return;
  const all = event.target.closest?.(".columns");
  if (!all) {
    if (next?.at) tellSoon(null);
    return;
  }
  const card = event.target.closest("[data-idea]");
  const box = (card ?? all).getBoundingClientRect();
  const at = card
    ? { over: card.dataset.idea, x: share(event.clientX - box.left, box.width), y: share(event.clientY - box.top, box.height) }
    : { x: share(event.clientX - box.left + all.scrollLeft, all.scrollWidth), y: share(event.clientY - box.top + all.scrollTop, all.scrollHeight) };
  tellSoon(at);
});
document.documentElement.addEventListener("pointerleave", () => next?.at && tellSoon(null));

document.addEventListener("tidings:content", () => {
  showPeople();
  for (const id of people.keys()) showCursor(id);
});
addEventListener("resize", () => [...people.keys()].forEach(showCursor));

open();
