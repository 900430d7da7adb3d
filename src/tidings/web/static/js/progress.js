// A run, followed live: by server-sent events, or by asking every 2 seconds where those do not come through.
// The page stops waiting after a while; the run goes on, and what it made is shown when it is done.
const TIMED_OUT = "Engagement summary timed out after 60 seconds. Please try again.";
const ASK_EVERY = 2000;
const ENDS = ["complete", "error", "cancelled"];

function sentenceOf(stage, { done, total }) {
  if (!total && !stage.dataset.counted.includes("{done}")) return stage.dataset.plain;
  if (!total && !done) return stage.dataset.plain;
  return stage.dataset.counted
    .replace("{done}", done)
    .replace("{next}", Math.min(done + 1, total))
    .replace("{total}", total);
}

function show(section, progress) {
  const stages = [...section.querySelectorAll("[data-stage]")];
  const at = stages.findIndex((stage) => stage.dataset.stage === progress?.stage);
  if (at < 0) return;
  stages.forEach((stage, index) => {
    stage.className = index < at ? "done" : index === at ? "now" : "todo";
    if (index === at) stage.setAttribute("aria-current", "step");
    else stage.removeAttribute("aria-current");
  });
  const { from, to } = stages[at].dataset;
  const part = progress.total ? Math.min(progress.done / progress.total, 1) : 0;
  section.querySelector("progress").value = Number(from) + (to - from) * part;
  const sentence = section.querySelector(".progress-sentence");
  const text = sentenceOf(stages[at], progress);
  if (sentence.textContent !== text) sentence.textContent = text;
}

// Bring in what the server now shows for this address. What is being read is never pulled away.
async function finish(section, status) {
  if (status === "complete" && "reading" in section.dataset) {
    const detail = { kind: "ok", text: "A newer summary is ready.", href: location.pathname, link: "Show it" };
    document.dispatchEvent(new CustomEvent("tidings:notice", { detail }));
    section.remove();
    return;
  }
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!answer.ok) {
    location.reload();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const whole = "reading" in section.dataset ? "#run-place" : "#main";
  const place = document.querySelector(whole);
  place.replaceChildren(...page.querySelector(whole).childNodes);
  place.classList.add("fresh");
  place.dispatchEvent(new CustomEvent("tidings:content", { bubbles: true }));
}

function follow(section) {
  const { run, domain, wait } = section.dataset;
  const asked = domain
    ? `/v1/engagement-status?${new URLSearchParams({ domain, run_id: run })}`
    : `/v1/runs/${encodeURIComponent(run)}`;
  let asking = null;
  let over = false;

  const end = (status) => {
    if (over) return;
    over = true;
    clearInterval(asking);
    clearTimeout(patience);
    events.close();
    finish(section, status);
  };
  const heard = (record) => {
    if (ENDS.includes(record.status)) end(record.status);
    else show(section, record.progress);
  };
  const ask = async () => {
    try {
      const answer = await fetch(asked);
      const [record] = answer.ok ? [await answer.json()].flat() : [];
      if (record) heard(record);
    } catch {
      // The network is away: the next question asks again.
    }
  };
  const patience = wait && setTimeout(() => {
    section.querySelector("[data-live]").hidden = true;
    section.querySelector("[data-stopped]").hidden = false;
    section.querySelector("[data-timeout]").textContent = TIMED_OUT;
  }, Number(wait) * 1000);

  const events = new EventSource(`/v1/runs/${encodeURIComponent(run)}/events`);
  events.addEventListener("open", () => {
    clearInterval(asking);
    asking = null;
  });
  events.addEventListener("progress", (event) => heard(JSON.parse(event.data)));
  for (const status of ENDS) {
    events.addEventListener(status, (event) => {
      // An `error` without data is the connection's own: ask until it is back.
      if (event.data !== undefined) end(status);
      else asking ??= setInterval(ask, ASK_EVERY);
    });
  }
}

const section = document.querySelector("#run[data-run]");
if (section) follow(section);
