// Requests to the service, which is wherever this page came from.

import { t, language } from "./i18n.js";
import { askKey, key } from "./key.js";
import { hide, show } from "./notice.js";

const LONGEST_WAIT_S = 30;
const TRIES = 40;
const OFFLINE_S = 3;
const CUT_OFF = 3;

/** Why the service did not do what it was asked for. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail);
    Object.assign(this, { status, code: document.code ?? `http_${status}` });
    this.hint = document.hint ?? "";
    this.requestId = document.request_id ?? "";
  }
}

/** The address of a path of the service. */
export function address(path) {
  return new URL(path, document.baseURI).href;
}

/** What every request tells: the language, and the key where there is one. */
export function headers() {
  const own = { "Accept-Language": language };
  if (key()) own.Authorization = `Bearer ${key()}`;
  return own;
}

/**
 * The answer, once there is one: waits and asks again where the service is busy or out of reach,
 * and for the key where it wants one. Throws Problem, or AbortError where `signal` says so.
 */
export async function ask(path, options = {}) {
  const { signal } = options;
  let broken = 0;
  for (let tries = 1; ; tries++) {
    let answer;
    try {
      answer = await fetch(address(path), {
        ...options,
        headers: { ...headers(), ...options.headers },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      // Reachable, but every time cut off within the request: as with an upload that is too large.
      if ((await reachable()) && ++broken >= CUT_OFF) throw new Problem(0, lost());
      await wait("offline", {}, OFFLINE_S, signal);
      continue;
    }
    hide("offline");
    if (answer.ok || answer.status === 304) {
      hide("busy");
      return answer;
    }
    if (answer.status === 401) {
      await askKey(key() !== null, signal);
      continue;
    }
    const problem = new Problem(answer.status, await told(answer));
    const later = answer.status === 429 || answer.status === 503;
    if (!later || tries >= TRIES) {
      hide("busy");
      throw problem;
    }
    const seconds = Math.min(LONGEST_WAIT_S, Number(answer.headers.get("Retry-After")) || 2);
    await wait("busy", { n: Math.ceil(seconds) }, seconds, signal);
  }
}

/** The JSON of an answer. */
export async function askJson(path, options = {}) {
  const answer = await ask(path, options);
  return answer.json();
}

/** The problem document of an answer, also where there is none. */
export async function told(answer) {
  try {
    return await answer.json();
  } catch {
    return { detail: t("problem.unknown"), hint: t("problem.again"), request_id: id(answer) };
  }
}

/** The seconds pass, or the network comes back; with a notice that says why. */
export async function wait(reason, values, seconds, signal) {
  show(reason, [`wait.${reason}`, values]);
  try {
    await new Promise((resolve, reject) => {
      const stop = () => reject(new DOMException("stopped", "AbortError"));
      if (signal?.aborted) stop();
      setTimeout(resolve, seconds * 1000);
      if (reason === "offline") addEventListener("online", resolve, { once: true });
      signal?.addEventListener("abort", stop, { once: true });
    });
  } catch (error) {
    hide(reason);
    throw error;
  }
}

async function reachable() {
  try {
    return navigator.onLine && (await fetch(address("healthz"))).ok;
  } catch {
    return false;
  }
}

function lost() {
  return { code: "cut_off", detail: t("problem.cut_off"), hint: t("problem.cut_off.hint") };
}

function id(answer) {
  return answer.headers.get("X-Request-Id") ?? "";
}
