// Where several people are in a photo: a rectangle around the one that is meant.

import { button, h } from "./dom.js";
import { cut, decode } from "./pictures.js";

const STEP = 0.02;
const SMALLEST = 0.08;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Opens the dialog. Answers the part of the photo that was chosen, or null. */
export async function chooseOne(source) {
  const picture = await decode(source.blob);
  if (!picture) return null;
  let box = { x: 0.3, y: 0.1, width: 0.4, height: 0.8 };
  let close;
  const closed = new Promise((resolve) => (close = resolve));
  const frame = h("div", { class: "crop-box", tabindex: "0", role: "group", label: "crop.keys" });
  const area = h(
    "div",
    { class: "crop-area" },
    h("img", { src: source.url, alt: "", draggable: "false" }),
    frame,
  );
  const dialog = h(
    "dialog",
    { class: "wide", "aria-labelledby": "crop-title" },
    h(
      "div",
      { class: "row" },
      h("h2", { id: "crop-title", t: "crop.one" }),
      button(
        { class: "plain round", label: "close", on: { click: () => dialog.close() } },
        "close",
      ),
    ),
    h("p", { class: "dim", t: "crop.hint" }),
    area,
    h(
      "div",
      { class: "row end" },
      button({ class: "primary", t: "crop.use", on: { click: use } }, "check"),
    ),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    picture.close();
    close(null);
  });
  frame.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const [dx, dy] = [arrow[0] * STEP, arrow[1] * STEP];
    const { x, y, width, height } = box;
    const next = event.shiftKey
      ? { x, y, width: width + dx, height: height + dy }
      : { x: x + dx, y: y + dy, width, height };
    place(next);
  });
  drag(area, () => box, place);
  document.body.append(dialog);
  dialog.showModal();
  place(box);
  frame.focus();
  return closed;

  function place(next) {
    const width = Math.min(1, Math.max(SMALLEST, next.width));
    const height = Math.min(1, Math.max(SMALLEST, next.height));
    const x = Math.min(1 - width, Math.max(0, next.x));
    const y = Math.min(1 - height, Math.max(0, next.y));
    box = { x, y, width, height };
    for (const [name, value] of Object.entries(box)) frame.style.setProperty(`--${name}`, value);
  }

  async function use() {
    const [w, high] = [picture.width, picture.height];
    const part = { x: box.x * w, y: box.y * high, width: box.width * w, height: box.height * high };
    const blob = await cut(picture, part);
    close(blob && new File([blob], source.name, { type: blob.type }));
    dialog.close();
  }
}

/** A drag within the rectangle moves it, by a corner changes it, and elsewhere draws a new one. */
function drag(area, current, place) {
  let change = null;
  const at = (event) => {
    const { left, top, width, height } = area.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  };
  area.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    area.setPointerCapture(event.pointerId);
    const [x, y] = at(event);
    const box = { ...current() };
    const corner = cornerAt(box, x, y);
    const inside = x > box.x && y > box.y && x < box.x + box.width && y < box.y + box.height;
    if (!corner && inside)
      change = ([nx, ny]) => ({ ...box, x: box.x + nx - x, y: box.y + ny - y });
    else {
      const [fx, fy] = corner ?? [x, y];
      change = ([nx, ny]) => ({
        x: Math.min(fx, nx),
        y: Math.min(fy, ny),
        width: Math.abs(nx - fx),
        height: Math.abs(ny - fy),
      });
    }
  });
  area.addEventListener("pointermove", (event) => change && place(change(at(event).map(inRange))));
  area.addEventListener("pointerup", () => (change = null));
  area.addEventListener("pointercancel", () => (change = null));
}

/** The corner opposite to the one that lies there, or null. */
function cornerAt({ x, y, width, height }, px, py) {
  const near = 0.035;
  for (const [cx, ox] of [
    [x, x + width],
    [x + width, x],
  ]) {
    for (const [cy, oy] of [
      [y, y + height],
      [y + height, y],
    ]) {
      if (Math.abs(px - cx) < near && Math.abs(py - cy) < near) return [ox, oy];
    }
  }
  return null;
}

function inRange(value) {
  return Math.min(1, Math.max(0, value));
}
