// What the service says about a finished photo, worst first.

import { h, icon, put } from "./dom.js";

const WORST_FIRST = ["fail", "warn", "pass"];
const ICONS = { fail: "fail", warn: "warn", pass: "check" };
const UNITS = { mm: "mm", "%": "%", px: "px", deg: "°", x: "×", kB: "kB", bytes: "B" };

/** The number of findings by result. */
export function counts(checks) {
  const found = { fail: 0, warn: 0, pass: 0 };
  for (const check of checks) found[check.result]++;
  return found;
}

/** The one sentence about all of them: a key and values. */
export function verdict(checks) {
  const { fail, warn } = counts(checks);
  if (fail) return ["findings.fail", { n: fail }];
  return warn ? ["findings.warn", { n: warn }] : ["findings.pass", { n: checks.length }];
}

/** The sentence with its sign, as a link to where the findings are told. */
export function verdictLine(checks, to) {
  const { fail, warn } = counts(checks);
  const worst = fail ? "fail" : warn ? "warn" : "pass";
  const text = h("strong", { t: verdict(checks) });
  return h("a", { class: `verdict ${worst}`, href: to }, icon(ICONS[worst]), text);
}

/** Shows the findings in the element: what is to be done first, what is well folded away. */
export function showFindings(element, checks) {
  const { pass } = counts(checks);
  const open = checks.filter((check) => check.result !== "pass").sort(byResult);
  const passed = checks.filter((check) => check.result === "pass");
  put(
    element,
    h("h2", { t: "findings" }),
    open.length > 0 && h("ul", { class: "findings" }, ...open.map(item)),
    pass > 0 &&
      h(
        "details",
        { class: "passed" },
        h("summary", { t: ["findings.passed", { n: pass }] }),
        h("ul", { class: "findings" }, ...passed.map(item)),
      ),
  );
}

function item(check) {
  const { result, title, hint } = check;
  return h(
    "li",
    { class: result },
    icon(ICONS[result]),
    h(
      "div",
      {},
      h("div", { class: "finding" }, h("span", { said: title }), measured(check)),
      hint && h("p", { said: hint }),
    ),
  );
}

function measured({ value, unit, min, max }) {
  if (value === null || !(unit in UNITS)) return null;
  const values = { v: value, unit: UNITS[unit], min, max };
  const kind = min !== null && max !== null ? "both" : min !== null ? "min" : "max";
  const limited = min !== null || max !== null;
  const key = limited ? `measured.${kind}` : "measured.bare";
  return h("span", { class: "measured", t: [key, values] });
}

function byResult(one, other) {
  return WORST_FIRST.indexOf(one.result) - WORST_FIRST.indexOf(other.result);
}
