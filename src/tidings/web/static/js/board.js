// A board: its forms without a reload, cards moved by drag or Alt and an arrow, what others change as it happens, the timer.
// Without this module every form still works, and "Edit" on each card does what dragging does.
let waits = false;

const board = () => document.getElementById("board");
const said = document.getElementById("said");

function tell(text) {
  document.dispatchEvent(new CustomEvent("tidings:notice", { detail: { kind: "error", text } }));
}

function isHeld() {
  const at = document.activeElement;
  const typing = board().contains(at) && at.matches("textarea, input:not([type=hidden]), select");
  const isEditing = board().querySelector("details.edit-card[open], .edit-column[open], #settings-of-board[open]");
  return (typing && at.id !== "new-idea") || isEditing !== null || document.querySelector(".card.dragged") !== null;
}

// What has the focus, so that it can be found again on the new board: by id, or by its place on its card.
const inCard = (card) => [card, ...card.querySelectorAll("button, summary, input:not([type=hidden]), select, textarea")];

function focused() {
  const at = document.activeElement;
  if (!board().contains(at)) return () => null;
  const card = at.closest("[data-idea]");
  if (at.id || !card) return () => (at.id ? document.getElementById(at.id) : null);
  const [idea, place] = [card.dataset.idea, inCard(card).indexOf(at)];
  return () => {
    const same = document.querySelector(`[data-idea="${CSS.escape(idea)}"]`);
    return same && (inCard(same)[place] ?? same);
  };
}

// Bring in the board as the server shows it. What is open and half typed stays, and stays an edit of what was read then.
function bring(html, sent = null) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const next = page.getElementById("board");
  if (!next) {
    location.reload();
    return;
  }
  const find = focused();
  const draft = document.getElementById("new-idea");
  const typed = draft?.value ?? "";
  for (const open of board().querySelectorAll("details[open][id], #ai")) {
    const same = next.querySelector(`#${CSS.escape(open.id)}`);
    if (!same) continue;
    if (open.open) same.open = true;
    const forms = [...same.querySelectorAll("form")];
    [...open.querySelectorAll("form")].forEach((form, n) => {
      const isTyped = [...form.elements].some((field) => field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue);
      const isChosen = [...form.querySelectorAll("option")].some((option) => option.selected !== option.defaultSelected);
      if (form !== sent && (isTyped || isChosen)) forms[n]?.replaceWith(form);
    });
  }
  board().replaceWith(next);
  const field = document.getElementById("new-idea");
  if (field && !field.value) field.value = typed;
  find()?.focus();
  const notices = page.querySelectorAll("#notices > *");
  if (notices.length) document.getElementById("notices").replaceChildren(...notices);
  next.dispatchEvent(new CustomEvent("tidings:content", { bubbles: true }));
  waits = false;
  setClock();
  count();
}

async function ask(address, options) {
  try {
    return await fetch(address, { headers: { accept: "text/html" }, ...options });
  } catch {
    tell("The service cannot be reached. What you typed is still here; try again.");
    return null;
  }
}

// With a version, only a newer board is brought in.
async function look(known = -1) {
  if (isHeld()) {
    waits = true;
    return;
  }
  const answer = await ask(location.href);
  if (!answer) return;
  if (answer.status === 404) location.reload();
  if (!answer.ok) return;
  const html = await answer.text();
  // Something may have been taken hold of while the answer was on its way.
  if (isHeld()) waits = true;
  else if (!(Number(/data-version="(\d+)"/.exec(html)?.[1]) <= known)) bring(html);
}

async function send(action, fields, form = null) {
  const answer = await ask(action, { method: "POST", body: fields });
  if (!answer) return;
  if (answer.redirected && !answer.url.includes("/brainstorms/")) {
    location.href = answer.url;
    return;
  }
  if (answer.status >= 500 || [401, 403, 404, 429].includes(answer.status)) {
    tell(`That did not work (${answer.status}). What you typed is still here; load the page again or try later.`);
    return;
  }
  if (answer.redirected) history.replaceState(null, "", answer.url);
  const draft = document.getElementById("new-idea");
  if (action.endsWith("/ideas") && answer.ok && draft) draft.value = "";
  const edited = form?.closest("details.edit-card, details.edit-column, #settings-of-board");
  if (edited && answer.ok) {
    edited.open = false;
    edited.querySelector("summary").focus();
  }
  bring(await answer.text(), form);
}

const isOurs = (form) => board().contains(form) || new URL(form.action).pathname.startsWith(`/brainstorms/${board().dataset.board}/`);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !isOurs(form) || form.action.endsWith("/delete")) return;
  event.preventDefault();
  form.closest("[data-notice]")?.remove();
  send(form.action, new URLSearchParams(new FormData(form, event.submitter)), form);
});

