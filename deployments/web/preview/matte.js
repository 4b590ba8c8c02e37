// Whether a matte can be believed, and how it looks at a crop: pipeline/matte.py.

import { apply, chain, inverse, onto } from "./affine.js";
import { raster } from "./raster.js";
import { Refusal } from "./refusal.js";
import { warp } from "./warp.js";

const [FACE_COVER, EVERYTHING, HEAD_HOLES] = [0.85, 0.97, 0.3];
const CONNECTED = 0.1;
const CERTAINTY = 0.85;
const [BUST_ASIDE, BUST_UP, BUST_DOWN] = [1.4, 1.2, 1.6];
const [HEAD_UP, HEAD_DOWN, HEAD_ASIDE] = [0.75, 0.9, 0.3];
const NEAR_PX = 2;

/** The matte without what is not connected to the person of this face. Throws Refusal. */
export function keepPerson(matte, face, head) {
  const { alpha, box } = matte;
  const toGrid = gridOf(matte);
  const [x0, y0] = apply(toGrid, face.box);
  const [x1, y1] = apply(toGrid, face.box.slice(2));
  const [insetX, insetY] = [(x1 - x0) / 4, (y1 - y0) / 4];
  const span = (low, high, side) => [low, high + 1].map((at) => Math.max(0, Math.min(side, at)));
  const columns = span(Math.trunc(x0 + insetX), Math.trunc(x1 - insetX), alpha.width);
  const rows = span(Math.trunc(y0 + insetY), Math.trunc(y1 - insetY), alpha.height);
  const inner = [...pixels(alpha, columns, rows)];
  const cover = inner.reduce((sum, at) => sum + alpha.data[at], 0) / inner.length;
  const everything = alpha.data.reduce((sum, value) => sum + value, 0) / alpha.data.length;
  if (!(cover >= FACE_COVER) || everything > EVERYTHING || holes(matte, head) > HEAD_HOLES) {
    throw new Refusal("matte_unreliable");
  }
  const kept = { alpha: nearby(alpha, connected(alpha, inner)), box };
  if (certainty(kept, head) < CERTAINTY) throw new Refusal("matte_unreliable");
  return kept;
}

/** How sure the nets were of head and shoulders, 0..1. */
export function certainty(matte, head) {
  const { alpha } = matte;
  const [x, y, size] = inGrid(matte, head);
  const edge = (value, side) => Math.max(0, Math.min(side, Math.trunc(value)));
  const columns = [
    edge(x - BUST_ASIDE * size, alpha.width),
    edge(x + BUST_ASIDE * size + 1, alpha.width),
  ];
  const rows = [
    edge(y - BUST_UP * size, alpha.height),
    edge(y + BUST_DOWN * size + 1, alpha.height),
  ];
  let [person, unsure] = [0, 0];
  for (const at of pixels(alpha, columns, rows)) {
    const value = alpha.data[at];
    person += value;
    unsure += 4 * value * (1 - value);
  }
  return person ? 1 - unsure / person : 0;
}

/** Alpha at the crop's resolution, 0 outside the photo. */
export function render(matte, plan, [photoWidth, photoHeight]) {
  const { matrix, width, height } = plan;
  const made = warp(matte.alpha, chain(inverse(gridOf(matte)), matrix), width, height);
  const back = inverse(matrix);
  for (let at = 0; at < made.data.length; at++) {
    const [x, y] = apply(back, [(at % width) + 0.5, Math.floor(at / width) + 0.5]);
    const inside = x >= 0 && y >= 0 && x <= photoWidth && y <= photoHeight;
    made.data[at] = inside ? Math.max(0, Math.min(1, made.data[at])) : 0;
  }
  return made;
}

function gridOf({ alpha, box }) {
  return onto(box, [alpha.width, alpha.height]);
}

function inGrid(matte, head) {
  const toGrid = gridOf(matte);
  return [...apply(toGrid, head.eyes), head.height * toGrid[4]];
}

/** Share of the head, an ellipse that hair never leaves free, that is rather background. */
function holes(matte, head) {
  const { width, data } = matte.alpha;
  const [x, y, size] = inGrid(matte, head);
  const up = (HEAD_UP * head.crown * size) / head.height;
  const down = (HEAD_DOWN * head.chin * size) / head.height;
  const roll = (head.rollDeg * Math.PI) / 180;
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)];
  const middle = (down - up) / 2;
  const [cx, cy] = [x - middle * sin, y + middle * cos];
  let [all, free] = [0, 0];
  for (let at = 0; at < data.length; at++) {
    const [dx, dy] = [(at % width) - cx, Math.floor(at / width) - cy];
    const along = (dx * cos + dy * sin) / (HEAD_ASIDE * size);
    const across = (dy * cos - dx * sin) / ((up + down) / 2);
    if (along * along + across * across > 1) continue;
    all++;
    if (data[at] < 0.5) free++;
  }
  return all ? free / all : 1;
}

/** 1 for each pixel of the piece that most of the given pixels belong to. */
function connected({ width, height, data }, under) {
  const labels = new Int32Array(data.length);
  const votes = [0];
  const waiting = [];
  for (const start of under) {
    if (data[start] > CONNECTED && !labels[start]) {
      labels[start] = votes.push(0) - 1;
      waiting.push(start);
    }
    while (waiting.length) {
      const at = waiting.pop();
      const [x, y] = [at % width, Math.floor(at / width)];
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const next = row * width + column;
          if (labels[next] || !(data[next] > CONNECTED)) continue;
          labels[next] = labels[at];
          waiting.push(next);
        }
      }
    }
    if (labels[start]) votes[labels[start]]++;
  }
  const most = votes.indexOf(Math.max(...votes));
  return labels.map((label) => Number(label === most));
}

/** The person's own faint edge goes on a little beyond what connects. */
function nearby(alpha, person) {
  const { width, height } = alpha;
  const made = raster(width, height, 1, Float32Array);
  for (let y = 0; y < height; y++) {
    const rows = [Math.max(0, y - NEAR_PX), Math.min(height - 1, y + NEAR_PX)];
    for (let x = 0; x < width; x++) {
      const columns = [Math.max(0, x - NEAR_PX), Math.min(width - 1, x + NEAR_PX)];
      if (any(person, width, rows, columns)) made.data[y * width + x] = alpha.data[y * width + x];
    }
  }
  return made;
}

function any(marks, width, [top, bottom], [left, right]) {
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) if (marks[y * width + x]) return true;
  }
  return false;
}

function* pixels({ width }, [left, right], [top, bottom]) {
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) yield y * width + x;
  }
}
