// Where a photo comes from: chosen, dropped, pasted, or taken.

import { button, h } from "./dom.js";

const KINDS = "image/*,.heic,.heif,.avif";
let waiting = null;

/** A button that opens the browser's choice of a file. */
export function chooser(className, key, take) {
  const input = picker({ accept: KINDS }, ([file]) => file && take(file));
  const open = button({ class: className, t: key, on: { click: () => input.click() } }, "upload");
  return h("span", { class: "choose" }, open, input);
}

/** A button that takes a photo with the camera, or with the phone's own camera application. */
export function cameraButton(className, take) {
  const own = picker({ accept: "image/*", capture: "user" }, ([file]) => file && take(file));
  const open = async () => {
    // Browsers lend the camera to pages of this machine or by https alone.
    if (!navigator.mediaDevices?.getUserMedia) return own.click();
    const { photograph } = await import("./camera.js");
    const photo = await photograph();
    if (photo) take(photo);
  };
  const opener = button({ class: className, t: "take", on: { click: open } }, "camera");
  return h("span", { class: "choose" }, opener, own);
}

/** An input of files that shows nothing itself. */
export function picker(attributes, take) {
  const input = h("input", {
    type: "file",
    class: "hidden",
    tabindex: "-1",
    "aria-hidden": "true",
    ...attributes,
    on: {
      change: () => {
        take([...input.files]);
        input.value = ""; // The same file may be chosen again.
      },
    },
  });
  return input;
}

/** Takes what is dropped anywhere on the page, or pasted, while the view is shown. */
export function catchPhotos(view, take) {
  addEventListener("dragover", (event) => {
    event.preventDefault();
    if (!view.hidden) view.toggleAttribute("data-over", true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) view.removeAttribute("data-over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    view.removeAttribute("data-over");
    if (view.hidden) return;
    take([...event.dataTransfer.files], event.dataTransfer);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!view.hidden && files.length) take(files, null);
  });
}

/** Hands files over to the view for many photos, which may not be there yet. */
export function handOver(files) {
  waiting = files;
  location.hash = "#many";
  document.dispatchEvent(new CustomEvent("handed"));
}

/** The files that were handed over, once. */
export function handedOver() {
  const files = waiting;
  waiting = null;
  return files;
}
