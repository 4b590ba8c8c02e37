// What the two matting nets answer: models/matting.py, with what models/catalog.toml says of them.

import { byArea, raster } from "./raster.js";

const SALIENCY = { side: 320, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], own: true };
const PERSON = { side: 256, mean: [0, 0, 0], std: [1, 1, 1], own: false };
export const SIDES = { person: PERSON.side, saliency: SALIENCY.side };

/** What u2netp says of the views: {alpha, box} of each. */
export function saliency(views, nets) {
  return asked(views, nets.u2netp, SALIENCY);
}

/** What the selfie net says of the views. */
export function person(views, nets) {
  return asked(views, nets.selfie, PERSON);
}

async function asked(views, net, about) {
  const answers = [];
  for (const { picture, box } of views) {
    const [answer] = await net(normalised(picture, about), [1, 3, about.side, about.side]);
    const alpha = raster(about.side, about.side, 1, Float32Array);
    // The service passes alphas on in 8 bits.
    alpha.data.set(answer.data.map((v) => Math.round(Math.max(0, Math.min(1, v)) * 255) / 255));
    answers.push({ alpha, box });
  }
  return answers;
}

function normalised(picture, { side, mean, std, own }) {
  const { data } = byArea(picture, side, side);
  const scale = own ? Math.max(data.reduce((a, b) => Math.max(a, b)), 1) : 255;
  const plane = side * side;
  const values = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const [middle, spread] = [mean[channel], std[channel]];
    for (let at = 0; at < plane; at++) {
      values[channel * plane + at] = (data[3 * at + channel] / scale - middle) / spread;
    }
  }
  return values;
}
