// Before and after: the photo as it came, laid under a slider over the finished one.

import { inFrame } from "./align.js";
import { h, put } from "./dom.js";
import { decode } from "./pictures.js";

const SHARPNESS = 2;

/**
 * Puts the slider into the element; answers it, or null where the photo as it came cannot be shown.
 */
export async function slider(element, blob, photo) {
  const [original, finished] = await Promise.all([decode(blob), decode(photo.blob)]);
  const value = (code) => photo.checks.find((check) => check.code === code)?.value;
  const scale = value("enlargement");
  if (!original || !finished || !scale) return null;
  const degrees = (photo.nudge?.turn ?? 0) - (value("roll") ?? 0);
  const width =
    Math.min(finished.width, Math.round(element.clientWidth * SHARPNESS)) || finished.width;
  const picture = inFrame(original, finished, { scale, degrees }, width);
  original.close();
  finished.close();
  picture.className = "before-picture";
  const range = h("input", {
    type: "range",
    min: "0",
    max: "100",
    value: "50",
    label: "compare.slider",
  });
  const handle = h("span", { class: "handle", "aria-hidden": "true" });
  const show = () => element.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", show);
  show();
  const labels = [
    h("span", { class: "tag left", t: "compare.before" }),
    h("span", { class: "tag right", t: "compare.after" }),
  ];
  put(element, picture, ...labels, range, handle);
  return { remove: () => put(element) };
}
