// A photo by the camera, with a guide for head and shoulders.

import { button, h, put, s } from "./dom.js";
import { canvas } from "./pictures.js";

const WANTED = { width: { ideal: 1920 }, height: { ideal: 1440 } };

/** Opens the dialog. Answers a JPEG, or null. */
export async function photograph() {
  let facing = "user";
  let stream = null;
  let close;
  const closed = new Promise((resolve) => (close = resolve));
  const video = h("video", { autoplay: true, playsinline: true, "aria-hidden": "true" });
  video.muted = true;
  const finder = h("div", { class: "finder" }, video, guide());
  const shoot = button({ class: "primary", t: "camera.shoot", on: { click: capture } }, "camera");
  const turn = button(
    { class: "quiet", t: "camera.turn", hidden: true, on: { click: other } },
    "clockwise",
  );
  const said = h("p", { class: "dim", role: "status", t: "camera.hint" });
  const box = h(
    "dialog",
    { class: "camera", "aria-labelledby": "camera-title" },
    h(
      "div",
      { class: "row" },
      h("h2", { id: "camera-title", t: "take" }),
      button({ class: "plain round", label: "close", on: { click: () => box.close() } }, "close"),
    ),
    finder,
    said,
    h("div", { class: "row wrap middle" }, shoot, turn),
  );
  box.addEventListener("close", () => {
    stop();
    box.remove();
    close(null);
  });
  document.body.append(box);
  box.showModal();
  shoot.disabled = true;
  await start();
  return closed;

  async function start() {
    stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { ...WANTED, facingMode: facing },
      });
    } catch (error) {
      const refused = error.name === "NotAllowedError";
      put(said, h("span", { class: "bad", t: refused ? "camera.refused" : "camera.none" }));
      return;
    }
    if (!box.open) return stop();
    video.srcObject = stream;
    // A mirror is what people expect of themselves; the photo is not mirrored.
    video.classList.toggle("mirror", facing === "user");
    await video.play().catch(() => {});
    shoot.disabled = false;
    shoot.focus();
    const cameras = await navigator.mediaDevices.enumerateDevices();
    turn.hidden = cameras.filter(({ kind }) => kind === "videoinput").length < 2;
  }

  function stop() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
  }

  function other() {
    facing = facing === "user" ? "environment" : "user";
    start();
  }

  function capture() {
    const [element, context] = canvas(video.videoWidth, video.videoHeight);
    context.drawImage(video, 0, 0);
    element.toBlob(
      (blob) => {
        close(blob && new File([blob], "camera.jpg", { type: blob.type }));
        box.close();
      },
      "image/jpeg",
      0.95,
    );
  }
}

function guide() {
  const head = "M50 17c13 0 20 9.500 20 22 0 14-8.500 27-20 27s-20-13-20-27c0-12.500 7-22 20-22Z";
  const shoulders = "M42 64v7c-12 4-26 8-29 29M58 64v7c12 4 26 8 29 29";
  return s(
    "svg",
    { class: "head-guide", viewBox: "0 0 100 100", "aria-hidden": "true" },
    s("path", { d: head }),
    s("path", { d: shoulders }),
    s("path", { d: "M34 40h32", class: "faint" }),
  );
}
