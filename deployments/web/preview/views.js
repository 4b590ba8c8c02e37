// What the matting nets see: the surroundings of the person, and a closer look at the head.
// pipeline/views.py.

import { cut, square } from "./raster.js";

const [WIDE_UP, WIDE_DOWN, WIDE_ASIDE] = [2.5, 4.5, 3.5];
const [CLOSE_SIDE, CLOSE_DOWN, CLOSE_LEAST, CLOSE_UP, CLOSE_ENOUGH] = [2.8, 0.2, 1.3, 0.75, 0.8];

/** The surroundings of a person, at least `reach`, inside the photo. */
export function wideBox({ eyes: [x, y], height }, reach, [widthPx, heightPx]) {
  return [
    Math.max(0, Math.min(reach[0], x - WIDE_ASIDE * height)),
    Math.max(0, Math.min(reach[1], y - WIDE_UP * height)),
    Math.min(widthPx, Math.max(reach[2], x + WIDE_ASIDE * height)),
    Math.min(heightPx, Math.max(reach[3], y + WIDE_DOWN * height)),
  ];
}

/** A square about the head inside `wide`, or null where it would show nearly the same. */
export function closeBox({ eyes: [x, y], height }, [x0, y0, x1, y1]) {
  const side = Math.min(CLOSE_SIDE * height, x1 - x0, y1 - y0);
  if (side < CLOSE_LEAST * height) return null;
  if (side * side > CLOSE_ENOUGH * (x1 - x0) * (y1 - y0)) return null;
  const left = Math.min(Math.max(x - side / 2, x0), x1 - side);
  const up = Math.max(side / 2 - CLOSE_DOWN * height, CLOSE_UP * height);
  const top = Math.min(Math.max(y - up, y0), y1 - side);
  return [left, top, left + side, top + side];
}

/** The box of the photo as a square picture: {picture, box}; of `small` where that will do. */
export function view(photo, box, sidePx, small = null) {
  let [from, x, y] = [photo, 1, 1];
  if (small) {
    const [sx, sy] = [small.width / photo.width, small.height / photo.height];
    if (Math.min((box[2] - box[0]) * sx, (box[3] - box[1]) * sy) >= sidePx) {
      [from, x, y] = [small, sx, sy];
    }
  }
  const [x0, y0] = [Math.max(0, Math.trunc(box[0] * x)), Math.max(0, Math.trunc(box[1] * y))];
  const x1 = Math.min(from.width, Math.ceil(box[2] * x));
  const y1 = Math.min(from.height, Math.ceil(box[3] * y));
  const picture = square(cut(from, x0, y0, x1, y1), sidePx);
  return { picture, box: [x0 / x, y0 / y, x1 / x, y1 / y] };
}
