// Pictures as this browser can read them. What it cannot, such as HEIC, is sent as it is.

const WHITE = "#fff";

/** The upright picture, or null where this browser cannot read it. */
export async function decode(blob, options = {}) {
  try {
    return await createImageBitmap(blob, { imageOrientation: "from-image", ...options });
  } catch {
    return null;
  }
}

/** A JPEG with at most so many pixels on its longer side, or null where it would not be smaller. */
export async function shrink(blob, longestPx, quality = 0.92) {
  const picture = await decode(blob);
  if (!picture) return null;
  const scale = Math.min(1, longestPx / Math.max(picture.width, picture.height));
  const box = { x: 0, y: 0, width: picture.width, height: picture.height };
  const smaller = await drawn(picture, box, scale, quality);
  picture.close();
  return smaller && smaller.size < blob.size ? smaller : null;
}

/** The part of a picture, as a JPEG. */
export function cut(picture, box) {
  return drawn(picture, box, 1, 0.95);
}

/** The blob of a picture in base64. */
export function fromBase64(text, type) {
  const bytes =
    Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Blob([bytes], { type });
}

/** A canvas of so many pixels, and its context. */
export function canvas(width, height, options) {
  const element = document.createElement("canvas");
  Object.assign(element, { width, height });
  return [element, element.getContext("2d", options)];
}

function drawn(picture, box, scale, quality) {
  const width = Math.max(1, Math.round(box.width * scale));
  const height = Math.max(1, Math.round(box.height * scale));
  const [element, context] = canvas(width, height);
  context.fillStyle = WHITE; // JPEG knows no transparency.
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, box.x, box.y, box.width, box.height, 0, 0, width, height);
  return new Promise((resolve) => element.toBlob(resolve, "image/jpeg", quality));
}