document.addEventListener("focusout", () => {
  if (waits) setTimeout(() => waits && look(), 50);
});
document.addEventListener("toggle", () => waits && look(), true);

// Moving: into a column, after a card of it or to its front.
function move(card, column, after) {
  const { by, board: id, version } = board().dataset;
  const fields = new URLSearchParams({
    _csrf_token: document.querySelector('meta[name="csrf-token"]').content,
    do: "move",
    by,
    version,
    idea_id: card.dataset.idea,
    column: column.dataset.column,
    after: after?.dataset.idea ?? "",
  });
  return send(`/brainstorms/${id}/idea`, fields);
}

// By drag: js/drag.js says where the card is held. Where it would go is marked.
const mark = document.createElement("li");
mark.className = "drop-mark";
mark.setAttribute("aria-hidden", "true");

function cardBefore(card, column, y) {
  const cards = [...column.querySelectorAll(".card")].filter((other) => other !== card);
  return cards.filter((other) => other.getBoundingClientRect().top + other.offsetHeight / 2 < y).at(-1) ?? null;
}

function unmark() {
  mark.remove();
  document.querySelector(".column.over")?.classList.remove("over");
}

document.addEventListener("tidings:over", ({ target, detail: { x, y } }) => {
  const column = document.elementFromPoint(x, y)?.closest(".column");
  if (!column?.classList.contains("over")) unmark();
  if (!column) return;
  column.classList.add("over");
  const before = cardBefore(target, column, y);
  if (before) before.after(mark);
  else column.querySelector(".cards").prepend(mark);
});
document.addEventListener("tidings:drop", ({ target, detail: { x, y } }) => {
  const column = document.elementFromPoint(x, y)?.closest(".column");
  if (column) move(target, column, cardBefore(target, column, y));
});
document.addEventListener("tidings:release", () => {
  unmark();
  if (waits) look();
});

document.addEventListener("keydown", async (event) => {
  const card = event.target;
  if (!event.altKey || !card.matches?.(".card[data-drag]")) return;
  const column = card.closest(".column");
  const cards = [...column.querySelectorAll(".card")];
  const place = cards.indexOf(card);
  const columns = [...document.querySelectorAll(".column")];
  let to = null;
  if (event.key === "ArrowUp" && place > 0) to = [column, cards[place - 2]];
  if (event.key === "ArrowDown" && place + 1 < cards.length) to = [column, cards[place + 1]];
  const beside = columns[columns.indexOf(column) + { ArrowLeft: -1, ArrowRight: 1 }[event.key]];
  if (beside) to = [beside, [...beside.querySelectorAll(".card")].at(-1)];
  if (event.key.startsWith("Arrow")) event.preventDefault();
  if (!to) return;
  await move(card, ...to);
  const after = document.querySelector(`[data-idea="${CSS.escape(card.dataset.idea)}"]`);
  if (!after) return;
  const now = after.closest(".column");
  const at = [...now.querySelectorAll(".card")].indexOf(after) + 1;
  said.textContent = `Moved to ${now.getAttribute("aria-label")}, place ${at} of ${now.querySelectorAll(".card").length}.`;
});

// The timer is everybody's: it counts by the server's clock, whatever the one of this computer says.
let ahead = 0;
let left = null;

function setClock() {
  ahead = new Date(board().dataset.now) - Date.now();
}

function count() {
  const timer = board().querySelector("[data-timer]");
  const before = left;
  left = timer && Math.round((new Date(timer.dataset.timer) - Date.now() - ahead) / 1000);
  if (!timer) return;
  timer.classList.toggle("over", left <= 0);
  const text = left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left` : "Time is up";
  if (timer.textContent !== text) timer.textContent = text;
  if (before > 0 && left <= 0) said.textContent = "Time is up.";
  if (before > 60 && left <= 60 && left > 0) said.textContent = "One minute left.";
}
setClock();
count();
setInterval(count, 1000);

let soon = null;
let newest = 0;
document.addEventListener("tidings:board", ({ detail }) => {
  if (detail.event === "joined") {
    // What came while the page was on its way.
    look(Number(board().dataset.version));
    return;
  }
  if (detail.event === "deleted") location.href = "/brainstorms";
  newest = Math.max(newest, detail.event === "operation" ? detail.payload.version : Infinity);
  clearTimeout(soon);
  soon = setTimeout(() => {
    // What the page itself sent came back with the answer.
    if (newest > Number(board().dataset.version)) look();
    newest = 0;
  }, 100);
});
