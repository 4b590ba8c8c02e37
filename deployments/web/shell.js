// The frame of the page: its two views and its language.

import { language, speak, t } from "./i18n.js";
import { announce } from "./notice.js";

const OTHER = { en: ["zh", "中文"], zh: ["en", "English"] };
let begun = false;

/** Shows the view that the address names, now and whenever it changes. */
export function begin() {
  const choice = document.getElementById("language");
  choice.addEventListener("click", () => speak(OTHER[language][0], true));
  document.addEventListener("language", () => label(choice));
  label(choice);
  addEventListener("hashchange", () => {
    // Links within a view lead to no other one.
    if (/^#(one|many)/.test(location.hash) || !location.hash) turn(true);
  });
  turn(false);
}

function label(choice) {
  const [name, own] = OTHER[language];
  choice.lang = name;
  choice.textContent = own;
  document.title = t("brand");
}

async function turn(moved) {
  const many = location.hash.startsWith("#many");
  for (const name of ["one", "many"]) {
    const here = (name === "many") === many;
    document.getElementById(name).hidden = !here;
    const link = document.querySelector(`nav a[data-view=${name}]`);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (moved) announce(many ? "nav.many" : "nav.one");
  if (many && !begun) {
    begun = true;
    const { begin: beginMany } = await import("./many.js");
    beginMany(document.getElementById("many"));
  }
}
