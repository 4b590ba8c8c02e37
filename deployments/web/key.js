// The API key, where the service asks for one: asked once, and kept in memory alone.

import { button, h } from "./dom.js";

let known = null;
let asking = null;

/** The key, or null. */
export function key() {
  return known;
}

/** Asks the person for the key. All that wait for it are told at once. */
export function askKey(wrong, signal) {
  asking ??= dialog(wrong).finally(() => (asking = null));
  return asking.then((given) => {
    if (given === null || signal?.aborted) throw new DOMException("no key", "AbortError");
  });
}

function dialog(wrong) {
  return new Promise((resolve) => {
    const input = h("input", {
      id: "key",
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      required: true,
      "aria-describedby": "key-hint",
    });
    const form = h(
      "form",
      { method: "dialog", class: "stack" },
      h("h2", { t: "key.title" }),
      wrong && h("p", { class: "bad", role: "alert", t: "key.wrong" }),
      h("label", { for: "key", t: "key.label" }),
      input,
      h("p", { id: "key-hint", class: "dim", t: "key.hint" }),
      h(
        "div",
        { class: "row end" },
        button({ class: "plain", t: "cancel", on: { click: () => end(null) } }),
        h("button", { class: "primary", t: "key.use" }),
      ),
    );
    const box = h("dialog", { class: "small", "aria-labelledby": "key-title" }, form);
    form.querySelector("h2").id = "key-title";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      end(input.value.trim() || null);
    });
    box.addEventListener("cancel", () => end(null));
    document.body.append(box);
    box.showModal();

    function end(given) {
      known = given;
      box.remove();
      resolve(given);
    }
  });
}
