// One job as it runs: its progress, its photos, and what can be done with it.

import { address, ask, askJson, Problem } from "./api.js";
import { button, download, h, put, say } from "./dom.js";
import { ended, follow } from "./events.js";
import { remember } from "./history.js";
import { key } from "./key.js";
import { language } from "./i18n.js";
import { announce } from "./notice.js";
import { report } from "./report.js";
import { Rows } from "./rows.js";
import { buildTable } from "./table.js";
import { forgetThumbs } from "./thumbs.js";

const STATES = ["", "done", "failed", "waiting"];
const REFRESH_MS = 1000;

/** Shows the job until `leave` is called or it is erased. Answers {element, stop}. */
export function showJob(id, leave) {
  const stopper = new AbortController();
  const { signal } = stopper;
  const bar = h("progress", { max: "1", value: "0", label: "job.progress" });
  const title = h("h2", { t: "job.loading" });
  const facts = h("p", { class: "dim", role: "status" });
  const buttons = h("div", { class: "row wrap" });
  const tabs = h("div", { class: "tabs", role: "group", label: "table.filter" });
  const table = buildTable();
  const element = h(
    "section",
    { class: "card job" },
    h(
      "div",
      { class: "row spread" },
      title,
      button({ class: "plain", t: "job.back", on: { click: leave } }, "left"),
    ),
    bar,
    facts,
    buttons,
    tabs,
    table.element,
  );
  const lists = new Map();
  let job = null;
  let shown = "";
  let timer = null;
  let said = "";
  watch();

  async function watch() {
    try {
      told({ job: await askJson(`v1/jobs/${id}`, { signal }), items: [] });
      await follow(id, told, signal);
    } catch (error) {
      if (!signal.aborted) gone(error);
    }
  }

  function told({ job: now, items }) {
    job = now;
    remember(job);
    for (const rows of lists.values()) rows.told(items);
    draw();
    // What came in since is fetched once a second at most.
    timer ??= setTimeout(() => {
      timer = null;
      table.draw();
    }, REFRESH_MS);
  }

  function draw() {
    const { counts, total } = job;
    const finished = counts.done + counts.failed + counts.cancelled;
    bar.value = total ? finished / total : 0;
    const state =
      job.state === "paused" && job.paused_for === "client" ? "paused_by_you" : job.state;
    say(title, [`job.${state}`, { n: total, share: total ? finished / total : 0 }]);
    put(facts, ...figures());
    if (said !== job.state) {
      said = job.state;
      drawButtons();
      announce([`job.${state}`, { n: total, share: total ? finished / total : 0 }]);
    }
    drawTabs();
    list();
  }

  function figures() {
    const { counts, photos_per_s: rate, seconds_left: left, keep_until: until } = job;
    const found = [["job.counts", { done: counts.done, failed: counts.failed, total: job.total }]];
    if (!ended(job) && rate)
      found.push(rate < 1 ? ["job.rate.minute", { n: rate * 60 }] : ["job.rate", { n: rate }]);
    if (job.state === "running" && left) found.push(["job.left", { left }]);
    if (until) found.push(["job.until", { until }]);
    return found.flatMap((figure, at) => [at ? " · " : "", h("span", { t: figure })]);
  }

  function drawButtons() {
    const acts = [];
    const add = (className, t, iconName, act) =>
      acts.push(button({ class: className, t, on: { click: () => run(act) } }, iconName));
    if (ended(job)) {
      if (job.counts.done) add("primary", "job.zip", "download", saveZip);
      add("quiet", "job.report", "sheet", () => report(id, signal));
      if (job.state === "done" && job.counts.failed)
        add("quiet", "job.retry", "clockwise", () => act("retry"));
    } else {
      if (job.state === "paused" && job.paused_for === "client")
        add("primary", "job.resume", "play", () => act("resume"));
      else if (job.state === "running") add("quiet", "job.pause", "pause", () => act("pause"));
      add("quiet", "job.cancel", "close", () => act("cancel"));
    }
    add("plain", "job.delete", "bin", erase);
    put(buttons, ...acts);
  }

  async function act(what) {
    const answer = await askJson(`v1/jobs/${id}/${what}`, { method: "POST", signal });
    const was = ended(job);
    said = "";
    told({ job: answer.job ?? answer, items: null });
    // Its stream of events has ended with it.
    if (was && !ended(job)) watch();
  }

  async function saveZip() {
    const spoken = (navigator.language ?? "").toLowerCase().startsWith(language);
    const path = `v1/jobs/${id}/result.zip`;
    // The browser writes it to the disk as it comes, but cannot tell a key or another language.
    if (!key() && spoken) return download(address(path), "photos.zip");
    download(await (await ask(path, { signal })).blob(), "photos.zip");
  }

  async function erase() {
    await ask(`v1/jobs/${id}`, { method: "DELETE", signal });
    remember({ id }, true);
    leave();
  }

  async function run(what) {
    for (const each of buttons.children) each.disabled = true;
    try {
      await what();
    } catch (error) {
      if (error instanceof Problem && error.status === 404) gone(error);
      else if (error instanceof Problem)
        put(facts, h("span", { class: "bad", text: error.message }));
      else if (error.name !== "AbortError") throw error;
    } finally {
      for (const each of buttons.children) each.disabled = false;
    }
  }

  function gone(error) {
    if (!(error instanceof Problem)) {
      if (error.name !== "AbortError") throw error;
      return;
    }
    if (error.status === 404) remember({ id }, true);
    put(title, h("span", { text: error.message }));
    put(facts, h("span", { text: error.hint }));
    put(buttons);
    put(tabs);
    table.element.hidden = true;
  }

  function drawTabs() {
    if (!tabs.children.length) {
      for (const state of STATES) {
        const choose = () => {
          shown = state;
          draw();
        };
        tabs.append(
          button(
            { class: "plain", "data-state": state, on: { click: choose } },
            null,
            h("span", {}),
          ),
        );
      }
    }
    for (const tab of tabs.children) {
      const { state } = tab.dataset;
      tab.setAttribute("aria-pressed", String(state === shown));
      say(tab.firstChild, [`tab.${state || "all"}`, { n: countOf(state) }]);
    }
  }

  function countOf(state) {
    if (!state) return job.total;
    // What is being made still waits, to whoever looks.
    return job.counts[state] + (state === "waiting" ? job.counts.leased : 0);
  }

  function list() {
    const states = shown === "waiting" ? "waiting,leased" : shown;
    if (!lists.has(shown)) lists.set(shown, new Rows(id, states, table.draw));
    table.show(lists.get(shown), countOf(shown));
  }

  return {
    element,
    stop() {
      stopper.abort();
      clearTimeout(timer);
      forgetThumbs();
    },
  };
}
