// The crop that a document's rule asks for: pipeline/geometry.py. Documents are as GET
// /v1/documents gives them.

import { apply, similarity } from "./affine.js";
import { estimateHead } from "./head.js";

const CROWN_MOST = 1.7;
const [FREE_LEAST, FREE_MOST, FREE_SHARE] = [0.03, 0.25, 0.36];
const INSIDE = 1.01;
const TRIES = 6;

/** Output pixels per photo pixel of this document's crop, about. */
export function neededScale(head, document) {
  return (document.head_height.target * document.size_px[1]) / head.height;
}

/** The box of the photo that no crop of the document leaves, whatever the matte will show. */
export function reach(head, document, [widthPx, heightPx]) {
  const tallest = head.chin + head.crown * CROWN_MOST;
  const tilt = Math.sin((Math.min(Math.abs(head.rollDeg), 90) * Math.PI) / 180);
  const height = tallest / document.head_height.min;
  const half = (0.5 * height * document.size_px[0]) / document.size_px[1];
  const most = 0.8 * height;
  const [along, aside] = [most + tilt * half, half + tilt * most];
  const [x, y] = head.eyes;
  return [
    Math.max(0, x - aside),
    Math.max(0, y - along),
    Math.min(widthPx, x + aside),
    Math.min(heightPx, y + along),
  ];
}

/** The crop: {matrix, width, height, scale}. */
export function planCrop(face, head, document, [, photoHeight]) {
  const crown = crownOf(face, head, document);
  const [width, height] = document.size_px;
  const roll = (head.rollDeg * Math.PI) / 180;
  const below = (photoHeight - head.eyes[1]) / Math.cos(roll);
  const slant = (Math.abs(Math.tan(roll)) * width) / 2;
  const place = (headHeight) => {
    const scale = (headHeight * height) / (crown + head.chin);
    const highest = height + slant - below * scale;
    const [low, wanted, high] = eyeRows(document, headHeight, crown * scale);
    const row = Math.min(Math.max(wanted, highest, low), high);
    return { scale, row, reaches: row >= highest };
  };
  const least = wantedHeight(face, crown + head.chin, document);
  const most = Math.max(least, document.head_height.max / INSIDE);
  const tries = Array.from({ length: TRIES }, (_, at) =>
    place(least + ((most - least) * at) / (TRIES - 1)),
  );
  const { scale, row } = tries.find(({ reaches }) => reaches) ?? tries[0];
  const matrix = similarity(head.eyes, [width / 2, row], scale, head.rollDeg);
  return { matrix, width, height, scale };
}

/** Where the head comes to lie, as shares of the picture's height; `faceWidth` of its width. */
export function placeIn(plan, face, head, document) {
  const crown = crownOf(face, head, document) * plan.scale;
  const [, row] = apply(plan.matrix, head.eyes);
  const wide = face.cheeks && between(face.cheeks) * plan.scale;
  return {
    headHeight: (crown + head.chin * plan.scale) / plan.height,
    eyeLine: 1 - row / plan.height,
    topMargin: (row - crown) / plan.height,
    faceWidth: wide && wide / plan.width,
  };
}

function crownOf(face, head, document) {
  if (document.crown === "hair") return head.crown;
  return Math.min(head.crown, estimateHead(face).crown);
}

function wantedHeight(face, headPx, { head_height: bounds, face_width: widths, size_px }) {
  if (!widths || !face.cheeks) return bounds.target;
  // Share of the width that the face takes, per share of the height that the head takes.
  const wide = ((between(face.cheeks) / headPx) * size_px[1]) / size_px[0];
  const least = (INSIDE * widths.min) / wide;
  const lawful = Math.min(Math.max(bounds.target, least), widths.max / wide / INSIDE);
  return Math.min(Math.max(lawful, INSIDE * bounds.min), bounds.max / INSIDE);
}

/** Lowest, wanted and highest permitted row of the eye line, from the top. */
function eyeRows(document, headHeight, crown) {
  const height = document.size_px[1];
  const { top_margin: own, eye_line_from_bottom: line } = document;
  const free = Math.min(Math.max((1 - headHeight) * FREE_SHARE, FREE_LEAST), FREE_MOST);
  const margin = own ?? { min: FREE_LEAST, target: free, max: FREE_MOST };
  const row = (share) => share * height + crown;
  let [low, wanted, high] = [row(margin.min), row(margin.target), row(margin.max)];
  if (!line) return [low, wanted, high];
  const [eyeLow, eyeHigh] = [height * (1 - line.max), height * (1 - line.min)];
  if (!own) wanted = height * (1 - line.target);
  wanted = Math.min(Math.max(wanted, low), high);
  return [low, wanted, high].map((each) => Math.min(Math.max(each, eyeLow), eyeHigh));
}

function between([[x0, y0], [x1, y1]]) {
  return Math.hypot(x1 - x0, y1 - y0);
}
