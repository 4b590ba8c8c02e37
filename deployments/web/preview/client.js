// The page's side of the private preview: orders go to a worker, finished photos come back.

import { Problem } from "../api.js";
import { hex, TRANSPARENT } from "../colours.js";
import { t } from "../i18n.js";
import { STRAIGHT } from "../photos.js";
import { checked } from "./checks.js";

const REFUSED = 422;
const base = new URL(document.documentElement.dataset.preview, document.baseURI).href;
const waiting = new Map();
const keys = new WeakMap();
let worker = null;
let place = null;
let orders = 0;

/** One finished photo, as photos.make gives it. Throws Problem, or AbortError. */
export async function make(source, of, background, fields, signal) {
  if (!of.id) throw problem("own_size");
  const wanted = Object.fromEntries(fields);
  const usual = background === TRANSPARENT ? "png" : "jpeg";
  const answer = await asked(
    {
      key: keyOf(source.blob, of.id),
      blob: source.blob,
      document: of,
      background: rgb(hex(background)),
      format: wanted.format ?? usual,
      mostBytes: Math.min(1000 * (wanted.max_kb ?? Infinity), of.bytes_limit?.[1] ?? Infinity),
    },
    signal,
  );
  if (answer.code) throw problem(answer.code, answer.text);
  const { file } = answer;
  return {
    private: true,
    blob: file,
    media_type: file.type,
    size_px: of.size_px,
    document: of.id,
    background,
    nudge: STRAIGHT,
    file: file.type === "image/webp" ? null : { dpi: of.dpi },
    checks: await checked(answer, of, base),
  };
}

function asked(order, signal) {
  worker ??= started();
  const id = ++orders;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    signal.addEventListener(
      "abort",
      () => {
        waiting.delete(id);
        worker?.postMessage({ drop: id });
        reject(new DOMException("stopped", "AbortError"));
      },
      { once: true },
    );
    worker.postMessage({ id, base, order });
  });
}

function started() {
  place ??= address();
  const made = new Worker(place, { type: "module" });
  made.onmessage = ({ data }) => {
    waiting.get(data.id)?.resolve(data);
    waiting.delete(data.id);
  };
  made.onerror = (event) => {
    for (const { resolve } of waiting.values()) resolve({ code: "failed", text: event.message });
    waiting.clear();
    worker = null; // The next order starts another one.
  };
  return made;
}

/** Of the one worker that the Content-Security-Policy lets this page start. */
function address() {
  const own = new URL("worker.js", import.meta.url).href;
  const pass = { createScriptURL: () => own };
  return globalThis.trustedTypes?.createPolicy("preview", pass).createScriptURL(own) ?? own;
}

/** The same for the same photo and document, so that it is looked at once. */
function keyOf(blob, id) {
  if (!keys.has(blob)) keys.set(blob, ++orders);
  return `${keys.get(blob)} ${id}`;
}

function problem(code, text) {
  if (code === "failed") console.warn(text);
  const [detail, hint] = [t(`private.${code}`), t(`private.${code}.hint`)];
  return new Problem(REFUSED, { code, detail, hint });
}

function rgb(colour) {
  return colour && [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}
