// What the service makes of one photo. The photo is sent once: afterwards a token stands for it,
// as long as the service keeps the cut-out.

import { ask, Problem } from "./api.js";
import { fromBase64 } from "./pictures.js";

export const STRAIGHT = Object.freeze({ zoom: 1, shift_x: 0, shift_y: 0, turn: 0 });

const OPTIONAL = ["reuse", "cutout", "zoom", "shift_x", "shift_y", "turn"];
// Parameters that a route of this service does not know, or that its settings turn off.
const unknown = new Map();

/** Whether photos can be moved within their frame. */
export function canNudge() {
  return !["zoom", "shift_x", "shift_y", "turn"].some((name) => lacks("v1/photos", name));
}

/** Whether nothing was moved. */
export function isStraight(nudge) {
  return Object.keys(STRAIGHT).every((name) => nudge[name] === STRAIGHT[name]);
}

/**
 * One finished photo: its blob and what the service says of it. `source` is {blob, name, token};
 * its token, and in which quality its person was cut out, are kept in it.
 */
export async function make(source, order, nudge, signal) {
  const json = { Accept: "application/json" };
  const answer = await post("v1/photos", source, order, nudge, { signal, headers: json });
  const body = await answer.json();
  if (body.cutout?.token) {
    Object.assign(source, { token: body.cutout.token, quality: qualityOf(order) });
  }
  const photo = body.photos[0];
  const applied = body.nudge ?? photo.nudge ?? nudge;
  return { ...photo, nudge: applied, blob: fromBase64(photo.data_base64, photo.media_type) };
}

/** All variants of an order, as one zip; or one picture where there is only one. */
export async function zip(source, order, nudge, signal) {
  return (await post("v1/photos", source, order, nudge, { signal })).blob();
}

/** A sheet for print: its blob, and how many photos are on it. */
export async function sheet(source, order, nudge, signal) {
  const answer = await post("v1/sheets", source, order, nudge, { signal });
  const counts = (answer.headers.get("X-Photos") ?? "").match(/=(\d+)/g) ?? [];
  const count = counts.reduce((sum, each) => sum + Number(each.slice(1)), 0);
  return { blob: await answer.blob(), count };
}

async function post(path, source, order, nudge, options) {
  for (;;) {
    const form = filled(path, source, order, nudge);
    try {
      return await ask(path, { method: "POST", body: form, ...options });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 410 && form.has("cutout")) {
        source.token = null; // Kept no longer: the photo goes out again, and nobody need know.
        continue;
      }
      const name = OPTIONAL.find(
        (each) => form.has(each) && new RegExp(`\\b${each}\\b`).test(problem.message),
      );
      const keepsNone = problem.code === "bad_parameter" && ["reuse", "cutout"].includes(name);
      if (!name || !(problem.code === "unknown_parameter" || keepsNone)) throw problem;
      unknown.set(path, (unknown.get(path) ?? new Set()).add(name));
    }
  }
}

function filled(path, source, order, nudge) {
  const form = new FormData();
  const give = (name, value) => {
    if (!lacks(path, name)) form.append(name, value);
  };
  const same = source.quality === qualityOf(order);
  const byToken = source.token && same && !lacks(path, "cutout");
  if (byToken) give("cutout", source.token);
  else {
    form.append("photo", source.blob, source.name);
    give("reuse", "true");
  }
  for (const [name, value] of order) form.append(name, value);
  for (const [name, value] of Object.entries(nudge)) {
    if (value !== STRAIGHT[name]) give(name, String(value));
  }
  return form;
}

function qualityOf(order) {
  return order.find(([name]) => name === "quality")?.[1] ?? "best";
}

function lacks(path, name) {
  return unknown.get(path)?.has(name) ?? false;
}
