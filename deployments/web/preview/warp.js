// Pictures through affine maps, with their edge pixels continued outside: pipeline/resample.py.

import { inverse, scaleOf } from "./affine.js";
import { raster, reduced } from "./raster.js";

// Of the cubic, as OpenCV has it.
const A = -0.75;

/**
 * Resampled once, by bicubic interpolation. `matrix` maps picture to output; where it shrinks, the
 * picture is sampled on a finer grid and averaged.
 */
export function warp(picture, matrix, width, height) {
  const finer = Math.max(1, Math.ceil(1 / scaleOf(matrix) - 0.12));
  const fine = sampled(picture, matrix, width * finer, height * finer, finer, cubic, 4);
  return reduced(fine, finer);
}

/** Resampled by bilinear interpolation, without a care for what is lost where it shrinks. */
export function bilinear(picture, matrix, width, height) {
  return sampled(picture, matrix, width, height, 1, line, 2);
}

function line(share, weights) {
  weights[0] = 1 - share;
  weights[1] = share;
}

function cubic(share, weights) {
  const [far, rest, beyond] = [1 + share, 1 - share, 2 - share];
  weights[0] = ((A * far - 5 * A) * far + 8 * A) * far - 4 * A;
  weights[1] = ((A + 2) * share - (A + 3)) * share * share + 1;
  weights[2] = ((A + 2) * rest - (A + 3)) * rest * rest + 1;
  weights[3] = ((A * beyond - 5 * A) * beyond + 8 * A) * beyond - 4 * A;
}

function sampled(picture, matrix, width, height, finer, kernel, taps) {
  const { channels, data } = picture;
  const made = raster(width, height, channels, data.constructor);
  const [a, b, c, d, e, f] = inverse(matrix);
  const [across, down] = [new Float64Array(taps), new Float64Array(taps)];
  const [columns, rows] = [new Int32Array(taps), new Int32Array(taps)];
  const before = taps / 2 - 1;
  const stride = picture.width * channels;
  let to = 0;
  for (let row = 0; row < height; row++) {
    const Y = (row + 0.5) / finer;
    for (let column = 0; column < width; column++) {
      const X = (column + 0.5) / finer;
      const x = a * X + b * Y + c - 0.5;
      const y = d * X + e * Y + f - 0.5;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      kernel(x - left, across);
      kernel(y - top, down);
      for (let tap = 0; tap < taps; tap++) {
        columns[tap] = within(left - before + tap, picture.width) * channels;
        rows[tap] = within(top - before + tap, picture.height) * stride;
      }
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let i = 0; i < taps; i++) {
          let along = 0;
          for (let j = 0; j < taps; j++) {
            along += across[j] * data[rows[i] + columns[j] + channel];
          }
          sum += down[i] * along;
        }
        made.data[to++] = sum;
      }
    }
  }
  return made;
}

function within(at, side) {
  return at < 0 ? 0 : at >= side ? side - 1 : at;
}
