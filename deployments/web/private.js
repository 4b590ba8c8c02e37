// The switch that keeps a photo on this device. What does the work is loaded once it is on.

import { h, say } from "./dom.js";
import { keep, recall } from "./kept.js";

/**
 * The card: {element, on, make}. `turned` is told when the switch was turned; `make` finishes a
 * photo here, with what photos.make answers.
 */
export function privateCard(turned) {
  const offered = Boolean(document.documentElement.dataset.preview);
  const wanted = recall("private", false) === true;
  const box = h("input", {
    type: "checkbox",
    id: "private",
    checked: offered && wanted,
    "aria-describedby": "private-note",
    on: {
      change: () => {
        keep("private", box.checked);
        told("private.on");
        turned();
      },
    },
  });
  const note = h("p", { class: "dim", id: "private-note" });
  const choice = h("div", { class: "row" }, box, h("label", { for: "private", t: "private" }));
  const element = h("section", { class: "card", id: "private-card" }, offered && choice, note);
  element.hidden = !offered && !wanted;
  told("private.on");

  function told(key) {
    say(note, !offered ? "private.gone" : box.checked ? key : "private.off");
    const privacy = document.querySelector("footer span");
    if (privacy) say(privacy, box.checked ? "private.privacy" : "privacy");
  }

  return {
    element,
    on: () => offered && box.checked,
    async make(...order) {
      told("private.loading");
      try {
        const { make } = await import("./preview/client.js");
        return await make(...order);
      } finally {
        told("private.on");
      }
    },
  };
}
