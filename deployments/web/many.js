// Many photos: a heap of files becomes one job, which is watched until its end.

import { Problem } from "./api.js";
import { colourCard } from "./colours.js";
import { documentCard, firstDocument, ordered } from "./document.js";
import { button, h, put, say } from "./dom.js";
import { dropped, named, sorted } from "./heap.js";
import { historyCard, remember, unfinished } from "./history.js";
import { showJob } from "./job.js";
import { optionList } from "./options.js";
import { canvas, decode } from "./pictures.js";
import { catchPhotos, handedOver, picker } from "./source.js";
import { lessen, send } from "./upload.js";

// Above this, making photos smaller takes less time than sending them.
const HEAVY_BYTES = 300e6;
const PEEK = 12;
const PEEK_PX = 160;

/** Builds the view in its section. */
export function begin(view) {
  let heap = null;
  let chosen = null;
  let background = "white";
  let watched = null;
  let sending = null;
  let resumed = false;

  const documents = documentCard(choose);
  const colours = colourCard((colour) => {
    background = colour;
    colours.show(chosen, background);
  });
  const options = optionList("many", () => {});
  const start = button({ class: "primary wide", t: "many.start", on: { click: sendHeap } }, "play");
  const place = h("div", { class: "place" });
  const history = historyCard(open);
  const panel = h(
    "div",
    { class: "panel" },
    documents.element,
    colours.element,
    h("section", { class: "card" }, start, options.element),
  );
  const left = h("div", { class: "panel" }, place, history.element);
  const layout = h("div", { class: "studio many" }, left, panel);
  view.append(layout);
  catchPhotos(view, async (files, transfer) =>
    take(transfer ? await dropped(transfer) : named(files)),
  );
  document.addEventListener("handed", takeOver);
  addEventListener("hashchange", turn);
  addEventListener("beforeunload", (event) => sending && event.preventDefault());
  firstDocument().then(choose, () => {});
  invite();
  takeOver();
  turn();
  history.draw();
  history.refresh();

  function choose(document) {
    chosen = document;
    background = document.background;
    documents.show(chosen);
    colours.show(chosen, background);
    enable();
  }

  function takeOver() {
    const files = handedOver();
    if (files) take(named(files));
  }

  function turn() {
    const id = /^#many=(\w+)$/.exec(location.hash)?.[1];
    if (id && watched?.id !== id) watch(id);
    if (!id && location.hash === "#many" && watched) leave();
    if (location.hash === "#many" && !heap && unfinished() && !resumed) open(unfinished());
    resumed = true;
  }

  function open(id) {
    location.hash = `#many=${id}`;
  }

  function watch(id) {
    watched?.stop();
    watched = { id, ...showJob(id, () => (location.hash = "#many")) };
    layout.toggleAttribute("data-job", true);
    put(place, watched.element);
  }

  function leave() {
    watched.stop();
    watched = null;
    layout.removeAttribute("data-job");
    history.draw();
    invite();
  }

  function take(found) {
    if (sending || watched) return;
    const next = sorted(found);
    if (!next.photos.length && !next.zip) {
      invite();
      place
        .querySelector(".invitation")
        .append(h("p", { class: "bad", role: "alert", t: "many.none" }));
      return;
    }
    heap = next;
    showHeap();
  }

  function enable() {
    start.disabled = !heap || !chosen || Boolean(sending);
  }

  function invite() {
    heap = null;
    enable();
    const files = picker({ multiple: true, accept: "image/*,.heic,.heif,.avif,.zip" }, (found) =>
      take(named(found)),
    );
    const folder = picker({ webkitdirectory: true }, (found) => take(named(found)));
    put(
      place,
      h(
        "section",
        { class: "stage heap" },
        h(
          "div",
          { class: "floor" },
          h(
            "div",
            { class: "invitation" },
            h(
              "div",
              { class: "guides", "aria-hidden": "true" },
              ...[1, 2, 3].map(() => h("div", { class: "guide" })),
            ),
            h("h2", { t: "many.invite" }),
            h(
              "div",
              { class: "row wrap" },
              button(
                { class: "primary", t: "many.files", on: { click: () => files.click() } },
                "upload",
              ),
              button(
                { class: "quiet", t: "many.folder", on: { click: () => folder.click() } },
                "folder",
              ),
              files,
              folder,
            ),
            h("p", { class: "dim", t: "many.hint" }),
          ),
        ),
      ),
    );
  }

  function showHeap() {
    enable();
    const { photos, zip, left: others, bytes } = heap;
    const smaller = h("input", { type: "checkbox", id: "many-smaller" });
    smaller.checked = !zip && bytes > HEAVY_BYTES;
    heap.smaller = smaller;
    const bar = h("progress", { max: "1", value: "0", label: "many.sending", hidden: true });
    const facts = h("p", { class: "dim", role: "status" });
    heap.tell = (key, share) => {
      bar.hidden = false;
      bar.value = share;
      say(facts, key);
    };
    const title = zip
      ? ["many.zip", { name: zip.name, size: bytes }]
      : ["many.heap", { n: photos.length, size: bytes }];
    put(
      place,
      h(
        "section",
        { class: "card heap", label: "many.chosen" },
        h("h2", { t: title }),
        peek(photos.slice(0, PEEK)),
        others > 0 && h("p", { class: "dim", t: ["many.left", { n: others }] }),
        !zip &&
          h(
            "label",
            { class: "row", for: "many-smaller" },
            smaller,
            h("span", { t: "many.smaller" }),
          ),
        bar,
        facts,
        h(
          "div",
          { class: "row" },
          button({ class: "quiet", t: "cancel", on: { click: stop } }, "close"),
        ),
      ),
    );
    start.focus();
  }

  function stop() {
    sending?.abort();
    invite();
  }

  async function sendHeap() {
    const mine = heap;
    sending = new AbortController();
    const { signal } = sending;
    enable();
    try {
      if (mine.smaller.checked && !mine.zip) {
        const all = mine.photos.length;
        const told = (n) => mine.tell(["many.lessening", { n, all }], n / all);
        mine.photos = await lessen(mine.photos, told, signal);
      }
      const order = [...ordered(chosen), ["background", background], ...options.fields(background)];
      const told = (share) => mine.tell(["many.sent", { share }], share);
      told(0);
      const job = await send(order, mine, told, signal);
      remember({ ...job, name: mine.zip?.name ?? folderOf(mine.photos) });
      sending = null;
      heap = null;
      open(job.id);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) throw error;
      const off = error.code === "unknown_route";
      mine.tell(off ? "many.off" : ["problem.said", { text: `${error.message} ${error.hint}` }], 0);
    } finally {
      sending = null;
      enable();
    }
  }
}

/** The first photos, small; those that this browser cannot read are left out. */
function peek(photos) {
  const strip = h("div", { class: "peek", "aria-hidden": "true" });
  const draw = async () => {
    for (const { file } of photos) {
      const picture = await decode(file, { resizeHeight: PEEK_PX, resizeQuality: "medium" });
      if (!picture) continue;
      const [element, context] = canvas(picture.width, picture.height);
      context.drawImage(picture, 0, 0);
      picture.close();
      strip.append(element);
    }
  };
  draw();
  return strip;
}

function folderOf(photos) {
  const [first] = photos[0].name.split("/");
  return photos.every(({ name }) => name.startsWith(`${first}/`)) ? first : "";
}
