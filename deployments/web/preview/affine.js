// Affine maps between pixel coordinates: [a, b, c, d, e, f] takes (x, y) to
// (ax + by + c, dx + ey + f). Pixel (0, 0) covers the square from (0, 0) to (1, 1).

/** The map that does each of the maps in turn, the first one first. */
export function chain(...maps) {
  return maps.reduce((before, after) => {
    const [a, b, c, d, e, f] = after;
    const [A, B, C, D, E, F] = before;
    return [
      a * A + b * D,
      a * B + b * E,
      a * C + b * F + c,
      d * A + e * D,
      d * B + e * E,
      d * C + e * F + f,
    ];
  });
}

/** The map that undoes it. */
export function inverse([a, b, c, d, e, f]) {
  const det = a * e - b * d;
  return [
    e / det,
    -b / det,
    (b * f - c * e) / det,
    -d / det,
    a / det,
    (c * d - a * f) / det,
  ];
}

/** The mapped point. */
export function apply([a, b, c, d, e, f], [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** Moves by (x, y). */
export function shift(x, y) {
  return [1, 0, x, 0, 1, y];
}

/** From a photo to a picture of that size which is stretched over a box of the photo. */
export function onto([x0, y0, x1, y1], [width, height]) {
  const [sx, sy] = [width / (x1 - x0), height / (y1 - y0)];
  return [sx, 0, -x0 * sx, 0, sy, -y0 * sy];
}

/** Turns by -rollDeg, scales, and takes `from` to `to`. */
export function similarity(from, to, scale, rollDeg) {
  const angle = (-rollDeg * Math.PI) / 180;
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return [
    cos,
    -sin,
    to[0] - cos * from[0] + sin * from[1],
    sin,
    cos,
    to[1] - sin * from[0] - cos * from[1],
  ];
}

/** By how much the map enlarges. */
export function scaleOf([a, b, , d, e]) {
  return Math.sqrt(Math.abs(a * e - b * d));
}
