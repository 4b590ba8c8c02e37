// The person's own colours without the old background's spill into hair and edges: blur fusion as
// in pipeline/foreground.py, without its second step, which takes a coloured screen's hue out.

import { byArea, byLine, raster } from "./raster.js";

const [WIDE, NARROW, COARSE_PX, MARGIN] = [0.14, 0.01, 150, 0.012];
const TINY = 1e-5;

/** The foreground colour of every pixel; meaningless where alpha is 0. */
export function foreground(picture, alpha) {
  const { width, height } = alpha;
  const seen = raster(width, height, 3, Float32Array);
  seen.data.set(picture.data);
  const side = Math.max(width, height);
  const core = coreOf(alpha, Math.max(3, Math.floor(MARGIN * side) | 1));
  const factor = Math.max(1, Math.floor(side / COARSE_PX));
  const size = [width, height].map((each) => Math.max(1, Math.floor(each / factor)));
  const [small, cover, own] = [seen, alpha, core].map((each) => byArea(each, ...size));
  const wide = box(WIDE, small);
  const far = mean(small, inverted(cover), wide);
  const first = corrected(small, mean(small, own, wide), far, cover, own);
  const [colours, behind] = [first, far].map((each) => byLine(each, width, height));
  const narrow = box(NARROW, seen);
  const near = mean(colours, core, narrow);
  const beyond = mean(behind, inverted(alpha), narrow);
  const made = raster(width, height, 3);
  made.data.set(corrected(seen, near, beyond, alpha, core).data);
  return made;
}

function box(share, { width, height }) {
  return 2 * Math.max(2, Math.round(Math.max(width, height) * share)) + 1;
}

function inverted(alpha) {
  return { ...alpha, data: alpha.data.map((value) => 1 - value) };
}

/** Colours such that they blend with the background's to the picture. */
function corrected(picture, near, far, alpha, core) {
  const made = raster(picture.width, picture.height, 3, Float32Array);
  for (let at = 0; at < made.data.length; at++) {
    const pixel = Math.floor(at / 3);
    const [person, behind] = [near.data[at], far.data[at]];
    const rest = picture.data[at] - behind - alpha.data[pixel] * (person - behind);
    made.data[at] = Math.max(0, Math.min(255, rest * core.data[pixel] + person));
  }
  return made;
}

/** The weighted mean of the colours in a square of `size` pixels about each pixel. */
function mean(colours, weights, size) {
  const { width, height } = weights;
  const weighed = raster(width, height, 3, Float32Array);
  for (let at = 0; at < weighed.data.length; at++) {
    weighed.data[at] = colours.data[at] * weights.data[Math.floor(at / 3)];
  }
  const total = blurred(weighed, size);
  const weight = blurred(weights, size);
  for (let at = 0; at < total.data.length; at++) {
    const sum = weight.data[Math.floor(at / 3)] + TINY;
    total.data[at] = (total.data[at] + TINY * colours.data[at]) / sum;
  }
  return total;
}

/** The mean of a square, by sums that run along: each pixel costs the same at every size. */
function blurred(picture, size) {
  return boxed(boxed(picture, size, true), size, false);
}

/** Alpha without its margin, which fades in; never more than alpha. */
function coreOf(alpha, size) {
  const sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8;
  const bell = Float64Array.from({ length: size }, (_, at) => {
    const off = at - (size - 1) / 2;
    return Math.exp(-(off * off) / (2 * sigma * sigma));
  });
  const sum = bell.reduce((a, b) => a + b);
  const weights = bell.map((value) => value / sum);
  const soft = filtered(filtered(eroded(alpha, size), weights, true), weights, false);
  return { ...soft, data: soft.data.map((value, at) => Math.min(value, alpha.data[at])) };
}

/** The least of a disc about each pixel. */
function eroded(alpha, size) {
  const { width, height, data } = alpha;
  const radius = (size - 1) / 2;
  const reach = Array.from({ length: size }, (_, at) => {
    const dy = at - radius;
    return Math.round(Math.sqrt(Math.max(0, radius * radius - dy * dy)));
  });
  const made = raster(width, height, 1, Float32Array);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let least = data[y * width + x];
      for (let at = 0; at < size && least > 0; at++) {
        const row = y + at - radius;
        if (row < 0 || row >= height) continue;
        const last = Math.min(width - 1, x + reach[at]);
        for (let column = Math.max(0, x - reach[at]); column <= last; column++) {
          least = Math.min(least, data[row * width + column]);
        }
      }
      made.data[y * width + x] = least;
    }
  }
  return made;
}

/** The mean of `size` pixels along one axis. */
function boxed(picture, size, across) {
  return along(picture, (size - 1) / 2, across, (data, start, places, count, put) => {
    let sum = 0;
    for (let at = 0; at < size - 1; at++) sum += data[start + places[at]];
    for (let at = 0; at < count; at++) {
      sum += data[start + places[at + size - 1]];
      put[at] = sum / size;
      sum -= data[start + places[at]];
    }
  });
}

function filtered(picture, weights, across) {
  return along(picture, (weights.length - 1) / 2, across, (data, start, places, count, put) => {
    for (let at = 0; at < count; at++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) {
        sum += weights[tap] * data[start + places[at + tap]];
      }
      put[at] = sum;
    }
  });
}

/** Each line of one axis through `work`; mirrored at the edges as far as `half`. */
function along(picture, half, across, work) {
  const { width, height, channels, data } = picture;
  const made = raster(width, height, channels, Float32Array);
  const [count, step] = across ? [width, channels] : [height, width * channels];
  const [lines, stride] = across ? [height, width * channels] : [width, channels];
  const places = Int32Array.from({ length: count + 2 * half }, (_, at) => {
    const period = Math.max(1, 2 * (count - 1));
    const away = (((at - half) % period) + period) % period;
    return Math.min(away, period - away) * step;
  });
  const put = new Float64Array(count);
  for (let line = 0; line < lines; line++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = line * stride + channel;
      work(data, start, places, count, put);
      for (let at = 0; at < count; at++) made.data[start + at * step] = put[at];
    }
  }
  return made;
}
