// Dragging a rule by its handle (js/drag.js): let go, the new order is sent as a form. The buttons beside do the same without this.
const list = document.querySelector("[data-rules]");
const order = document.querySelector("[data-order]");

if (list && order) {
  const items = () => [...list.querySelectorAll("[data-rule]")];
  const places = () => items().map((item) => item.dataset.rule).join(",");
  let before = [];

  list.addEventListener("tidings:hold", () => {
    before = items();
  });
  list.addEventListener("tidings:over", ({ target, detail: { x, y } }) => {
    const over = document.elementFromPoint(x, y)?.closest("[data-rule]");
    if (!over || over === target) return;
    const box = over.getBoundingClientRect();
    list.insertBefore(target, y > box.top + box.height / 2 ? over.nextElementSibling : over);
  });
  list.addEventListener("tidings:drop", () => {
    const [was, now] = [before.map((item) => item.dataset.rule).join(","), places()];
    before = [];
    if (now === was) return;
    order.elements.ids.value = now;
    order.submit();
  });
  // Broken off: everything goes back to where it was.
  list.addEventListener("tidings:release", () => before.length && list.append(...before));
}
