// The main face measured: chin, cheeks and mouth by the mesh, pupils by the net of the eyes.
// models/finder.py, models/facemesh.py, models/eyelids.py.

import { apply, inverse } from "./affine.js";
import { bilinear } from "./warp.js";

const [MESH_PX, PER_BOX, MIN_SCORE, SURE] = [192, 1.5, 0.5, 0.9];
const [EYE_PX, PER_EYE] = [64, 2.3];
const [CHIN, NOSE] = [152, 1];
const LEFT_EYE = { corners: [33, 133], lids: [159, 145] };
const RIGHT_EYE = { corners: [263, 362], lids: [386, 374] };
const [MOUTH, CHEEKS] = [
  [61, 291],
  [234, 454],
];
const [CORNERS, LOWER, UPPER] = [
  [0, 8],
  [3, 4, 5],
  [11, 12, 13],
];
const [HIDDEN, LEVEL_DEG] = [0.17, 4];

/** The face of `faces.js` with what the nets see of it: {box, eyes, nose, mouth, chin, cheeks}. */
export async function measured(picture, { box, points }, nets) {
  const [left, right, nose, ...mouth] = points;
  const face = { box, eyes: [left, right], nose, mouth, chin: null, cheeks: null };
  const first = await meshOf(picture, box, face.eyes, nets);
  if (!first) return face;
  const again = await meshOf(picture, bounds(first.points), eyesOf(first.points), nets);
  const mesh = again ?? first;
  const at = (index) => mesh.points[index];
  const eyes = await pupils(picture, mesh.points, nets);
  const seen = { ...face, chin: at(CHIN), cheeks: CHEEKS.map(at) };
  return mesh.score >= SURE ? { ...seen, eyes, nose: at(NOSE), mouth: MOUTH.map(at) } : seen;
}

async function meshOf(picture, [x0, y0, x1, y1], eyes, nets) {
  const width = PER_BOX * Math.max(x1 - x0, y1 - y0);
  const matrix = upright([(x0 + x1) / 2, (y0 + y1) / 2], width, roll(...eyes), MESH_PX);
  const seen = planes([bilinear(picture, matrix, MESH_PX, MESH_PX)]);
  const [landmarks, logit] = await nets.facemesh(seen, [1, 3, MESH_PX, MESH_PX]);
  const score = 1 / (1 + Math.exp(-logit.data[0]));
  if (score < MIN_SCORE) return null;
  const back = inverse(matrix);
  const { data } = landmarks;
  const points = Array.from({ length: data.length / 3 }, (_, at) =>
    apply(back, [data[3 * at], data[3 * at + 1]]),
  );
  return { points, score };
}

async function pupils(picture, points, nets) {
  const middles = eyesOf(points);
  const tilt = roll(...middles);
  const squares = [LEFT_EYE, RIGHT_EYE].map(({ corners }) => {
    const [outer, inner] = corners.map((index) => points[index]);
    return upright(mean([outer, inner]), PER_EYE * Math.max(far(outer, inner), 1), tilt, EYE_PX);
  });
  // The net knows the eye on the right of the picture; the other one is shown mirrored.
  const [a, b, c, ...rest] = squares[0];
  squares[0] = [-a, -b, EYE_PX - c, ...rest];
  const seen = planes(squares.map((matrix) => bilinear(picture, matrix, EYE_PX, EYE_PX)));
  const [contours, irises] = await nets.iris(seen, [2, 3, EYE_PX, EYE_PX]);
  const opening = Math.min(...[0, 1].map((eye) => openingOf(part(contours, eye))));
  const found = squares.map((matrix, eye) => apply(inverse(matrix), mean(part(irises, eye))));
  const off = roll(...found) - tilt;
  const tiltDeg = (Math.atan2(Math.sin(off), Math.cos(off)) * 180) / Math.PI;
  return opening >= HIDDEN && Math.abs(tiltDeg) <= LEVEL_DEG ? found : middles;
}

function openingOf(points) {
  const gaps = UPPER.map((upper, at) => far(points[upper], points[LOWER[at]]));
  const height = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return height / Math.max(far(...CORNERS.map((at) => points[at])), 1e-3);
}

/** The points of one of the two eyes, without their depth. */
function part({ data }, eye) {
  const length = data.length / 2;
  return Array.from({ length: length / 3 }, (_, at) => [
    data[eye * length + 3 * at],
    data[eye * length + 3 * at + 1],
  ]);
}

function eyesOf(points) {
  return [LEFT_EYE, RIGHT_EYE].map(({ corners, lids }) =>
    mean([...corners, ...lids].map((index) => points[index])),
  );
}

function bounds(points) {
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function mean(points) {
  return [0, 1].map((axis) => points.reduce((sum, p) => sum + p[axis], 0) / points.length);
}

function far([x0, y0], [x1, y1]) {
  return Math.hypot(x1 - x0, y1 - y0);
}

function roll(left, right) {
  return Math.atan2(right[1] - left[1], right[0] - left[0]);
}

/** Map to a square which shows `width` about `middle`, turned so that `angle` comes level. */
function upright([x, y], width, angle, sidePx) {
  const scale = sidePx / width;
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  const half = sidePx / 2;
  return [cos, sin, half - cos * x - sin * y, -sin, cos, half + sin * x - cos * y];
}

function planes(pictures) {
  const plane = pictures[0].width * pictures[0].height;
  const values = new Float32Array(pictures.length * 3 * plane);
  pictures.forEach(({ data }, index) => {
    for (let at = 0; at < plane; at++) {
      for (let channel = 0; channel < 3; channel++) {
        values[(index * 3 + channel) * plane + at] = data[3 * at + channel] / 255;
      }
    }
  });
  return values;
}
