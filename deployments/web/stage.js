// The place where the photo is: empty, at work, finished, or with a reason why not.

import { hex } from "./colours.js";
import { button, h, put } from "./dom.js";
import { movable, nudgeBar } from "./nudge.js";
import { showLines } from "./overlay.js";
import { canNudge, isStraight } from "./photos.js";
import { cameraButton, chooser } from "./source.js";

const MAX_RATIO = 1.6;

/**
 * The stage: {element, empty, busy, done, trouble}. `take` is told a photo that is chosen,
 * `move` a function from nudge to nudge, `again` that the same is to be tried once more.
 */
export function buildStage({ take, move, again }) {
  const image = h("img", { alt: "", draggable: "false" });
  const lines = h("div", { class: "lines", "aria-hidden": "true" });
  const before = h("div", { class: "before" });
  const figure = h(
    "figure",
    { class: "photo", tabindex: "0", role: "group", label: "photo.keys" },
    image,
    before,
    lines,
  );
  const tools = h("div", { class: "tools" });
  const nudge = nudgeBar(move);
  const body = h("div", { class: "floor" });
  const bar = h("div", { class: "progress", role: "progressbar", label: "working", hidden: true });
  const element = h("section", { class: "stage", label: "stage" }, bar, body, tools);
  let url = null;
  let current = null;
  let comparing = null;

  const linesSwitch = toggle("lines", "lines.show", true, (on) => (lines.hidden = !on));
  const compareSwitch = toggle("compare", "compare", false, compare);
  movable(figure, move);

  async function compare(on) {
    comparing?.remove();
    comparing = null;
    figure.toggleAttribute("data-comparing", on);
    if (!on) return;
    const { slider } = await import("./compare.js");
    comparing = await slider(before, current.source.blob, current.photo);
    if (!comparing) compareSwitch.set(false);
  }

  return {
    element,
    empty() {
      element.dataset.state = "empty";
      rest();
      put(tools);
      put(body, invitation(take));
    },
    /**
     * `preview` is the address of the photo as it came, null where it cannot be shown. A finished
     * photo stays until the next one is there, unless that is of a `fresh` one.
     */
    busy(preview, fresh = false) {
      bar.hidden = false;
      element.setAttribute("aria-busy", "true");
      if (element.dataset.state === "done" && !fresh) return;
      element.dataset.state = "busy";
      put(tools);
      put(
        body,
        h(
          "div",
          { class: "at-work" },
          preview && h("img", { src: preview, alt: "" }),
          h("p", { t: "working" }),
        ),
      );
    },
    async done(photo, source, document, background) {
      rest();
      element.dataset.state = "done";
      const stale = url;
      url = URL.createObjectURL(photo.blob);
      image.src = url;
      await image.decode().catch(() => {});
      if (stale) URL.revokeObjectURL(stale);
      const ratio = document.size_mm[0] / document.size_mm[1];
      figure.style.setProperty("--ratio", Math.min(MAX_RATIO, ratio));
      figure.style.setProperty("--ground", hex(background) ?? "transparent");
      figure.style.setProperty("--drag", "none");
      figure.classList.toggle("none", hex(background) === null);
      const free = canNudge() && !photo.private;
      figure.toggleAttribute("data-movable", free);
      image.setAttribute("alt", "");
      current = { photo, source };
      if (!body.contains(figure)) put(body, figure);
      nudge.hidden = !free;
      nudge.toggleAttribute("data-moved", !isStraight(photo.nudge));
      put(
        tools,
        nudge,
        h(
          "div",
          { class: "row" },
          linesSwitch.element,
          source.url && compareSwitch.element,
          chooser("plain", "another", take),
        ),
      );
      await showLines(lines, photo, document);
      if (comparing) await compare(true);
    },
    /** Why there is no photo: a problem, or nothing where it was stopped; and what one can do. */
    trouble(problem, preview, ...buttons) {
      rest();
      element.dataset.state = "trouble";
      put(tools);
      const said = problem
        ? [
            h("h2", { text: problem.message }),
            h("p", { text: problem.hint }),
            problem.status >= 500 &&
              problem.requestId &&
              h("p", { class: "dim", t: ["problem.id", { id: problem.requestId }] }),
          ]
        : [h("h2", { t: "stopped" })];
      const message = h(
        "div",
        { class: "trouble", role: "alert" },
        preview && h("img", { src: preview, alt: "" }),
        ...said,
        h(
          "div",
          { class: "row wrap" },
          ...buttons,
          chooser(buttons.length ? "quiet" : "primary", "another", take),
          cameraButton("quiet", take),
          button({ class: "plain", t: "again", on: { click: again } }),
        ),
      );
      put(body, message);
    },
  };

  function rest() {
    bar.hidden = true;
    element.removeAttribute("aria-busy");
  }
}

function invitation(take) {
  return h(
    "div",
    { class: "invitation" },
    h("div", { class: "guide", "aria-hidden": "true" }),
    h("h2", { t: "invite" }),
    h(
      "div",
      { class: "row wrap" },
      chooser("primary", "choose", take),
      cameraButton("quiet", take),
    ),
    h("p", { class: "dim", t: "invite.hint" }),
  );
}

function toggle(iconName, key, begun, turn) {
  const element = button(
    { class: "plain", t: key, "aria-pressed": String(begun), on: { click: () => set(!on()) } },
    iconName,
  );
  const on = () => element.getAttribute("aria-pressed") === "true";
  function set(to) {
    element.setAttribute("aria-pressed", String(to));
    turn(to);
  }
  return { element, set };
}
