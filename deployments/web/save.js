// What one takes home: the photo, a sheet for print, every colour.

import { Problem } from "./api.js";
import { hex, NAMED } from "./colours.js";
import { ordered } from "./document.js";
import { button, download, h, put } from "./dom.js";
import { verdictLine } from "./findings.js";
import { announce, hide, show } from "./notice.js";
import { zip } from "./photos.js";

const SUFFIX = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp" };
const NOTICE_MS = 8000;

/**
 * The card: {element, show, busy, none}. `order` gives what is chosen at the time. While a photo is
 * made anew its buttons stay, so that whoever is on one with the keyboard stays there.
 */
export function saveCard(options, order) {
  let ready = null;
  let pending = null;
  const facts = h("p", { class: "dim facts" });
  const verdict = h("div", { class: "told" });
  const save = button(
    { class: "primary wide", t: "save.photo", on: { click: savePhoto } },
    "download",
  );
  const print = button({ class: "quiet", t: "save.sheet", on: { click: openSheet } }, "sheet");
  const colours = button(
    { class: "quiet", t: "save.colours", on: { click: saveColours } },
    "palette",
  );
  const buttons = [save, print, colours];
  const element = h(
    "section",
    { class: "card save", label: "save" },
    verdict,
    save,
    facts,
    h("div", { class: "row pair" }, print, colours),
    options,
  );
  enable(false);
  put(verdict, nothing());

  function nothing() {
    return h("p", { class: "dim", t: "save.none" });
  }

  function enable(on) {
    for (const each of buttons) each.disabled = !on;
    element.toggleAttribute("data-ready", on);
  }

  async function savePhoto() {
    // What was changed a moment ago is meant, too.
    for (let waited; waited !== pending;) await (waited = pending);
    if (!ready) return;
    download(ready.blob, `${fileName(ready)}.${SUFFIX[ready.media_type]}`);
    announce("saved");
  }

  async function openSheet() {
    const { sheetDialog } = await import("./sheet.js");
    sheetDialog(order());
  }

  async function saveColours() {
    const { source, document, background, nudge, options: fields } = order();
    const bad = new Set(document.forbidden_backgrounds.map(hex));
    const names = [...new Set([background, ...Object.keys(NAMED)])];
    const good = names.filter((name) => hex(name) && !bad.has(hex(name)));
    colours.disabled = true;
    try {
      const all = [...ordered(document), ...good.map((name) => ["background", name]), ...fields];
      download(await zip(source, all, nudge), `${document.id || "photo"}-colours.zip`);
      announce("saved");
    } catch (error) {
      if (error instanceof Problem) tell(error);
      else if (error.name !== "AbortError") throw error;
    } finally {
      colours.disabled = false;
    }
  }

  return {
    element,
    /** A new one is being made; `done` settles when it is there, or will not be. */
    busy(done) {
      pending = done.catch(() => {});
    },
    none() {
      ready = null;
      enable(false);
      put(facts);
      put(verdict, nothing());
    },
    show(photo) {
      ready = photo;
      for (const each of [print, colours]) each.hidden = Boolean(photo.private);
      put(verdict, verdictLine(photo.checks, "#findings"));
      enable(true);
      const [wpx, hpx] = photo.size_px;
      const dpi = photo.file?.dpi;
      const values = {
        kind: SUFFIX[photo.media_type].toUpperCase(),
        size: photo.blob.size,
        wpx,
        hpx,
        dpi,
      };
      put(facts, h("span", { t: [dpi ? "save.facts" : "save.facts.bare", values] }));
    },
  };
}

function tell(problem) {
  show("save", ["problem.said", { text: `${problem.message} ${problem.hint}` }]);
  setTimeout(() => hide("save"), NOTICE_MS);
}

function fileName(photo) {
  return [photo.document || "photo", photo.background.replace("#", "")].join("_");
}
