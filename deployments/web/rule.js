// A document's rule: as a drawing, and in words.

import { h, put, s } from "./dom.js";

const WIDTH = 166;
const MARGIN = { left: 8, right: 74, top: 16, bottom: 8 };

/** "51 x 51 mm", "600 x 600 px", and the like. */
export function sizeText(document) {
  const [w, h] = document.size_mm;
  if (!document.size_px) return ["size.mm", { w, h }];
  return ["size.both", { w, h, wpx: document.size_px[0], hpx: document.size_px[1] }];
}

/** Shows the rule in the element; nothing for a free size, which has none of its own. */
export function showRule(element, document) {
  if (!document.head_height) return put(element);
  put(element, drawing(document), h("ul", { class: "rule-text" }, ...lines(document)));
}

function lines(document) {
  const found = [["rule.head", span(document.head_height)]];
  if (document.eye_line_from_bottom) found.push(["rule.eyes", span(document.eye_line_from_bottom)]);
  if (document.top_margin) found.push(["rule.top", span(document.top_margin)]);
  if (document.face_width) found.push(["rule.face", span(document.face_width)]);
  if (document.bytes_limit) {
    const [min, max] = document.bytes_limit;
    found.push(min > 1 ? ["rule.bytes", { min, max }] : ["rule.bytes.max", { max }]);
  }
  const items = found.map((key) => h("li", { t: key }));
  const doubt = document.derived ? "rule.derived" : document.head_derived && "rule.head_derived";
  if (doubt) items.push(h("li", { class: "dim", t: doubt }));
  return items;
}

function span({ min_mm, max_mm }) {
  return { min: min_mm, max: max_mm };
}

function drawing(document) {
  const [widthMm, heightMm] = document.size_mm;
  const scale = Math.min((WIDTH - MARGIN.left - MARGIN.right) / widthMm, 96 / heightMm);
  const [w, high] = [widthMm * scale, heightMm * scale];
  const [x, y] = [MARGIN.left, MARGIN.top];
  const head = document.head_height.target * high;
  const eyes = document.eye_line_from_bottom
    ? (1 - document.eye_line_from_bottom.target) * high
    : document.top_margin
      ? document.top_margin.target * high + head * 0.5
      : (high - head) * 0.38 + head * 0.5;
  const crown = document.top_margin ? document.top_margin.target * high : eyes - head * 0.51;
  const chin = crown + head;
  const middle = x + w / 2;
  const edge = x + w;
  const mark = (at) => `M${edge + 3} ${y + at}h7`;
  const label = (at, key) =>
    s("text", { x: edge + 14, y: y + at + 3, class: "rule-label", t: key });
  const low = high - chin;
  const bust = [
    `M${x} ${y + high}c0 ${low * -0.55} ${w * 0.12} ${low * -0.7} ${w * 0.5} ${low * -0.72}`,
    `s${w * 0.5} ${low * 0.2} ${w * 0.5} ${low * 0.72}z`,
  ].join("");
  const picture = s(
    "svg",
    {
      class: "rule",
      viewBox: `0 0 ${WIDTH} ${high + MARGIN.top + MARGIN.bottom}`,
      "aria-hidden": "true",
    },
    s("rect", { x, y, width: w, height: high, rx: 2, class: "rule-paper" }),
    s("path", { d: bust, class: "rule-body" }),
    s("rect", {
      x: middle - head * 0.14,
      y: y + chin - head * 0.18,
      width: head * 0.28,
      height: head * 0.34,
      class: "rule-body",
    }),
    s("ellipse", {
      cx: middle,
      cy: y + crown + head / 2,
      rx: head * 0.37,
      ry: head / 2,
      class: "rule-head",
    }),
    s("path", { d: `M${x} ${y + eyes}H${edge}`, class: "rule-eyes" }),
    s("path", {
      d: `${mark(crown)}${mark(chin)}M${edge + 8} ${y + crown}V${y + chin}`,
      class: "rule-mark",
    }),
    label((crown + chin) / 2, ["mm", span(document.head_height)]),
    s("text", { x: middle, y: y - 5, class: "rule-label middle", t: ["mm.one", { v: widthMm }] }),
  );
  return picture;
}
