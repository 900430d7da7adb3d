// Times come in UTC; show them in the reader's zone, as the server writes them ("Sep", where en-GB
// has "Sept"). Pages stay right without this.
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");
const day = (at) => `${at.getDate()} ${months[at.getMonth()]} ${at.getFullYear()}`;
const formats = { day, moment: (at) => `${day(at)}, ${two(at.getHours())}:${two(at.getMinutes())}` };

function localize(within) {
  for (const time of within.querySelectorAll("time[data-local]")) {
    time.title = `${time.dateTime} (UTC)`;
    time.textContent = formats[time.dataset.local](new Date(time.dateTime));
    delete time.dataset.local;
  }
}

localize(document);
document.addEventListener("tidings:content", (event) => localize(event.target));
document.addEventListener("htmx:load", (event) => localize(event.target));
