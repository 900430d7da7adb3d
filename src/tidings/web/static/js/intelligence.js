// A channel's reading is shown anew when the services say that there is another one: at once, then at most once a
// second. What somebody holds is not pulled away: it waits until they let go.
const PERIOD = 1000;
let listening = null;
let waiting = null;
let looked = -PERIOD;

const place = () => document.getElementById("now");

function look() {
  waiting ??= setTimeout(() => {
    waiting = null;
    const now = place();
    looked = performance.now();
    if (now?.contains(document.activeElement) || now?.querySelector("details[open]")) look();
    else now?.dispatchEvent(new CustomEvent("look"));
  }, Math.max(0, looked + PERIOD - performance.now()));
}

function listen() {
  const topics = place()?.dataset.topics;
  if (!topics || listening?.topics === topics) return;
  listening?.source.close();
  const asked = new URLSearchParams(topics.split(" ").map((topic) => ["topics", topic]));
  const source = new EventSource(`/v1/realtime?${asked}`);
  // Joined: what came while the page was on its way, or the connection away.
  source.addEventListener("joined", look);
  source.addEventListener("message", (event) => {
    if (JSON.parse(event.data).event === "intelligence") look();
  });
  listening = { topics, source };
}

listen();
document.addEventListener("htmx:afterSettle", listen);
