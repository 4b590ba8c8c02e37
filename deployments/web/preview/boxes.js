// Arithmetic of boxes, [x0, y0, x1, y1]: models/boxes.py.

/** With each edge moved by a fraction of the box's size. */
export function moved([x0, y0, x1, y1], moves) {
  const [width, height] = [x1 - x0, y1 - y0];
  return [
    x0 + moves[0] * width,
    y0 + moves[1] * height,
    x1 + moves[2] * width,
    y1 + moves[3] * height,
  ];
}

/** A square on the box's centre, with its longer side. */
export function squared([x0, y0, x1, y1]) {
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  const half = Math.max(x1 - x0, y1 - y0) / 2;
  return [x - half, y - half, x + half, y + half];
}

/** Intersection over union, or over the smaller box. */
export function overlap(one, other, ofSmaller = false) {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const shared = Math.max(0, width) * Math.max(0, height);
  const [a, b] = [area(one), area(other)];
  return shared / Math.max(ofSmaller ? Math.min(a, b) : a + b - shared, 1e-6);
}

/** Of {box, score} those that no better one overlaps by more than `most`, best first. */
export function suppress(found, most, ofSmaller = false) {
  const kept = [];
  for (const each of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.every((better) => overlap(better.box, each.box, ofSmaller) <= most)) kept.push(each);
  }
  return kept;
}

function area([x0, y0, x1, y1]) {
  return Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
}
