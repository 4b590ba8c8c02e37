// The document that the photo is for: a card, and a dialog with the search.

import { askJson, Problem } from "./api.js";
import { button, h, icon, put } from "./dom.js";
import { countryName, language } from "./i18n.js";
import { keep, recall } from "./kept.js";
import { showRule, sizeText } from "./rule.js";

const COMMON = {
  en: ["us-passport", "us-visa", "uk-passport", "schengen-visa", "icao-portrait", "cn-visa"],
  zh: ["cn-1-inch", "cn-2-inch", "cn-small-2-inch", "cn-id-card", "cn-passport", "us-visa"],
};
const FIRST = { en: "us-passport", zh: "cn-1-inch" };
const RECENT = 4;
const PAUSE_MS = 160;
let all = null;

/** The document of the last visit, else a common one. */
export async function firstDocument(signal) {
  const [last] = recall("documents", []);
  try {
    return await askJson(`v1/documents/${last ?? FIRST[language]}`, { signal });
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status !== 404) throw problem;
    return askJson(`v1/documents/${FIRST[language]}`, { signal });
  }
}

/** A card that shows the document and lets one choose another: {element, show}. */
export function documentCard(take) {
  const chip = h("span", { class: "chip" });
  const name = h("strong", {});
  const size = h("span", { class: "dim" });
  const rule = h("div", { class: "rule-box" });
  const opener = h(
    "button",
    { type: "button", class: "choice", on: { click: () => choose().then((d) => d && take(d)) } },
    chip,
    h("span", { class: "two-lines" }, name, size),
    h("span", { class: "change", t: "document.change" }),
  );
  const element = h(
    "section",
    { class: "card document" },
    h("h2", { t: "document" }),
    opener,
    rule,
  );
  return {
    element,
    show(document) {
      put(chip, sign(document));
      put(name, title(document));
      put(size, h("span", { t: sizeText(document) }));
      showRule(rule, document);
    },
  };
}

/** The fields of an order that name the document. */
export function ordered(document) {
  return document.id ? [["document", document.id]] : [["size_mm", document.size_mm.join("x")]];
}

/** Opens the dialog. Answers the document, or null. */
export async function choose() {
  let close;
  const closed = new Promise((resolve) => (close = resolve));
  const list = h("ul", { class: "documents" });
  const none = h("p", { class: "dim", role: "status" });
  const search = h("input", {
    type: "search",
    id: "document-search",
    placeholder: "document.search",
    label: "document.search",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "100",
  });
  const box = h(
    "dialog",
    { class: "tall", "aria-labelledby": "document-title" },
    h(
      "div",
      { class: "row" },
      h("h2", { id: "document-title", t: "document.choose" }),
      button({ class: "plain round", label: "close", on: { click: () => box.close() } }, "close"),
    ),
    h("div", { class: "search" }, icon("search"), search),
    none,
    list,
    ownSize((document) => take(document)),
  );
  const take = (document) => {
    if (document.id) {
      const earlier = recall("documents", []).filter((id) => id !== document.id);
      keep("documents", [document.id, ...earlier].slice(0, RECENT));
    }
    close(document);
    box.close();
  };
  box.addEventListener("close", () => {
    box.remove();
    close(null);
  });
  box.addEventListener("keydown", (event) => walk(event, search, list));
  document.body.append(box);
  box.showModal();
  search.focus();
  let asked = 0;
  let timer;
  const look = async () => {
    const mine = ++asked;
    const words = search.value.trim();
    try {
      const found = await (words ? matching(words) : everything());
      if (mine === asked) showFound(list, none, found, words, take);
    } catch (error) {
      if (mine !== asked) return;
      if (error instanceof Problem) none.textContent = error.message;
      else box.close();
    }
  };
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  look();
  return closed;
}

function matching(words) {
  return askJson(`v1/documents?${new URLSearchParams({ q: words })}`);
}

async function everything() {
  all ??= await askJson("v1/documents");
  return all;
}

function showFound(list, none, found, words, take) {
  const groups = words ? [["", found]] : grouped(found);
  const rows = groups.flatMap(([key, documents]) => [
    key && documents.length && h("li", { class: "group", t: key }),
    ...documents.map((each) => row(each, take)),
  ]);
  put(list, ...rows);
  put(
    none,
    h("span", { t: found.length ? ["document.found", { n: found.length }] : "document.none" }),
  );
}

function grouped(found) {
  const byId = new Map(found.map((each) => [each.id, each]));
  const named = (ids) => ids.map((id) => byId.get(id)).filter(Boolean);
  const recent = named(recall("documents", []));
  const common = named(COMMON[language]).filter((each) => !recent.includes(each));
  const order = new Intl.Collator(language);
  const place = (each) => countryName(each.country) || "~";
  const others = [...found].sort((a, b) => order.compare(place(a), place(b)));
  return [
    ["document.recent", recent],
    ["document.common", common],
    ["document.all", others],
  ];
}

function row(document, take) {
  const country = countryName(document.country);
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: "choice",
        "data-id": document.id,
        on: { click: () => take(document) },
      },
      h("span", { class: "chip" }, sign(document)),
      h(
        "span",
        { class: "two-lines" },
        title(document),
        h(
          "span",
          { class: "dim" },
          country && `${country} · `,
          h("span", { t: sizeText(document) }),
        ),
      ),
    ),
  );
}

function ownSize(take) {
  const field = (id, key, value) => [
    h("label", { for: id, class: "hidden", t: key }),
    h("input", { id, type: "number", min: "10", max: "300", step: "0.1", value, required: true }),
  ];
  const [widthLabel, width] = field("own-width", "size.width", "35");
  const [heightLabel, height] = field("own-height", "size.height", "45");
  const form = h(
    "form",
    { class: "row own-size" },
    h("span", { t: "size.own" }),
    widthLabel,
    width,
    h("span", { text: "×", "aria-hidden": "true" }),
    heightLabel,
    height,
    h("span", { t: "unit.mm" }),
    h("button", { class: "quiet", t: "size.use" }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const size_mm = [Number(width.value), Number(height.value)];
    take({ id: "", size_mm, country: "", background: "white", forbidden_backgrounds: [] });
  });
  return form;
}

function title(document) {
  if (!document.id) return h("span", { t: "size.own" });
  return h("span", { said: { en: document.name_en, zh: document.name_zh } });
}

function sign(document) {
  if (document.country) return document.country.toUpperCase();
  return icon(document.id ? "person" : "lines");
}

function walk(event, search, list) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const stops = [search, ...list.querySelectorAll("button")];
  const here = stops.indexOf(document.activeElement);
  if (here < 0) return;
  stops[Math.max(0, Math.min(stops.length - 1, here + step))].focus();
  event.preventDefault();
}
