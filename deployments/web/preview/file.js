// Finished pixels to the bytes of a file that carries its density: pipeline/encode.py, with the
// browser's encoders.

const QUALITIES = [0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
const TYPES = { jpeg: "image/jpeg", png: "image/png", webp: "image/webp" };
const INCH_PER_METRE = 39.3701;
const JFIF_DENSITY = 13;
const PNG_HEADER_END = 33;

/**
 * The person on the background, [r, g, b] or null for none, as a file: a blob of at most
 * `mostBytes` where a quality from 50 up gives one, else the smallest.
 */
export async function encoded({ rgb, alpha }, background, format, dpi, mostBytes) {
  const canvas = new OffscreenCanvas(alpha.width, alpha.height);
  const pixels = composed(rgb.data, alpha.data, background);
  canvas.getContext("2d").putImageData(new ImageData(pixels, alpha.width, alpha.height), 0, 0);
  const type = TYPES[format];
  let blob;
  for (const quality of QUALITIES) {
    blob = await tagged(await canvas.convertToBlob({ type, quality }), dpi);
    if (blob.size <= mostBytes || format === "png") break;
  }
  return blob;
}

function composed(rgb, alpha, background) {
  const pixels = new Uint8ClampedArray(alpha.length * 4);
  for (let at = 0; at < alpha.length; at++) {
    const share = background ? alpha[at] : 1;
    for (let channel = 0; channel < 3; channel++) {
      const behind = background ? (1 - share) * background[channel] : 0;
      pixels[4 * at + channel] = share * rgb[3 * at + channel] + behind;
    }
    pixels[4 * at + 3] = background ? 255 : 255 * alpha[at];
  }
  return pixels;
}

async function tagged(blob, dpi) {
  const { type } = blob;
  if (type !== TYPES.jpeg && type !== TYPES.png) return blob;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  if (type === TYPES.png) {
    const parts = [bytes.subarray(0, PNG_HEADER_END), density(dpi), bytes.subarray(PNG_HEADER_END)];
    return new Blob(parts, { type });
  }
  if (String.fromCharCode(...bytes.subarray(6, 10)) === "JFIF") {
    new DataView(bytes.buffer).setUint8(JFIF_DENSITY, 1);
    new DataView(bytes.buffer).setUint16(JFIF_DENSITY + 1, dpi);
    new DataView(bytes.buffer).setUint16(JFIF_DENSITY + 3, dpi);
  }
  return new Blob([bytes], { type });
}

/** A pHYs chunk. */
function density(dpi) {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  const perMetre = Math.round(dpi * INCH_PER_METRE);
  view.setUint32(0, 9);
  chunk.set([...("pHYs")].map((letter) => letter.charCodeAt(0)), 4);
  view.setUint32(8, perMetre);
  view.setUint32(12, perMetre);
  view.setUint8(16, 1);
  view.setUint32(17, checksum(chunk.subarray(4, 17)));
  return chunk;
}

/** CRC-32 as PNG wants it. */
function checksum(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
