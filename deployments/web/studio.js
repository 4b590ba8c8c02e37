// One photo: what is chosen flows to the service, what it answers to the stage and the cards.

import { Problem } from "./api.js";
import { colourCard } from "./colours.js";
import { documentCard, firstDocument, ordered } from "./document.js";
import { button, h } from "./dom.js";
import { showFindings, verdict } from "./findings.js";
import { announce } from "./notice.js";
import { optionList } from "./options.js";
import { make, STRAIGHT } from "./photos.js";
import { decode, shrink } from "./pictures.js";
import { privateCard } from "./private.js";
import { saveCard } from "./save.js";
import { catchPhotos, handOver } from "./source.js";
import { buildStage } from "./stage.js";

// Larger uploads take longer than making them smaller; the service needs no more pixels.
const LARGE_BYTES = 6e6;
const LARGE_PX = 3000;
const SMALLEST_PX = 1800;
const TOO_LARGE = new Set(["body_too_large", "too_many_pixels", "upload_too_slow", "cut_off"]);
const NUDGE_PAUSE_MS = 180;

/** Builds the view in its section. */
export function begin(view) {
  let source = null;
  let chosen = null;
  let background = "white";
  let nudge = STRAIGHT;
  let working = null;
  let problem = null;
  let timer;

  const stage = buildStage({ take, move, again: () => (chosen ? work() : load()) });
  const documents = documentCard(chooseDocument);
  const colours = colourCard(chooseBackground);
  const options = optionList("one", () => work());
  const here = privateCard(forget);
  const findings = h("section", {
    class: "card report",
    id: "findings",
    tabindex: "-1",
    hidden: true,
    label: "findings",
  });
  const save = saveCard(options.element, order);
  const cards = [documents, colours, save, here].map((card) => card.element);
  const panel = h("div", { class: "panel" }, ...cards);
  view.append(h("div", { class: "studio" }, stage.element, panel, findings));
  stage.empty();
  catchPhotos(view, (files) => {
    if (files.length > 1 && !here.on()) handOver(files);
    else if (files[0]) take(files[0]);
  });
  // The texts of problems come in one language.
  document.addEventListener("language", () => problem && work());
  load();

  function load() {
    firstDocument().then(
      (found) => chosen ?? chooseDocument(found),
      (error) => stage.trouble(error instanceof Problem ? error : null, null),
    );
  }

  /** Where the photo goes is another place now: nobody's is sent, or kept back, unasked. */
  function forget() {
    clearTimeout(timer);
    working?.abort();
    if (source?.url) URL.revokeObjectURL(source.url);
    source = problem = null;
    nudge = STRAIGHT;
    findings.hidden = true;
    save.none();
    stage.empty();
  }

  function order() {
    return { source, document: chosen, background, nudge, options: options.fields(background) };
  }

  function chooseDocument(document) {
    chosen = document;
    background = document.background;
    nudge = STRAIGHT;
    documents.show(chosen);
    colours.show(chosen, background);
    work();
  }

  function chooseBackground(colour) {
    background = colour;
    colours.show(chosen, background);
    panel.querySelector(".swatch input:checked, .swatch.chosen input")?.focus();
    work();
  }

  function move(change) {
    if (here.on()) return;
    const next = change(nudge);
    if (JSON.stringify(next) === JSON.stringify(nudge)) return;
    nudge = next;
    clearTimeout(timer);
    timer = setTimeout(work, NUDGE_PAUSE_MS);
  }

  async function take(blob, shrunk = false) {
    if (source?.url) URL.revokeObjectURL(source.url);
    const name = blob.name ?? "photo.jpg";
    source = { blob, name, token: null, url: null, shrunk };
    nudge = STRAIGHT;
    const mine = source;
    findings.hidden = true;
    stage.busy(null, true);
    if (!here.on() && !shrunk && blob.size > LARGE_BYTES) await lessen(mine, LARGE_PX);
    const picture = await decode(mine.blob);
    if (source !== mine) return;
    if (picture) {
      picture.close();
      mine.url = URL.createObjectURL(mine.blob);
    }
    work();
  }

  async function lessen(which, longestPx) {
    const smaller = await shrink(which.blob, longestPx);
    which.shrunk = true;
    if (!smaller) return false;
    Object.assign(which, { blob: smaller, name: `${which.name}.jpg`, token: null });
    return true;
  }

  function work() {
    const done = remake();
    save.busy(done);
    return done;
  }

  async function remake() {
    clearTimeout(timer);
    working?.abort();
    if (!source || !chosen) return;
    working = new AbortController();
    const { signal } = working;
    const [mine, of, wanted] = [source, chosen, background];
    problem = null;
    stage.busy(mine.url);
    try {
      const chosenFile = options.fields(wanted);
      const fields = [...ordered(of), ["background", wanted], ...chosenFile];
      const photo = here.on()
        ? await here.make(mine, of, wanted, chosenFile, signal)
        : await make(mine, fields, nudge, signal);
      if (signal.aborted) return;
      // What the service could do of it: a limit of its own may have held it back.
      if (photo.nudge) nudge = { ...STRAIGHT, ...pick(photo.nudge) };
      await stage.done(photo, mine, of, wanted);
      if (signal.aborted) return;
      showFindings(findings, photo.checks);
      findings.hidden = false;
      save.show(photo, of);
      announce(verdict(photo.checks));
    } catch (error) {
      if (signal.aborted) return;
      await failed(error, mine);
    }
  }

  async function failed(error, mine) {
    findings.hidden = true;
    save.none();
    if (error.name === "AbortError") return stage.trouble(null, mine.url);
    if (!(error instanceof Problem)) throw error;
    if (TOO_LARGE.has(error.code) && (await lessen(mine, mine.shrunk ? SMALLEST_PX : LARGE_PX))) {
      return work();
    }
    problem = error;
    const several = error.code === "several_faces" && mine.url;
    const one =
      several && button({ class: "primary", t: "crop.one", on: { click: chooseFace } }, "person");
    stage.trouble(error, mine.url, ...(one ? [one] : []));
  }

  async function chooseFace() {
    const { chooseOne } = await import("./crop.js");
    const part = await chooseOne(source);
    if (part) take(part, true);
  }
}

function pick(applied) {
  const known = Object.keys(STRAIGHT).filter((name) => typeof applied[name] === "number");
  return Object.fromEntries(known.map((name) => [name, applied[name]]));
}
