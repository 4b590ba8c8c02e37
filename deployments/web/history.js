// The jobs of this browser: their ids are kept here, everything else at the service.

import { ask, askJson, Problem } from "./api.js";
import { button, h, put } from "./dom.js";
import { keep, recall } from "./kept.js";

const MOST = 50;

/** Keeps what is known of the job, or forgets it. */
export function remember(job, forget = false) {
  const others = recall("jobs", []).filter(({ id }) => id !== job.id);
  const earlier = recall("jobs", []).find(({ id }) => id === job.id);
  const { id, state, total, counts, created_at: at, keep_until: until } = job;
  const mine = { name: earlier?.name ?? job.name ?? "", id, state, total, counts, at, until };
  keep("jobs", (forget ? others : [mine, ...others]).sort(newest).slice(0, MOST));
}

/** The latest job that has not ended, or null. */
export function unfinished() {
  const open = (job) => job.state !== "done" && job.state !== "cancelled";
  return recall("jobs", []).find(open)?.id ?? null;
}

/** A card with the jobs: {element, draw}. `open` is told an id. */
export function historyCard(open) {
  const list = h("ul", { class: "jobs" });
  const element = h("section", { class: "card history" }, h("h2", { t: "history" }), list);

  function draw() {
    const now = Date.now();
    const jobs = recall("jobs", []).filter(({ until }) => !until || Date.parse(until) > now);
    element.hidden = jobs.length === 0;
    put(list, ...jobs.map(row));
  }

  function row(job) {
    const text = [
      h("strong", job.name ? { text: job.name } : { t: ["job.photos", { n: job.total ?? 0 }] }),
      h("span", {
        class: "dim",
        t: ["history.row", { at: job.at, done: job.counts?.done ?? 0, n: job.total ?? 0 }],
      }),
    ];
    const erase = async () => {
      try {
        await ask(`v1/jobs/${job.id}`, { method: "DELETE" });
      } catch (error) {
        if (!(error instanceof Problem && error.status === 404)) return;
      }
      remember(job, true);
      draw();
    };
    return h(
      "li",
      { class: "row" },
      h(
        "button",
        { type: "button", class: "choice", on: { click: () => open(job.id) } },
        h("span", { class: "two-lines" }, ...text),
      ),
      button({ class: "plain", t: "job.delete", on: { click: erase } }, "bin"),
    );
  }

  /** Asks how those are that had not ended, and forgets what the service has erased. */
  async function refresh() {
    for (const job of recall("jobs", []).filter(({ until }) => !until)) {
      try {
        remember(await askJson(`v1/jobs/${job.id}`));
      } catch (error) {
        if (error instanceof Problem && error.status === 404) remember(job, true);
        else return;
      }
    }
    draw();
  }

  return { element, draw, refresh };
}

function newest(one, other) {
  return one.at < other.at ? 1 : -1;
}
