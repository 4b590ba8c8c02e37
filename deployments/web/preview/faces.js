// Finding faces with MTCNN, from coarse to fine: models/faces.py, where all of this is explained.

import { moved, overlap, squared, suppress } from "./boxes.js";
import { Halvings } from "./halvings.js";

const [WINDOW_PX, STRIDE_PX, MIN_SIDE_PX] = [12, 2, 28];
const STEP = Math.SQRT1_2;
const CANDIDATES = 400;
const [PROPOSED, REFINED, LOCATED] = [0.6, 0.7, 0.9];
const [FIRST_PASS, COUNTS] = [1 / 6, 0.5];
const SAME_FACE = 0.7;

/** The faces of the picture, the highest first: {box, points: five [x, y], score}. */
export async function findFaces(picture, nets) {
  const halvings = new Halvings(picture);
  const short = Math.min(picture.width, picture.height);
  let sides = windows(short);
  let enough = short * FIRST_PASS;
  const found = [];
  while (sides.length) {
    const count = 1 + sides.filter((side) => side > enough).length;
    const now = sides.slice(0, count);
    sides = sides.slice(count);
    found.push(...(await look(halvings, now, found, nets)));
    const last = now.at(-1);
    enough = found.length
      ? COUNTS * Math.max(...found.map(({ box }) => box[3] - box[1]))
      : last / 2;
    if (last <= enough) break;
  }
  const kept = suppress(found, SAME_FACE, true);
  return kept.sort((a, b) => b.box[3] - b.box[1] - (a.box[3] - a.box[1]));
}

function windows(short) {
  const sides = [];
  for (let side = MIN_SIDE_PX; side <= short; side /= STEP) sides.unshift(side);
  return sides;
}

async function look(halvings, sides, known, nets) {
  const proposed = await proposals(halvings, sides, known, nets);
  const refined = await closer(halvings, proposed, 24, nets.rnet, REFINED);
  const boxes = suppress(refined, 0.7).map(({ box, moves }) => squared(moved(box, moves)));
  const located = await closer(halvings, boxes, 48, nets.onet, LOCATED);
  return located.map(({ box, moves, points, score }) => {
    const side = [box[2] - box[0], box[3] - box[1]];
    const places = Array.from({ length: 5 }, (_, at) => [
      box[0] + side[0] * points[at],
      box[1] + side[1] * points[at + 5],
    ]);
    return { box: moved(box, moves), points: places, score };
  });
}

async function proposals(halvings, sides, known, nets) {
  const found = [];
  for (const side of sides) {
    const scale = WINDOW_PX / side;
    const picture = halvings.shrunk(scale);
    const { width, height } = picture;
    const [moves, chances] = await nets.pnet(planes([picture]), [1, 3, height, width]);
    found.push(...suppress(likely(moves, chances, scale), 0.5));
  }
  const others = found.filter(({ box }) =>
    known.every((each) => overlap(box, each.box, true) <= SAME_FACE),
  );
  return suppress(others, 0.7).map(({ box }) => squared(box));
}

function likely(moves, chances, scale) {
  const [, , rows, columns] = chances.dims;
  const plane = rows * columns;
  const found = [];
  for (let at = 0; at < plane; at++) {
    const score = chances.data[plane + at];
    if (score > PROPOSED) found.push({ at, score });
  }
  found.sort((a, b) => b.score - a.score);
  return found.slice(0, CANDIDATES).map(({ at, score }) => {
    const [x, y] = [(at % columns) * STRIDE_PX, Math.floor(at / columns) * STRIDE_PX];
    const box = [x, y, x + WINDOW_PX, y + WINDOW_PX].map((edge) => edge / scale);
    const by = [0, 1, 2, 3].map((edge) => moves.data[edge * plane + at]);
    return { box: moved(box, by), score };
  });
}

/** What the second or third net says of the boxes: the moves come before the chances. */
async function closer(halvings, boxes, sidePx, net, least) {
  if (!boxes.length) return [];
  const patches = boxes.map((box) => halvings.patch(box, sidePx));
  const answers = await net(planes(patches), [boxes.length, 3, sidePx, sidePx]);
  const [moves, chances] = answers.slice(-2);
  const points = answers.length > 2 ? answers[0] : null;
  return boxes
    .map((box, at) => ({
      box,
      score: chances.data[2 * at + 1],
      moves: moves.data.subarray(4 * at, 4 * at + 4),
      points: points?.data.subarray(10 * at, 10 * at + 10),
    }))
    .filter(({ score }) => score > least);
}

function planes(pictures) {
  const { width, height } = pictures[0];
  const plane = width * height;
  const values = new Float32Array(pictures.length * 3 * plane);
  pictures.forEach(({ data }, index) => {
    for (let at = 0; at < plane; at++) {
      for (let channel = 0; channel < 3; channel++) {
        values[(index * 3 + channel) * plane + at] = (data[3 * at + channel] - 127.5) / 128;
      }
    }
  });
  return values;
}
