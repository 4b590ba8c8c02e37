// Sends a job, with its progress. What is cut off is sent again: the service knows it by its key.

import { address, headers, Problem, wait } from "./api.js";
import { t } from "./i18n.js";
import { askKey, key } from "./key.js";
import { hide } from "./notice.js";
import { shrink } from "./pictures.js";

const LARGE_BYTES = 1.5e6;
const LARGEST_PX = 2400;
const AT_ONCE = 4;
const CUT_OFF_S = 3;
const TRIES = 60;

/** Makes large photos smaller, a few at a time. `told` is given how many are done. */
export async function lessen(photos, told, signal) {
  const smaller = new Array(photos.length);
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < photos.length) {
      signal.throwIfAborted();
      const at = next++;
      const { file, name } = photos[at];
      const less = file.size > LARGE_BYTES ? await shrink(file, LARGEST_PX) : null;
      smaller[at] = { file: less ?? file, name };
      told(++done);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return smaller;
}

/** Sends the job; answers what the service says of it. `told` is given the share that is sent. */
export async function send(order, { photos, zip }, told, signal) {
  const form = new FormData();
  for (const [name, value] of order) form.append(name, value);
  if (zip) form.append("archive", zip.file, zip.name);
  else for (const { file, name } of photos) form.append("photo", file, name);
  const once = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16))
    .join("-");
  for (let tries = 1; ; tries++) {
    const answer = await posted(form, { ...headers(), "Idempotency-Key": once }, told, signal);
    if (answer.status === 200 || answer.status === 202) {
      hide("offline");
      hide("busy");
      return answer.body;
    }
    const seconds = Number(answer.later) || CUT_OFF_S;
    if (answer.status === 401) await askKey(key() !== null, signal);
    else if (tries < TRIES && answer.status === 0) await wait("offline", {}, CUT_OFF_S, signal);
    else if (tries < TRIES && (answer.status === 429 || answer.status === 503)) {
      await wait("busy", { n: Math.ceil(seconds) }, seconds, signal);
    } else throw new Problem(answer.status, answer.body ?? unknown(answer));
  }
}

// fetch does not tell how much of a body is sent.
function posted(form, head, told, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address("v1/jobs"));
    for (const [name, value] of Object.entries(head)) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => total && told(loaded / total);
    request.onerror = () => resolve({ status: 0 });
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onload = () =>
      resolve({
        status: request.status,
        body: request.response,
        later: request.getResponseHeader("Retry-After"),
        id: request.getResponseHeader("X-Request-Id"),
      });
    signal.addEventListener("abort", () => request.abort(), { once: true });
    if (signal.aborted) request.abort();
    request.send(form);
  });
}

function unknown({ id }) {
  return { detail: t("problem.unknown"), hint: t("problem.again"), request_id: id ?? "" };
}
