// Elements out of values. Text is set as text, never as markup.

import { fill } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. Properties: `t` a string's key or [key, values]; `label`, `placeholder` and `title`
 * the same for what their name says; `said` {en, zh} of the service's own texts; `text` as it is;
 * `on` listeners; `style` custom properties; all else attributes, left out where false or null.
 */
export function h(tag, properties = {}, ...children) {
  return dress(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function s(tag, properties = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), properties, children);
}

/** An icon of the page's sprite. */
export function icon(name) {
  return s("svg", { class: "icon", "aria-hidden": "true" }, s("use", { href: `#i-${name}` }));
}

/** A button with a text, an icon or both. */
export function button(properties, iconName, ...children) {
  const { t, ...others } = properties;
  return h(
    "button",
    { type: "button", ...others },
    iconName && icon(iconName),
    t && h("span", { t }),
    ...children,
  );
}

/** Gives the element a text of ours: a key or [key, values]. */
export function say(element, key) {
  mark(element, "t", key);
  fill(element);
}

/** Takes all children out and puts these in. */
export function put(element, ...children) {
  element.replaceChildren(...children.filter(Boolean));
  return element;
}

/** Downloads the blob, or what lies at an address, under a name. */
export function download(from, name) {
  const url = typeof from === "string" ? from : URL.createObjectURL(from);
  const link = h("a", { href: url, download: name, class: "hidden" });
  document.body.append(link);
  link.click();
  link.remove();
  // Browsers begin to read it a moment later.
  if (url !== from) setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function dress(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [type, listen] of Object.entries(value)) element.addEventListener(type, listen);
    } else if (name === "style") {
      for (const [key, to] of Object.entries(value)) element.style.setProperty(key, to);
    } else if (name === "t") mark(element, "t", value);
    else if (name === "label") mark(element, "tLabel", value);
    else if (name === "placeholder") mark(element, "tPlaceholder", value);
    else if (name === "title") mark(element, "tTitle", value);
    else if (name === "said") Object.assign(element.dataset, { en: value.en, zh: value.zh });
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child || child === 0));
  fill(element);
  return element;
}

function mark(element, slot, key) {
  const [name, values] = Array.isArray(key) ? key : [key, null];
  element.dataset[slot] = name;
  if (values) element.dataset.values = JSON.stringify(values);
  else if (slot === "t") delete element.dataset.values;
}
