// From the bytes of a photo to the person in a document's frame: pipeline/flow.py, in a browser.

import { chain, shift } from "./affine.js";
import { open, region } from "./decode.js";
import { findFaces } from "./faces.js";
import { foreground } from "./foreground.js";
import { neededScale, placeIn, planCrop, reach } from "./geometry.js";
import { estimateHead, measureHead, requireOne, requireWhole, scaled } from "./head.js";
import { certainty, keepPerson, render } from "./matte.js";
import { person, saliency, SIDES } from "./matting.js";
import { fuse } from "./fusion.js";
import { measured } from "./mesh.js";
import { cut, fit, glance } from "./raster.js";
import { closeBox, view, wideBox } from "./views.js";
import { warp } from "./warp.js";

const FACE_SIDE_PX = 640;
const FIRST_DECODE = 2;
const [FINE_ENOUGH, SHRINK] = [1.1, 0.5];

/** The person of the photo, found and cut out for the document. Throws Refusal. */
export async function subject(blob, document, nets) {
  const opened = await open(blob);
  try {
    return await found(opened, document, nets);
  } finally {
    opened.close();
  }
}

/** The person in the document's frame: {rgb, alpha, placement, scale}. */
export function crop({ face, head, matte, part, size, full }, document) {
  const plan = planCrop(face, head, document, size);
  const alpha = render(matte, plan, size);
  const fromPart = chain(shift(part.x, part.y), plan.matrix);
  const seen = warp(part.picture, fromPart, plan.width, plan.height);
  return {
    rgb: foreground(seen, alpha),
    alpha,
    placement: placeIn(plan, face, head, document),
    scale: (plan.scale * size[0]) / full[0],
  };
}

async function found(opened, document, nets) {
  const tallest = document.size_px[1];
  let photo = opened.at(Math.max(FACE_SIDE_PX, Math.round(FIRST_DECODE * tallest)));
  const small = glance(photo, FACE_SIDE_PX);
  let face = await oneFace(small, opened.full, nets);
  face = scaled(face, photo.width / small.width, photo.height / small.height);
  const scale = neededScale(estimateHead(face), document);
  const longer = Math.round(Math.max(photo.width, photo.height) * scale);
  if (scale > FINE_ENOUGH && photo.width < opened.full[0]) {
    const coarse = photo;
    photo = opened.at(longer);
    face = scaled(face, photo.width / coarse.width, photo.height / coarse.height);
    face = await again(photo, face, nets);
  } else if (scale < SHRINK) {
    const coarse = photo;
    photo = fit(photo, longer);
    face = scaled(face, photo.width / coarse.width, photo.height / coarse.height);
  }
  const skull = estimateHead(face);
  const size = [photo.width, photo.height];
  const own = reach(skull, document, size);
  const part = region(photo, own);
  const box = [part.x, part.y, part.x + part.picture.width, part.y + part.picture.height];
  const raw = await mattes(photo, small, skull, wideBox(skull, own, size), nets);
  const matte = keepPerson(fuse(...raw, box), face, skull);
  const head = measureHead(face, matte);
  return { face, head, matte, part, size, full: opened.full, sure: certainty(matte, skull) };
}

async function oneFace(small, full, nets) {
  const faces = await findFaces(small, nets);
  requireOne(faces);
  const face = await measured(small, faces[0], nets);
  requireWhole(face, small, full[0] / small.width);
  return face;
}

/** The same face by a look at its surroundings in the finer photo; as it was if none is seen. */
async function again(photo, face, nets) {
  const [x0, y0, x1, y1] = face.box;
  const wide = 1.5 * Math.max(x1 - x0, y1 - y0);
  const left = Math.max(0, Math.trunc(x0 - wide));
  const top = Math.max(0, Math.trunc(y0 - wide));
  const right = Math.min(photo.width, Math.trunc(x1 + wide));
  const bottom = Math.min(photo.height, Math.trunc(y1 + wide));
  const around = cut(photo, left, top, right, bottom);
  const small = glance(around, FACE_SIDE_PX);
  const zoom = around.width / small.width;
  const [first] = await findFaces(small, nets);
  if (!first) return face;
  const seen = scaled(await measured(small, first, nets), zoom, zoom, left, top);
  const middle = [(x0 + x1) / 2, (y0 + y1) / 2];
  const near = seen.nose.every((at, axis) => Math.abs(at - middle[axis]) < (y1 - y0) / 2);
  return near ? seen : face;
}

async function mattes(photo, small, head, wide, nets) {
  const first = view(photo, wide, Math.max(...Object.values(SIDES)), small);
  const close = closeBox(head, wide);
  const heads = close ? [first, view(photo, close, SIDES.person)] : [first];
  return [await person(heads, nets), await saliency([first], nets)];
}
