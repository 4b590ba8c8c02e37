// Moving the person within the frame: by buttons, by dragging and by keys.

import { button, h } from "./dom.js";
import { STRAIGHT } from "./photos.js";

// What the service takes.
const LIMITS = { zoom: [0.8, 1.25], shift_x: [-20, 20], shift_y: [-20, 20], turn: [-15, 15] };
const DIGITS = { zoom: 3, shift_x: 2, shift_y: 2, turn: 1 };
const STEP = { zoom: 0.02, shift_x: 0.5, shift_y: 0.5, turn: 0.5 };
const MOVES = [
  ["nudge.smaller", "minus", { zoom: -1 }, "-"],
  ["nudge.larger", "plus", { zoom: 1 }, "+"],
  ["nudge.left", "left", { shift_x: -1 }, "ArrowLeft"],
  ["nudge.right", "right", { shift_x: 1 }, "ArrowRight"],
  ["nudge.up", "up", { shift_y: -1 }, "ArrowUp"],
  ["nudge.down", "down", { shift_y: 1 }, "ArrowDown"],
  ["nudge.anticlockwise", "anticlockwise", { turn: -1 }, "["],
  ["nudge.clockwise", "clockwise", { turn: 1 }, "]"],
];
const KEYS = new Map([...MOVES.map(([, , move, key]) => [key, move]), ["=", { zoom: 1 }]]);
const RESET = "0";

/** The nudge after so many steps of each kind, within the limits. */
export function moved(nudge, steps) {
  const next = { ...nudge };
  for (const [name, count] of Object.entries(steps)) {
    const [low, high] = LIMITS[name];
    const value = Math.min(high, Math.max(low, nudge[name] + count * STEP[name]));
    next[name] = Number(value.toFixed(DIGITS[name]));
  }
  return next;
}

/** Buttons that move: an element. `move` takes a function from nudge to nudge. */
export function nudgeBar(move) {
  const buttons = MOVES.map(([label, iconName, steps]) =>
    button(
      {
        class: "plain round",
        label,
        title: label,
        on: { click: () => move((n) => moved(n, steps)) },
      },
      iconName,
    ),
  );
  const back = button(
    {
      class: "plain round",
      label: "nudge.reset",
      title: "nudge.reset",
      on: { click: () => move(() => STRAIGHT) },
    },
    "reset",
  );
  return h("div", { class: "nudge", role: "group", label: "nudge" }, ...buttons, back);
}

/**
 * Lets the figure be dragged, pinched and moved by keys. While a hand moves it, the picture follows
 * by itself; `move` is told at the end.
 */
export function movable(figure, move) {
  const pointers = new Map();
  let start = null;
  figure.addEventListener("keydown", (event) => {
    if (event.target !== figure || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = KEYS.get(event.key);
    if (!steps && event.key !== RESET) return;
    event.preventDefault();
    move((nudge) => (steps ? moved(nudge, steps) : STRAIGHT));
  });
  figure.addEventListener("pointerdown", (event) => {
    if (event.button || !figure.hasAttribute("data-movable")) return;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    figure.setPointerCapture(event.pointerId);
    start = { ...span(pointers), box: figure.getBoundingClientRect(), steps: null };
  });
  figure.addEventListener("pointermove", (event) => {
    if (!start || !pointers.has(event.pointerId)) return;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    const now = span(pointers);
    const [dx, dy] = [now.x - start.x, now.y - start.y];
    const zoom = start.distance ? now.distance / start.distance : 1;
    if (!start.steps && Math.hypot(dx, dy) < 3 && zoom === 1) return;
    start.steps = {
      shift_x: (100 * dx) / start.box.width / STEP.shift_x,
      shift_y: (100 * dy) / start.box.height / STEP.shift_y,
      zoom: (zoom - 1) / STEP.zoom,
    };
    figure.style.setProperty("--drag", `translate(${dx}px, ${dy}px) scale(${zoom})`);
  });
  const end = (event) => {
    if (!pointers.delete(event.pointerId) || !start || pointers.size) return;
    const { steps } = start;
    start = null;
    if (steps) move((nudge) => moved(nudge, steps));
  };
  figure.addEventListener("pointerup", end);
  figure.addEventListener("pointercancel", end);
}

function span(pointers) {
  const points = [...pointers.values()];
  const [[x, y], second] = points;
  if (!second) return { x, y, distance: 0 };
  const distance = Math.hypot(second[0] - x, second[1] - y);
  return { x: (x + second[0]) / 2, y: (y + second[1]) / 2, distance };
}
