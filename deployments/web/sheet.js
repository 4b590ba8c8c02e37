// A sheet for print: chosen in a dialog that shows what will come out.

import { Problem } from "./api.js";
import { TRANSPARENT } from "./colours.js";
import { ordered } from "./document.js";
import { button, download, h, put, say } from "./dom.js";
import { keep, recall } from "./kept.js";
import { announce } from "./notice.js";
import { sheet } from "./photos.js";

const PAPERS = ["4r", "3r", "5r", "a6", "a5", "a4", "letter"];
const CUTS = ["marks", "hairlines", "none"];
const FORMATS = ["pdf", "jpeg", "png"];
const PAUSE_MS = 300;

/** Opens the dialog for an order as studio.js gives it. */
export function sheetDialog(order) {
  const kept = recall("sheet", {});
  const paper = choice("sheet-paper", PAPERS, kept.paper, (name) => `paper.${name}`);
  const cut = choice("sheet-cut", CUTS, kept.cut, (name) => `cut.${name}`);
  const format = choice("sheet-format", FORMATS, kept.format, (name) => `format.${name}`);
  const count = h("input", {
    id: "sheet-count",
    type: "number",
    min: "1",
    max: "200",
    inputmode: "numeric",
    placeholder: "sheet.full",
  });
  const picture = h("img", { alt: "", class: "sheet-picture" });
  const about = h("p", { class: "dim", role: "status" });
  const save = button(
    { class: "primary wide", t: "save.sheet.now", on: { click: saveSheet } },
    "download",
  );
  const box = h(
    "dialog",
    { class: "wide", "aria-labelledby": "sheet-title" },
    h(
      "div",
      { class: "row" },
      h("h2", { id: "sheet-title", t: "sheet" }),
      button({ class: "plain round", label: "close", on: { click: () => box.close() } }, "close"),
    ),
    h(
      "div",
      { class: "sheet" },
      h("div", { class: "sheet-view" }, picture),
      h(
        "div",
        { class: "stack" },
        ...field(paper, "sheet.paper"),
        ...field(count, "sheet.count"),
        ...field(cut, "sheet.cut"),
        ...field(format, "sheet.format"),
        about,
        save,
        h("p", { class: "dim small-text", t: "sheet.hint" }),
      ),
    ),
  );
  let working = null;
  let timer;
  let shown = null;
  for (const input of [paper, cut, format]) input.addEventListener("change", preview);
  count.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(preview, PAUSE_MS);
  });
  box.addEventListener("close", () => {
    working?.abort();
    if (picture.src) URL.revokeObjectURL(picture.src);
    box.remove();
  });
  document.body.append(box);
  box.showModal();
  preview();

  function fields(kind) {
    // Paper is opaque.
    const ground = order.background === TRANSPARENT ? "white" : order.background;
    const found = [
      ["background", ground],
      ["paper", paper.value],
      ["cut", cut.value],
      ["format", kind],
    ];
    if (count.value && count.checkValidity()) found.push(["count", count.value]);
    const quality = order.options.filter(([name]) => name === "quality");
    return [...ordered(order.document), ...found, ...quality];
  }

  async function preview() {
    keep("sheet", { paper: paper.value, cut: cut.value, format: format.value });
    // A PDF cannot be shown in the page, and holds the same picture.
    const kind = format.value === "pdf" ? "jpeg" : format.value;
    const made = await fetched(kind);
    if (!made) return;
    shown = { ...made, key: JSON.stringify(fields(format.value)) };
    if (picture.src) URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(made.blob);
    say(about, ["sheet.holds", { n: made.count }]);
    save.disabled = false;
  }

  async function fetched(kind) {
    working?.abort();
    working = new AbortController();
    const { signal } = working;
    save.disabled = true;
    box.toggleAttribute("data-busy", true);
    try {
      return await sheet(order.source, fields(kind), order.nudge, signal);
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return null;
      if (!(error instanceof Problem)) throw error;
      put(about, h("span", { class: "bad", text: `${error.message} ${error.hint}` }));
      return null;
    } finally {
      if (!signal.aborted) box.removeAttribute("data-busy");
    }
  }

  async function saveSheet() {
    const same = format.value !== "pdf" && shown?.key === JSON.stringify(fields(format.value));
    const made = same ? shown : await fetched(format.value);
    if (!made) return;
    const ending = { pdf: "pdf", jpeg: "jpg", png: "png" }[format.value];
    download(made.blob, `${order.document.id || "photo"}_${paper.value}.${ending}`);
    save.disabled = false;
    announce("saved");
  }
}

function choice(id, values, chosen, key) {
  const options = values.map((value) => h("option", { value, t: key(value) }));
  const element = h("select", { id }, ...options);
  if (values.includes(chosen)) element.value = chosen;
  return element;
}

function field(input, key) {
  return [h("label", { for: input.id, t: key }), input];
}
