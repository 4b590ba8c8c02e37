// The private preview's own thread: it is told a photo and a document, and answers a file. It asks
// the service for its assets, and sends nothing.

import { encoded } from "./file.js";
import { crop, subject } from "./flow.js";
import { load } from "./nets.js";
import { Refusal } from "./refusal.js";

let nets = null;
let last = { key: null, person: null };
let turn = Promise.resolve();
const dropped = new Set();

onmessage = ({ data }) => {
  if (data.drop) dropped.add(data.drop);
  else turn = turn.then(() => answer(data));
};

async function answer({ id, base, order }) {
  // What was dropped meanwhile arrives between two tasks.
  await new Promise((resolve) => setTimeout(resolve));
  if (dropped.delete(id)) return;
  try {
    nets ??= load(base).catch((error) => {
      nets = null; // Asked for anew the next time.
      throw error;
    });
    postMessage({ id, ...(await finished(order, await nets)) });
  } catch (error) {
    const code = error instanceof Refusal ? error.code : "failed";
    postMessage({ id, code, text: String(error) });
  }
}

/** The same photo in another colour costs no further look. */
async function finished({ key, blob, document, background, format, mostBytes }, known) {
  if (last.key !== key) last = { key, person: await subject(blob, document, known) };
  const { person } = last;
  const made = crop(person, document);
  const file = await encoded(made, background, format, document.dpi, mostBytes);
  const { placement, scale } = made;
  return { file, placement, scale, certainty: person.sure, rollDeg: person.head.rollDeg };
}
