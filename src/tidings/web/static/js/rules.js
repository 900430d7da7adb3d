// Dragging a rule by its handle: dropped, the new order is sent as a form. The buttons beside do the same without this.
const list = document.querySelector("[data-rules]");
const order = document.querySelector("[data-order]");

if (list && order) {
  const items = () => [...list.querySelectorAll("[data-rule]")];
  let dragged = null;
  let before = "";

  list.addEventListener("pointerdown", (event) => {
    const item = event.target.closest("[data-handle]")?.closest("[data-rule]");
    for (const each of items()) each.draggable = each === item;
  });
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-rule]");
    before = items().map((item) => item.dataset.rule).join(",");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.rule);
    dragged.classList.add("dragged");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-rule]");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    const isBelow = event.clientY > box.top + box.height / 2;
    list.insertBefore(dragged, isBelow ? over.nextElementSibling : over);
  });
  list.addEventListener("drop", (event) => event.preventDefault());
  list.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    dragged.draggable = false;
    dragged = null;
    const now = items().map((item) => item.dataset.rule).join(",");
    if (now === before) return;
    order.elements.ids.value = now;
    order.submit();
  });
}
