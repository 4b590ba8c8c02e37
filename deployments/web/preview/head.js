// Which face the photo is of, and the head around it: pipeline/face.py, pipeline/geometry.py.

import { chain, inverse, onto, similarity } from "./affine.js";
import { evenly } from "./raster.js";
import { Refusal } from "./refusal.js";
import { warp } from "./warp.js";

const SECOND_PERSON = 0.5;
const MIN_EYES_APART_PX = 16;
const [CHEEK_OUTSIDE, CHIN_OUTSIDE, EYES_BELOW_EDGE] = [0.3, 0.25, 0.9];
const [CHIN_PER_EYES, CHIN_PER_MOUTH, SKULL_PER_CHIN] = [1.76, 1.62, 1.05];
const CHIN_LIMITS = [0.75, 1.3];
const [CROWN_LEAST, CROWN_MOST] = [0.85, 1.7];
const [CROWN_HALF_WIDTH, CROWN_COVER, PATCH_CHIN_PX] = [0.42, 0.2, 40];

/** Throws unless the first of the faces, which is the highest, is the only person's. */
export function requireOne(faces) {
  if (!faces.length) throw new Refusal("no_face");
  const [first, ...others] = faces.map(({ box }) => box[3] - box[1]);
  if (others.some((height) => height >= SECOND_PERSON * first)) throw new Refusal("several_faces");
}

/** Throws where the face is too small, `enlarge` times as large in the original, or cut. */
export function requireWhole(face, { width, height }, enlarge) {
  const [[lx, ly], [rx, ry]] = face.eyes;
  const apart = Math.hypot(rx - lx, ry - ly);
  if (apart * enlarge < MIN_EYES_APART_PX) throw new Refusal("face_too_small");
  const beyond = (face.cheeks ?? []).map(([x]) => Math.max(-x, x - width));
  if (
    Math.min(ly, ry) < EYES_BELOW_EDGE * apart ||
    (face.chin && face.chin[1] - height > CHIN_OUTSIDE * apart) ||
    beyond.some((px) => px > CHEEK_OUTSIDE * apart)
  ) {
    throw new Refusal("face_cut");
  }
}

/** The same face in a rendering `x` times as wide and `y` times as high, and moved by `dx, dy`. */
export function scaled(face, x, y = x, dx = 0, dy = 0) {
  const to = (point) => point && [point[0] * x + dx, point[1] * y + dy];
  const [x0, y0, x1, y1] = face.box;
  return {
    box: [...to([x0, y0]), ...to([x1, y1])],
    eyes: face.eyes.map(to),
    nose: to(face.nose),
    mouth: face.mouth.map(to),
    chin: to(face.chin),
    cheeks: face.cheeks?.map(to) ?? null,
  };
}

/** The head by its landmarks alone: {eyes, rollDeg, crown, chin, apart, height}, in pixels. */
export function estimateHead({ eyes: [[lx, ly], [rx, ry]], mouth, chin }) {
  const eyes = [(lx + rx) / 2, (ly + ry) / 2];
  const roll = Math.atan2(ry - ly, rx - lx);
  const below = ([x, y]) => (y - eyes[1]) * Math.cos(roll) - (x - eyes[0]) * Math.sin(roll);
  const lips = [(mouth[0][0] + mouth[1][0]) / 2, (mouth[0][1] + mouth[1][1]) / 2];
  const apart = Math.hypot(rx - lx, ry - ly);
  const guess = Math.max(apart * CHIN_PER_EYES, below(lips) * CHIN_PER_MOUTH);
  const [least, most] = CHIN_LIMITS.map((limit) => guess * limit);
  const down = chin ? Math.min(Math.max(below(chin), least), most) : guess;
  return head(eyes, (roll * 180) / Math.PI, down * SKULL_PER_CHIN, down, apart);
}

/** The head with its crown at the top of the hair, as the matte shows it. */
export function measureHead(face, matte) {
  const skull = estimateHead(face);
  const [least, most] = [skull.crown * CROWN_LEAST, skull.crown * CROWN_MOST];
  const scale = PATCH_CHIN_PX / skull.chin;
  const half = evenly(PATCH_CHIN_PX * CROWN_HALF_WIDTH);
  const rows = Math.ceil(most * scale);
  const upright = similarity(skull.eyes, [half, rows], scale, skull.rollDeg);
  const { alpha, box } = matte;
  const fromGrid = inverse(onto(box, [alpha.width, alpha.height]));
  const patch = warp(alpha, chain(fromGrid, upright), 2 * half, rows);
  let crown = most;
  for (let row = rows - evenly(least * scale) - 1; row >= 0; row--) {
    const columns = patch.data.subarray(row * 2 * half, (row + 1) * 2 * half);
    if (columns.filter((value) => value > 0.5).length / (2 * half) < CROWN_COVER) {
      crown = (rows - 1 - row) / scale;
      break;
    }
  }
  // The matte is continued above the photo's edge; the head we have ends there.
  const edge = skull.eyes[1] / Math.cos((skull.rollDeg * Math.PI) / 180);
  const seen = Math.min(Math.max(crown, least), edge);
  return head(skull.eyes, skull.rollDeg, seen, skull.chin, skull.apart);
}

function head(eyes, rollDeg, crown, chin, apart) {
  return { eyes, rollDeg, crown, chin, apart, height: crown + chin };
}
