// A picture at any smaller scale, from halvings of it: models/halvings.py.

import { byArea, byLine, cut, evenly, raster, reduced } from "./raster.js";

const GREY = 128;

export class Halvings {
  #pictures;

  constructor(picture) {
    this.#pictures = [picture];
  }

  /** All of the picture at that scale, at most 1; sides are rounded up. */
  shrunk(scale) {
    const { width, height } = this.#pictures[0];
    const { picture } = this.#atLeast(scale);
    return byLine(picture, Math.ceil(width * scale), Math.ceil(height * scale));
  }

  /** A square of the picture, resized; grey outside the picture. */
  patch([x0, y0, x1, y1], sidePx) {
    const { picture, scale } = this.#atLeast(sidePx / Math.max(x1 - x0, 1));
    const [left, top, right, bottom] = [x0, y0, x1, y1].map((edge) => evenly(edge * scale));
    const [l, t] = [Math.max(left, 0), Math.max(top, 0)];
    const [r, b] = [Math.min(right, picture.width), Math.min(bottom, picture.height)];
    if (r <= l || b <= t) {
      const none = raster(sidePx, sidePx, 3);
      none.data.fill(GREY);
      return none;
    }
    const inside = cut(picture, l, t, r, b);
    if (l === left && t === top && r === right && b === bottom) {
      return byArea(inside, sidePx, sidePx);
    }
    const bordered = raster(right - left, bottom - top, 3);
    bordered.data.fill(GREY);
    for (let y = 0; y < inside.height; y++) {
      const line = inside.data.subarray(y * inside.width * 3, (y + 1) * inside.width * 3);
      bordered.data.set(line, ((y + t - top) * bordered.width + l - left) * 3);
    }
    return byArea(bordered, sidePx, sidePx);
  }

  #atLeast(scale) {
    let depth = 0;
    while (scale <= 0.5 ** (depth + 1)) {
      const { width, height } = this.#pictures[depth];
      if (width < 2 || height < 2) break;
      depth++;
      if (depth === this.#pictures.length) {
        const before = this.#pictures[depth - 1];
        const even = cut(before, 0, 0, width - (width % 2), height - (height % 2));
        this.#pictures.push(reduced(even, 2));
      }
    }
    return { picture: this.#pictures[depth], scale: 0.5 ** depth };
  }
}
