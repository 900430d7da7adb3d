// Times come in UTC; show them in the reader's zone. Pages stay right without this.
const formats = {
  day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }),
  moment: new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  }),
};

function localize(within) {
  for (const time of within.querySelectorAll("time[data-local]")) {
    time.title = `${time.dateTime} (UTC)`;
    time.textContent = formats[time.dataset.local].format(new Date(time.dateTime));
    delete time.dataset.local;
  }
}

localize(document);
document.addEventListener("tidings:content", (event) => localize(event.target));
document.addEventListener("htmx:load", (event) => localize(event.target));
