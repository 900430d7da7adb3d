// The jobs page looks again every two seconds, while somebody looks at it and holds nothing in it.
const PERIOD = 2000;

setInterval(() => {
  const now = document.getElementById("now");
  const isHeld = now?.contains(document.activeElement) || now?.querySelector("details[open]");
  if (now && !isHeld && document.visibilityState === "visible") {
    now.dispatchEvent(new CustomEvent("look"));
  }
}, PERIOD);
