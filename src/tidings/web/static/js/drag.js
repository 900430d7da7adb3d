// Dragging by mouse, pen or finger. What has [data-drag] is taken hold of by its [data-handle], where a finger does not
// scroll (touch-action: none); with data-drag="whole" a mouse takes hold of it anywhere but at its controls.
// It hears tidings:hold once, tidings:over while it is held, then tidings:drop unless that was broken off, tidings:release.
const FAR = 5;
const EDGE = 56;
const PACE = 12;
const CONTROLS = "a, button, details, form, input, select, textarea";

let held = null;

const tell = (event) =>
  held.item.dispatchEvent(new CustomEvent(`tidings:${event}`, { bubbles: true, detail: { x: held.x, y: held.y } }));

const towards = (at, from, until) => (at < from + EDGE ? -PACE : at > until - EDGE ? PACE : 0);

// Whatever is held near an edge of the window, or of what scrolls sideways around it, brings more into sight.
function follow() {
  if (!held?.ghost) return;
  scrollBy({ top: towards(held.y, 0, innerHeight), behavior: "instant" });
  const sideways = held.item.closest("[data-scrolls]");
  if (sideways) {
    const { left, right } = sideways.getBoundingClientRect();
    sideways.scrollLeft += towards(held.x, Math.max(0, left), Math.min(innerWidth, right));
  }
  tell("over");
  requestAnimationFrame(follow);
}

function lift(pointer) {
  // The page itself takes the pointer: the item may be moved or replaced meanwhile.
  document.documentElement.setPointerCapture(pointer);
  held.ghost = document.createElement("div");
  held.ghost.className = "drag-ghost";
  held.ghost.setAttribute("aria-hidden", "true");
  held.ghost.textContent = (held.item.querySelector("[data-drag-name]") ?? held.item).textContent;
  document.body.append(held.ghost);
  document.documentElement.classList.add("dragging");
  held.item.classList.add("dragged");
  tell("hold");
  requestAnimationFrame(follow);
}

function release(isDropped) {
  const { ghost, item } = held;
  if (ghost) {
    ghost.remove();
    document.documentElement.classList.remove("dragging");
    if (isDropped) tell("drop");
    item.classList.remove("dragged");
    tell("release");
  }
  held = null;
}

document.addEventListener("pointerdown", (event) => {
  if (held || !event.isPrimary || event.button !== 0) return;
  const item = event.target.closest("[data-drag]");
  const anywhere = item?.dataset.drag === "whole" && event.pointerType === "mouse" && !event.target.closest(CONTROLS);
  if (!item || !(anywhere || event.target.closest("[data-handle]"))) return;
  held = { item, pointer: event.pointerId, from: [event.clientX, event.clientY], x: event.clientX, y: event.clientY };
});

document.addEventListener("pointermove", (event) => {
  if (held?.pointer !== event.pointerId) return;
  held.x = event.clientX;
  held.y = event.clientY;
  if (!held.ghost && Math.hypot(held.x - held.from[0], held.y - held.from[1]) < FAR) return;
  if (!held.ghost) lift(event.pointerId);
  const left = Math.min(held.x + 12, innerWidth - held.ghost.offsetWidth - 8);
  held.ghost.style.translate = `${left}px ${held.y + 12}px`;
});

document.addEventListener("pointerup", (event) => held?.pointer === event.pointerId && release(true));
document.addEventListener("pointercancel", (event) => held?.pointer === event.pointerId && release(false));
document.addEventListener("keydown", (event) => event.key === "Escape" && held && release(false));
