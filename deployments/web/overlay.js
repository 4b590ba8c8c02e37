// Lines over the finished photo: crown, eyes and chin, and where the rule allows them.

import { hex } from "./colours.js";
import { h, put } from "./dom.js";
import { canvas, decode } from "./pictures.js";

// A skull is so many times as high above the eyes as the chin is below them (ARCHITECTURE.md).
const SKULL = 1.05;
const DIFFERENT = 24;
const REACHED = 0.2;
const HEAD_PER_HEIGHT = 0.35;

/** Shows the lines in the element. `photo` is as photos.make gives it. */
export async function showLines(element, photo, document) {
  const heights = await placed(photo, document);
  const height = document.size_mm[1];
  const lines = [];
  const eyeRule = document.eye_line_from_bottom;
  if (eyeRule) {
    const [top, bottom] = [1 - eyeRule.max, 1 - eyeRule.min];
    lines.push(h("div", { class: "band", style: { "--y": top, "--h": bottom - top } }));
  }
  for (const name of ["crown", "eyes", "chin"]) {
    if (heights[name] === undefined) continue;
    const label = h("span", { t: `line.${name}` });
    lines.push(h("div", { class: `line ${name}`, style: { "--y": heights[name] } }, label));
  }
  if (heights.chin !== undefined) {
    const [y, share] = [heights.crown, heights.chin - heights.crown];
    const mm = { v: Math.round(share * height * 10) / 10 };
    const label = h("span", { t: ["mm.one", mm] });
    lines.push(h("div", { class: "bracket", style: { "--y": y, "--h": share } }, label));
  }
  put(element, ...lines);
}

/** Crown, eyes and chin from the top edge, as shares of the height; what is not known is absent. */
async function placed(photo, document) {
  const height = document.size_mm[1];
  const of = (code) => photo.checks.find((check) => check.code === code)?.value / height;
  const [head, eyes, top] = [of("head_height"), 1 - of("eye_line"), of("top_margin")];
  const found = {};
  if (eyes > 0) found.eyes = eyes;
  if (!(head > 0)) return found;
  if (top >= 0) found.crown = top;
  else if (document.crown === "hair") found.crown = await crownOf(photo);
  else if (eyes > 0) found.crown = eyes - (head * SKULL) / (1 + SKULL);
  if (found.crown === undefined || !(found.crown >= 0)) return { eyes: found.eyes };
  return { ...found, chin: found.crown + head };
}

/** The topmost row in which a fifth of the columns around the middle are not background. */
async function crownOf(photo) {
  const picture = await decode(photo.blob);
  if (!picture) return undefined;
  const { width, height } = picture;
  const [, context] = canvas(width, height, { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  picture.close();
  const half = Math.min(width, height * HEAD_PER_HEIGHT) / 2;
  const from = Math.round(width / 2 - half);
  const columns = Math.max(1, Math.round(2 * half));
  const { data } = context.getImageData(from, 0, columns, height);
  const ground = rgb(hex(photo.background));
  for (let y = 0; y < height; y++) {
    let person = 0;
    for (let at = y * columns * 4; at < (y + 1) * columns * 4; at += 4) {
      person += isPerson(data, at, ground);
    }
    if (person >= REACHED * columns) return y / height;
  }
  return undefined;
}

function isPerson(data, at, ground) {
  if (!ground) return data[at + 3] > 127;
  const far = (channel) => Math.abs(data[at + channel] - ground[channel]);
  return Math.max(far(0), far(1), far(2)) > DIFFERENT;
}

function rgb(colour) {
  return colour && [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}
