// Small pictures of finished photos, fetched where they are looked at, a few at a time.

import { ask } from "./api.js";

const AT_ONCE = 4;
const KEPT = 400;
const urls = new Map();
let waiting = [];
let running = 0;

/** Shows the picture in the image, now or once it has come; not where the row is gone by then. */
export function showThumb(image, path) {
  const known = urls.get(path);
  if (known) {
    image.src = known;
    return;
  }
  waiting = waiting.filter((each) => each.image.isConnected);
  waiting.push({ image, path });
  work();
}

/** Forgets all pictures. */
export function forgetThumbs() {
  for (const url of urls.values()) URL.revokeObjectURL(url);
  urls.clear();
  waiting = [];
}

async function work() {
  if (running >= AT_ONCE) return;
  // The newest first: that is what somebody looks at.
  const next = waiting.pop();
  if (!next) return;
  running++;
  try {
    if (next.image.isConnected) {
      if (!urls.has(next.path)) urls.set(next.path, await fetched(next.path));
      next.image.src = urls.get(next.path);
      drop();
    }
  } catch {
    // Erased meanwhile: the row goes without.
  } finally {
    running--;
    work();
  }
  work();
}

async function fetched(path) {
  return URL.createObjectURL(await (await ask(path)).blob());
}

function drop() {
  for (const [path, url] of urls) {
    if (urls.size <= KEPT) return;
    URL.revokeObjectURL(url);
    urls.delete(path);
  }
}
