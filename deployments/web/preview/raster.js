// Pictures as arrays, {width, height, channels, data}, and how they are made smaller or larger:
// the same as pipeline/resample.py does with OpenCV. Data of 8 bits is rounded as it is stored.

import { byLine8 } from "./linear.js";

const MOVED_PX = 0.5;

/** An empty picture; of 8 bits, or of floats. */
export function raster(width, height, channels, Kind = Uint8ClampedArray) {
  return { width, height, channels, data: new Kind(width * height * channels) };
}

/** The part between whole pixels, as a copy. */
export function cut(picture, x0, y0, x1, y1) {
  const { channels } = picture;
  const part = raster(x1 - x0, y1 - y0, channels, picture.data.constructor);
  for (let y = y0; y < y1; y++) {
    const from = (y * picture.width + x0) * channels;
    const to = (y - y0) * part.width * channels;
    part.data.set(picture.data.subarray(from, from + part.width * channels), to);
  }
  return part;
}

/** Blocks of `factor` pixels averaged; what fills none at the edge counts as far as it goes. */
export function reduced(picture, factor) {
  if (factor <= 1) return picture;
  if (factor === 2 && isEven(picture)) return halved(picture);
  const ways = [picture.width, picture.height].map((side) => blocks(side, factor));
  return separated(picture, ...ways);
}

/** With its longer side at most `longPx`; itself where it already is. For people. */
export function fit(picture, longPx) {
  return fitted(picture, longPx, area);
}

/** As `fit`, for a net. */
export function glance(picture, longPx) {
  return fitted(picture, longPx, linear);
}

/** Stretched to a square. */
export function square(picture, sidePx) {
  return shrunk(picture, sidePx, sidePx, linear);
}

/** Averaged over areas; where one side grows both are interpolated. OpenCV's INTER_AREA. */
export function byArea(picture, width, height) {
  if (width === picture.width && height === picture.height) return picture;
  const way = width <= picture.width && height <= picture.height ? area : cells;
  return separated(picture, way(picture.width, width), way(picture.height, height));
}

/** Interpolated from the two nearest pixels of each axis. OpenCV's INTER_LINEAR. */
export function byLine(picture, width, height) {
  if (width === picture.width && height === picture.height) return picture;
  if (picture.data instanceof Uint8ClampedArray) return byLine8(picture, width, height);
  return separated(picture, linear(picture.width, width), linear(picture.height, height));
}

function fitted(picture, longPx, last) {
  const factor = longPx / Math.max(picture.width, picture.height);
  if (factor >= 1) return picture;
  const [width, height] = [picture.width, picture.height].map((side) =>
    Math.max(1, evenly(side * factor)),
  );
  return shrunk(picture, width, height, last);
}

function shrunk(picture, width, height, last) {
  const across = Math.max(1, Math.floor(picture.width / width));
  const down = Math.max(1, Math.floor(picture.height / height));
  const rest = Math.max(
    ((picture.width % across) * width) / picture.width,
    ((picture.height % down) * height) / picture.height,
  );
  let way = last;
  let seen = picture;
  if (rest > MOVED_PX) way = area;
  else if (across > 1 || down > 1) {
    const [w, h] = [Math.floor(picture.width / across), Math.floor(picture.height / down)];
    const whole = cut(picture, 0, 0, w * across, h * down);
    if (across === down) seen = reduced(whole, across);
    else seen = separated(whole, blocks(w * across, across), blocks(h * down, down));
  }
  const [w, h] = [Math.min(seen.width, width), Math.min(seen.height, height)];
  if (w !== seen.width || h !== seen.height) {
    if (way === linear) seen = byLine(seen, w, h);
    else seen = separated(seen, way(seen.width, w), way(seen.height, h));
  }
  return byLine(seen, width, height);
}

/** Of four pixels one, rounded up where two are as near: as OpenCV and Pillow do, but only here. */
function halved(picture) {
  const { channels, data } = picture;
  const made = raster(picture.width / 2, picture.height / 2, channels);
  const stride = picture.width * channels;
  let to = 0;
  for (let y = 0; y < made.height; y++) {
    for (let x = 0; x < made.width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        const at = 2 * y * stride + 2 * x * channels + channel;
        const above = data[at] + data[at + channels];
        made.data[to++] = (above + data[at + stride] + data[at + stride + channels] + 2) >> 2;
      }
    }
  }
  return made;
}

function isEven({ width, height, data }) {
  return width % 2 === 0 && height % 2 === 0 && data instanceof Uint8ClampedArray;
}

/** Half to the even side, as numpy rounds. */
export function evenly(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

// What each pixel of an axis is made of: the first one that counts, and all weights from there on.

function blocks(from, factor) {
  return Array.from({ length: Math.ceil(from / factor) }, (_, at) => {
    const count = Math.min(factor, from - at * factor);
    return { first: at * factor, weights: new Array(count).fill(1 / count) };
  });
}

function area(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, at) => {
    const [begin, end] = [at * scale, Math.min(from, (at + 1) * scale)];
    const first = Math.floor(begin + 1e-9);
    const last = Math.min(from, Math.ceil(end - 1e-9));
    const weights = [];
    for (let i = first; i < last; i++) {
      weights.push((Math.min(end, i + 1) - Math.max(begin, i)) / (end - begin));
    }
    return { first, weights };
  });
}

function linear(from, to) {
  return between(from, to, (at) => ((at + 0.5) * from) / to - 0.5);
}

function cells(from, to) {
  return between(from, to, (at) => {
    const low = Math.floor((at * from) / to);
    const share = at + 1 - ((low + 1) * to) / from;
    return low + (share <= 0 ? 0 : share - Math.floor(share));
  });
}

function between(from, to, place) {
  return Array.from({ length: to }, (_, at) => {
    const exact = Math.max(0, Math.min(from - 1, place(at)));
    const first = Math.min(Math.floor(exact), Math.max(0, from - 2));
    const share = exact - first;
    return { first, weights: from > 1 ? [1 - share, share] : [1] };
  });
}

function separated(picture, columns, rows) {
  const { width, channels, data } = picture;
  const made = raster(columns.length, rows.length, channels, data.constructor);
  const line = new Float32Array(width * channels);
  let to = 0;
  for (const { first, weights } of rows) {
    line.fill(0);
    for (let i = 0; i < weights.length; i++) {
      let from = (first + i) * width * channels;
      const weight = weights[i];
      for (let x = 0; x < line.length; x++) line[x] += weight * data[from++];
    }
    for (const column of columns) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let from = column.first * channels + channel;
        for (const weight of column.weights) {
          sum += weight * line[from];
          from += channels;
        }
        made.data[to++] = sum;
      }
    }
  }
  return made;
}
