// OpenCV's INTER_LINEAR of 8 bits to the bit: it cuts sums off where they could be rounded, which
// makes pictures darker by an eighth of a level, and the detector of faces sees that.

const ONE = 2048;

/** Interpolated from the two nearest pixels of each axis. */
export function byLine8(picture, width, height) {
  const { channels, data } = picture;
  const made = new Uint8ClampedArray(width * height * channels);
  const [columns, rows] = [taps(picture.width, width), taps(picture.height, height)];
  const lines = new Map();
  const across = (row) => {
    if (!lines.has(row)) {
      lines.delete(row - 2);
      lines.set(row, sums(data, row * picture.width * channels, columns, channels));
    }
    return lines.get(row);
  };
  let to = 0;
  for (const { first, second, weights } of rows) {
    const [above, below] = [across(first), across(second)];
    for (let at = 0; at < above.length; at++) {
      const upper = (weights[0] * (above[at] >> 4)) >> 16;
      made[to++] = (upper + ((weights[1] * (below[at] >> 4)) >> 16) + 2) >> 2;
    }
  }
  return { width, height, channels, data: made };
}

function sums(data, start, columns, channels) {
  const line = new Int32Array(columns.length * channels);
  let to = 0;
  for (const { first, second, weights } of columns) {
    for (let channel = start; channel < start + channels; channel++) {
      const left = weights[0] * data[channel + first * channels];
      line[to++] = left + weights[1] * data[channel + second * channels];
    }
  }
  return line;
}

function taps(from, to) {
  return Array.from({ length: to }, (_, at) => {
    const exact = Math.fround(((at + 0.5) * from) / to - 0.5);
    let first = Math.floor(exact);
    let share = Math.fround(exact - first);
    if (first < 0 || first >= from - 1) {
      first = first < 0 ? 0 : from - 1;
      share = 0;
    }
    const second = Math.min(first + 1, from - 1);
    return { first, second, weights: [1 - share, share].map((part) => Math.round(part * ONE)) };
  });
}
