// The answers of the two matting nets to one matte: pipeline/fusion.py.

import { apply, chain, inverse, onto } from "./affine.js";
import { evenly, raster } from "./raster.js";
import { warp } from "./warp.js";

const GRID_PX = 512;
const STRETCH = 1.3;
const [BELIEVED, DISBELIEVED, UNCERTAIN] = [0.5, 1.0, 0.1];
const [MOST_WEIGHT, FEATHER] = [8, 0.15];

/**
 * One matte of the photo's box: {alpha, box}. `person` and `saliency` are what each net saw, as
 * {alpha, box}, of which the first one holds all of the box.
 */
export function fuse(person, saliency, box) {
  const [wide, high] = [box[2] - box[0], box[3] - box[1]];
  const scale = GRID_PX / Math.max(wide, high);
  const size = [wide, high].map((side) => Math.max(1, evenly(side * scale)));
  const [who, how] = [average(person, box, size), average(saliency, box, size)];
  const alpha = raster(...size, 1, Float32Array);
  for (let at = 0; at < alpha.data.length; at++) {
    const [p, s] = [stretched(who[at]), stretched(how[at])];
    const believed = clip((DISBELIEVED - Math.abs(p - s)) / (DISBELIEVED - BELIEVED));
    const uncertain = clip(Math.min(p, 1 - p) / UNCERTAIN);
    alpha.data[at] = p + believed * uncertain * (s - p);
  }
  return { alpha, box };
}

function stretched(value) {
  return clip((value - 0.5) * STRETCH + 0.5);
}

/** What one net says on the grid: the mean of its views. */
function average(seen, box, [width, height]) {
  const grid = onto(box, [width, height]);
  const total = new Float32Array(width * height);
  const weights = new Float32Array(width * height);
  for (const { alpha, box: own } of seen) {
    const fromView = inverse(onto(own, [alpha.width, alpha.height]));
    const values = warp(alpha, chain(fromView, grid), width, height).data;
    const weight = weighing(own, seen[0].box, grid, [width, height]);
    for (let at = 0; at < total.length; at++) {
      const counts = weight(at % width, Math.floor(at / width));
      total[at] += counts * values[at];
      weights[at] += counts;
    }
  }
  return total.map((value, at) => clip(value / weights[at]));
}

/** How much a view counts at each pixel of the grid: 0 outside it, rising from its edges. */
function weighing(view, widest, grid, [width, height]) {
  if (view === widest) return () => 1;
  const longer = Math.max(widest[2] - widest[0], widest[3] - widest[1]);
  const most = Math.min(longer / (view[2] - view[0]), MOST_WEIGHT);
  const [x0, y0] = apply(grid, view);
  const [x1, y1] = apply(grid, view.slice(2));
  const feather = FEATHER * (x1 - x0);
  // An edge that is also the widest view's is no seam.
  const rise = (count, low, high, openLow, openHigh) =>
    Float64Array.from({ length: count }, (_, at) => {
      const up = openLow ? Infinity : (at + 0.5 - low) / feather;
      const down = openHigh ? Infinity : (high - at - 0.5) / feather;
      return clip(Math.min(up, down));
    });
  const across = rise(width, x0, x1, view[0] <= widest[0], view[2] >= widest[2]);
  const down = rise(height, y0, y1, view[1] <= widest[1], view[3] >= widest[3]);
  return (x, y) => most * across[x] * down[y];
}

function clip(value) {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
