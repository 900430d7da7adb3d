// A board: its forms without a reload, cards dragged between columns, what others change as it happens, the timer.
// Without this module every form still works, and "Edit" on each card does what dragging does.
let waits = false;

const board = () => document.getElementById("board");

function isHeld() {
  const at = document.activeElement;
  const typing = board().contains(at) && at.matches("textarea, input:not([type=hidden]), select");
  const isEditing = board().querySelector("details.edit-card[open], .edit-column[open], #settings-of-board[open]");
  return (typing && at.id !== "new-idea") || isEditing !== null || document.querySelector(".card.dragged") !== null;
}

// Bring in the board as the server shows it; what is open and half typed stays.
function bring(html) {
  const next = new DOMParser().parseFromString(html, "text/html").getElementById("board");
  if (!next) {
    location.reload();
    return;
  }
  const draft = document.getElementById("new-idea");
  const typed = draft?.value ?? "";
  const hadFocus = draft !== null && document.activeElement === draft;
  for (const open of board().querySelectorAll("details[open][id]")) {
    const same = next.querySelector(`#${CSS.escape(open.id)}`);
    if (same) same.open = true;
  }
  board().replaceWith(next);
  const field = document.getElementById("new-idea");
  if (field && !field.value) field.value = typed;
  if (hadFocus) field?.focus();
  next.dispatchEvent(new CustomEvent("tidings:content", { bubbles: true }));
  waits = false;
  count();
}

async function look() {
  if (isHeld()) {
    waits = true;
    return;
  }
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) {
    location.reload();
    return;
  }
  const html = await answer.text();
  // Something may have been taken hold of while the answer was on its way.
  if (isHeld()) waits = true;
  else bring(html);
}

async function send(action, fields) {
  const answer = await fetch(action, { method: "POST", body: fields, headers: { accept: "text/html" } });
  if (answer.redirected && !answer.url.includes("/brainstorms/")) {
    location.href = answer.url;
    return;
  }
  if (answer.redirected) history.replaceState(null, "", answer.url);
  const draft = document.getElementById("new-idea");
  if (action.endsWith("/ideas") && answer.ok && draft) draft.value = "";
  for (const open of board().querySelectorAll("details.edit-card[open]")) {
    if (answer.ok) open.open = false;
  }
  bring(await answer.text());
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!board()?.contains(form) || form.method !== "post" || form.action.endsWith("/delete")) return;
  event.preventDefault();
  send(form.action, new URLSearchParams(new FormData(form, event.submitter)));
});

document.addEventListener("focusout", () => {
  if (waits) setTimeout(() => waits && look(), 50);
});
document.addEventListener("toggle", () => waits && look(), true);

// Dragging: into a column, after the card above the pointer.
let dragged = null;

function cardBefore(column, y) {
  const cards = [...column.querySelectorAll(".card")].filter((card) => card !== dragged);
  return cards.filter((card) => card.getBoundingClientRect().top + card.offsetHeight / 2 < y).at(-1) ?? null;
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".card[draggable]") ?? null;
  dragged?.classList.add("dragged");
  if (dragged) event.dataTransfer.effectAllowed = "move";
});
document.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  for (const column of document.querySelectorAll(".column.over")) column.classList.remove("over");
  dragged = null;
  if (waits) look();
});
document.addEventListener("dragover", (event) => {
  const column = dragged && event.target.closest?.(".column");
  for (const other of document.querySelectorAll(".column.over")) {
    if (other !== column) other.classList.remove("over");
  }
  if (!column) return;
  event.preventDefault();
  column.classList.add("over");
});
document.addEventListener("drop", (event) => {
  const column = dragged && event.target.closest?.(".column");
  if (!column) return;
  event.preventDefault();
  const { by, board: id, version } = board().dataset;
  const fields = new URLSearchParams({
    _csrf_token: document.querySelector('meta[name="csrf-token"]').content,
    do: "move",
    by,
    version,
    idea_id: dragged.dataset.idea,
    column: column.dataset.column,
    after: cardBefore(column, event.clientY)?.dataset.idea ?? "",
  });
  dragged.classList.remove("dragged");
  send(`/brainstorms/${id}/idea`, fields);
});

function count() {
  for (const timer of document.querySelectorAll("[data-timer]")) {
    const left = Math.round((new Date(timer.dataset.timer) - Date.now()) / 1000);
    timer.classList.toggle("over", left <= 0);
    const text = left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left` : "Time is up";
    if (timer.textContent !== text) timer.textContent = text;
  }
}
count();
setInterval(count, 1000);

let soon = null;
let newest = 0;
const topic = `brainstorm:${board().dataset.board}`;
const events = new EventSource(`/v1/realtime?${new URLSearchParams({ topics: topic })}`);
events.addEventListener("message", ({ data }) => {
  const { event, payload } = JSON.parse(data);
  if (event === "deleted") location.href = "/brainstorms";
  if (event === "operation") newest = Math.max(newest, payload.version);
  else newest = Infinity;
  clearTimeout(soon);
  soon = setTimeout(() => {
    // What the page itself sent came back with the answer.
    if (newest > Number(board().dataset.version)) look();
    newest = 0;
  }, 100);
});
