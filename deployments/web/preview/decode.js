// The bytes of a photo to an upright sRGB picture on white, at the scale that serves:
// pipeline/decode.py. The browser's own decoder turns it and converts its colours.

import { cut, raster, reduced } from "./raster.js";
import { Refusal } from "./refusal.js";

const MIN_SIDE_PX = 48;
// Phones refuse larger canvases.
const CANVAS_PX = 16_000_000;
const JPEG_SCALES = [8, 4, 2, 1];

/**
 * A photo that can be rendered at several scales: {full: [width, height], at(longPx), close()}.
 * `at` answers a picture whose longer side has at least so many pixels where the original has them,
 * and less than twice as many. Throws Refusal.
 */
export async function open(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    throw new Refusal("unreadable");
  }
  const full = [bitmap.width, bitmap.height];
  if (Math.min(...full) < MIN_SIDE_PX) throw new Refusal("photo_too_small");
  const jpeg = await isJpeg(blob);
  const least = Math.ceil(Math.sqrt((full[0] * full[1]) / CANVAS_PX));
  const known = new Map();
  return {
    full,
    at(longPx) {
      const wanted = jpeg ? jpegScale(full, longPx) : Math.floor(Math.max(...full) / longPx);
      const factor = Math.max(least, 1, wanted);
      if (!known.has(factor)) known.set(factor, rendered(bitmap, full, factor, least));
      return known.get(factor);
    },
    close: () => bitmap.close(),
  };
}

function jpegScale([width, height], longPx) {
  const share = longPx / Math.max(width, height);
  const most = Math.min(
    Math.floor(width / Math.ceil(width * share)),
    Math.floor(height / Math.ceil(height * share)),
  );
  return JPEG_SCALES.find((scale) => scale <= most) ?? 1;
}

function rendered(bitmap, [width, height], factor, least) {
  if (least > 1) return pixels(bitmap, Math.ceil(width / factor), Math.ceil(height / factor));
  return reduced(pixels(bitmap, width, height), factor);
}

function pixels(bitmap, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", {
    alpha: false,
    willReadFrequently: true,
  });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const made = raster(width, height, 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    made.data[to++] = data[from];
    made.data[to++] = data[from + 1];
    made.data[to++] = data[from + 2];
  }
  return made;
}

async function isJpeg(blob) {
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  return first === 0xff && second === 0xd8;
}

/** Of a picture the part between edges that need not be whole: {picture, x, y}. */
export function region(picture, [x0, y0, x1, y1]) {
  const [left, top] = [Math.trunc(x0), Math.trunc(y0)];
  const right = Math.min(picture.width, Math.trunc(x1) + 1);
  const bottom = Math.min(picture.height, Math.trunc(y1) + 1);
  return { picture: cut(picture, left, top, right, bottom), x: left, y: top };
}
