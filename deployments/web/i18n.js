// The language: strings, numbers, dates. An element knows its key, so it can be said anew.

import { keep, recall } from "./kept.js";

export const LANGUAGES = ["en", "zh"];
const SLOTS = { t: null, tLabel: "aria-label", tPlaceholder: "placeholder", tTitle: "title" };
const MARKED = "[data-t],[data-t-label],[data-t-placeholder],[data-t-title],[data-en]";

export let language = "en";
let strings = {};
let locale = "en";

/** Takes up the language that was chosen before, else the browser's. */
export async function begin() {
  const wanted = [recall("language"), ...(navigator.languages ?? [navigator.language])];
  const known = wanted.map((name) =>
    String(name ?? "")
      .slice(0, 2)
      .toLowerCase(),
  );
  await speak(known.find((name) => LANGUAGES.includes(name)) ?? "en");
}

/** Says everything in the language, and remembers it where a person chose it. */
export async function speak(name, chosen = false) {
  ({ default: strings } = await import(name === "zh" ? "./strings-zh.js" : "./strings-en.js"));
  language = name;
  const own = (navigator.languages ?? []).find((tag) => tag.toLowerCase().startsWith(name));
  locale = own ?? (name === "zh" ? "zh-CN" : "en");
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
  if (chosen) keep("language", name);
  for (const element of document.querySelectorAll(MARKED)) fill(element);
  document.dispatchEvent(new CustomEvent("language"));
}

/** The string, with its values filled in: {n}, or as a kind of value: {n|bytes}. */
export function t(key, values = {}) {
  let text = strings[key];
  if (text === undefined) throw new Error(`no string ${key}`);
  if (typeof text !== "string") {
    text = text[new Intl.PluralRules(locale).select(values.n)] ?? text.other;
  }
  return text.replace(/\{(\w+)(?:\|(\w+))?\}/g, (_, name, kind) => shown(values[name], kind));
}

/** The country's name in the language; "" for none. */
export function countryName(code) {
  if (!code) return "";
  return new Intl.DisplayNames([locale], { type: "region" }).of(code.toUpperCase()) ?? code;
}

/** The text of an answer that holds both languages. */
export function pick(said) {
  return said[language];
}

/** Sets what the element's keys say. */
export function fill(element) {
  const { dataset } = element;
  const values = dataset.values ? JSON.parse(dataset.values) : undefined;
  for (const [slot, attribute] of Object.entries(SLOTS)) {
    if (!(slot in dataset)) continue;
    const text = t(dataset[slot], values);
    if (attribute) element.setAttribute(attribute, text);
    else element.textContent = text;
  }
  if (dataset.en !== undefined) element.textContent = dataset[language];
}

function shown(value, kind) {
  if (kind === "bytes") return bytes(value);
  if (kind === "duration") return duration(value);
  if (kind === "time") {
    const style = { dateStyle: "medium", timeStyle: "short" };
    return new Intl.DateTimeFormat(locale, style).format(new Date(value));
  }
  if (kind === "percent") return number(value, { style: "percent" });
  if (kind === "signed") return number(value, { signDisplay: "exceptZero" });
  if (kind === "px") return String(value);
  if (kind === "key") return t(value);
  return typeof value === "number" ? number(value) : String(value ?? "");
}

function number(value, style = {}) {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 1, ...style }).format(value);
}

function bytes(value) {
  const step = value < 1000 ? 0 : value < 1e6 ? 1 : value < 1e9 ? 2 : 3;
  const unit = ["byte", "kilobyte", "megabyte", "gigabyte"][step];
  const size = value / 1000 ** step;
  const maximumFractionDigits = step > 1 && size < 100 ? 1 : 0;
  return number(size, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits });
}

function duration(seconds) {
  const style = (unit) => ({ style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 });
  if (seconds < 90) return number(Math.max(1, Math.round(seconds)), style("second"));
  if (seconds < 5400) return number(Math.round(seconds / 60), style("minute"));
  return number(seconds / 3600, { ...style("hour"), maximumFractionDigits: 1 });
}
