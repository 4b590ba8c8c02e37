// What the page tells beside its work: notices that stay until they are over, and, to those who
// cannot see it, what has just happened.

import { h, put, say } from "./dom.js";

const shown = new Map();

/** Shows the notice, or changes what it says. */
export function show(name, key, ...buttons) {
  let notice = shown.get(name);
  if (!notice) {
    notice = h("div", { class: "notice", role: "status" }, h("span", { t: key }), ...buttons);
    shown.set(name, notice);
    document.getElementById("notices").append(notice);
  } else {
    say(notice.firstChild, key);
  }
}

/** Takes the notice away. */
export function hide(name) {
  shown.get(name)?.remove();
  shown.delete(name);
}

/** Tells a screen reader; the same words twice are told twice. */
export function announce(key) {
  put(document.getElementById("status"), h("span", { t: key }));
}
