// Where the finished photo lies in the photo as it came. The checks tell scale and rotation; the
// place is where the two look alike: normalised cross-correlation, coarse first.

import { canvas } from "./pictures.js";

const COARSE_PX = 48;
const FINE_PX = 160;
// The face lies here in every ID photo; around it the background was replaced.
const FACE = { x: 0.3, y: 0.24, width: 0.4, height: 0.42 };

/**
 * The photo as it came, drawn in the frame of the finished one: a canvas of `widthPx`. `turned` is
 * {scale, degrees}: finished pixels per pixel of the original, and how it was rotated.
 */
export function inFrame(original, finished, turned, widthPx) {
  const angle = (turned.degrees * Math.PI) / 180;
  let place = null;
  for (const height of [COARSE_PX, FINE_PX]) {
    const share = Math.min(1, height / finished.height);
    place = search(original, finished, { scale: turned.scale * share, angle }, share, place);
  }
  const share = widthPx / finished.width;
  const [element, context] = canvas(widthPx, Math.round(finished.height * share));
  const [x, y] = [place.x * finished.width, place.y * finished.height];
  context.imageSmoothingQuality = "high";
  context.scale(share, share);
  draw(context, original, turned.scale, angle, x, y);
  return element;
}

/** The original's middle in the finished photo, as shares of its width and height. */
function search(original, finished, { scale, angle }, share, near) {
  const face = grey(
    Math.round(finished.width * share),
    Math.round(finished.height * share),
    (context) => context.drawImage(finished, 0, 0, finished.width * share, finished.height * share),
  );
  const template = faceOf(face);
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  const width = Math.ceil(scale * (original.width * cos + original.height * sin));
  const height = Math.ceil(scale * (original.width * sin + original.height * cos));
  const scene = grey(width, height, (context) =>
    draw(context, original, scale, angle, width / 2, height / 2),
  );
  const [tx, ty] = [template.x, template.y];
  const range = near && {
    x: Math.round(width / 2 - near.x * face.width + tx),
    y: Math.round(height / 2 - near.y * face.height + ty),
    reach: Math.ceil((2.5 * FINE_PX) / COARSE_PX),
  };
  const best = match(scene, template, range);
  return {
    x: (width / 2 - best.x + tx) / face.width,
    y: (height / 2 - best.y + ty) / face.height,
  };
}

function draw(context, picture, scale, angle, x, y) {
  context.translate(x, y);
  context.rotate(angle);
  context.scale(scale, scale);
  context.drawImage(picture, -picture.width / 2, -picture.height / 2);
}

function grey(width, height, paint) {
  const [, context] = canvas(Math.max(1, width), Math.max(1, height), { willReadFrequently: true });
  context.fillStyle = "#808080";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  paint(context);
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Float32Array(width * height);
  for (let at = 0; at < values.length; at++) {
    values[at] = 0.3 * data[4 * at] + 0.59 * data[4 * at + 1] + 0.11 * data[4 * at + 2];
  }
  return { width, height, values };
}

function faceOf({ width, height, values }) {
  const x = Math.round(width * FACE.x);
  const y = Math.round(height * FACE.y);
  const w = Math.round(width * FACE.width);
  const high = Math.round(height * FACE.height);
  const cutOut = new Float32Array(w * high);
  let mean = 0;
  for (let row = 0; row < high; row++) {
    for (let column = 0; column < w; column++) {
      const value = values[(y + row) * width + x + column];
      cutOut[row * w + column] = value;
      mean += value / cutOut.length;
    }
  }
  for (let at = 0; at < cutOut.length; at++) cutOut[at] -= mean;
  return { x, y, width: w, height: high, values: cutOut };
}

function match(scene, template, range) {
  const [lastX, lastY] = [scene.width - template.width, scene.height - template.height];
  const clamp = (value, last) => Math.max(0, Math.min(last, value));
  const [x0, x1, y0, y1] = range
    ? [range.x - range.reach, range.x + range.reach, range.y - range.reach, range.y + range.reach]
    : [0, lastX, 0, lastY];
  let best = { x: clamp(x0, lastX), y: clamp(y0, lastY), score: -Infinity };
  for (let y = clamp(y0, lastY); y <= clamp(y1, lastY); y++) {
    for (let x = clamp(x0, lastX); x <= clamp(x1, lastX); x++) {
      const score = alike(scene, template, x, y);
      if (score > best.score) best = { x, y, score };
    }
  }
  return best;
}

function alike(scene, { width, height, values }, x, y) {
  let [cross, sum, squares] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    let at = (y + row) * scene.width + x;
    let of = row * width;
    for (let column = 0; column < width; column++, at++, of++) {
      const value = scene.values[at];
      cross += value * values[of];
      sum += value;
      squares += value * value;
    }
  }
  const spread = squares - (sum * sum) / values.length;
  return spread > 1 ? cross / Math.sqrt(spread) : -Infinity;
}
