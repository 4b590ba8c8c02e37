// The colour behind the person: swatches, any colour, or none.

import { h, put, say } from "./dom.js";

export const NAMED = {
  white: "#ffffff",
  "light-grey": "#e5e5e5",
  cream: "#faf5e6",
  "light-blue": "#adceeb",
  blue: "#438edb",
  "dark-blue": "#1e468c",
  red: "#ff0000",
};
export const TRANSPARENT = "transparent";
const FIRST_OWN = "#b8d8c0";
let cards = 0;

/** The colour as a browser's: #rrggbb, or null where it is transparent. */
export function hex(background) {
  if (background === TRANSPARENT) return null;
  return NAMED[background] ?? background;
}

/** Radio buttons of colours: {element, show}. `show` takes the document and what is chosen. */
export function colourCard(take) {
  // Radio buttons of one name are one group, and a page may have several cards.
  const group = `background-${++cards}`;
  const swatches = h("div", { class: "swatches" });
  const hint = h("p", { class: "dim colour-hint" });
  const element = h(
    "div",
    { class: "card colours", role: "radiogroup", label: "background" },
    h("h2", { t: "background" }),
    swatches,
    hint,
  );
  const own = h("input", {
    type: "color",
    value: FIRST_OWN,
    label: "colour.any",
    on: { change: () => take(own.value) },
  });
  return {
    element,
    show(document, background) {
      const usual = document.background;
      const names = [...new Set([usual, ...Object.keys(NAMED), TRANSPARENT])];
      const chosenOwn = !names.includes(background);
      if (chosenOwn) own.value = background;
      put(
        swatches,
        ...names.map((name) => swatch(group, name, name === background, () => take(name))),
        h("label", { class: `swatch any${chosenOwn ? " chosen" : ""}`, title: "colour.any" }, own),
      );
      const bad = document.forbidden_backgrounds.some((name) => hex(name) === hex(background));
      const name = background in NAMED || background === TRANSPARENT;
      const said = name ? { c: `colour.${background}` } : { c: "colour.any" };
      say(
        hint,
        bad ? "colour.forbidden" : [background === usual ? "colour.usual" : "colour.other", said],
      );
      hint.classList.toggle("bad", bad);
    },
  };
}

function swatch(group, name, chosen, take) {
  const colour = hex(name);
  const known = name in NAMED || name === TRANSPARENT;
  const input = h("input", {
    type: "radio",
    name: group,
    value: name,
    class: "hidden",
    ...(known ? { label: `colour.${name}` } : { "aria-label": name }),
    on: { change: take },
  });
  input.checked = chosen;
  const paint = h("span", {
    class: colour ? "paint" : "paint none",
    style: { "--paint": colour ?? "#fff" },
  });
  return h(
    "label",
    { class: "swatch", ...(known ? { title: `colour.${name}` } : {}) },
    input,
    paint,
  );
}
