// The file's options: kind, bytes and quality of the cut-out.

import { h } from "./dom.js";
import { TRANSPARENT } from "./colours.js";

const PAUSE_MS = 500;

/**
 * A folded list of options: {element, fields}. `fields` are those of an order; `view` tells the
 * lists of one page apart.
 */
export function optionList(view, changed) {
  const kind = h(
    "select",
    { id: `${view}-format`, on: { change: changed } },
    ...["jpeg", "png", "webp"].map((value) => h("option", { value, text: value.toUpperCase() })),
  );
  let timer;
  const most = h("input", {
    id: `${view}-kb`,
    type: "number",
    min: "1",
    max: "100000",
    inputmode: "numeric",
    placeholder: "option.kb.none",
    on: {
      input: () => {
        clearTimeout(timer);
        if (most.checkValidity()) timer = setTimeout(changed, PAUSE_MS);
      },
    },
  });
  const fast = h("input", { id: `${view}-fast`, type: "checkbox", on: { change: changed } });
  const element = h(
    "details",
    { class: "options" },
    h("summary", { t: "options" }),
    h(
      "div",
      { class: "grid" },
      h("label", { for: `${view}-format`, t: "option.format" }),
      kind,
      h("label", { for: `${view}-kb`, t: "option.kb" }),
      h("span", { class: "row" }, most, h("span", { t: "unit.kb" })),
      h("label", { for: `${view}-fast`, t: "option.fast" }),
      fast,
    ),
  );
  return {
    element,
    fields(background) {
      const found = [];
      // JPEG knows no transparency: the service then makes a PNG by itself.
      if (!(background === TRANSPARENT && kind.value === "jpeg"))
        found.push(["format", kind.value]);
      if (most.value && most.checkValidity()) found.push(["max_kb", most.value]);
      if (fast.checked) found.push(["quality", "fast"]);
      return found;
    },
  };
}
