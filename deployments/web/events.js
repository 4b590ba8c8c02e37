// A job's progress as it happens. EventSource cannot send a key, so the stream is read here.

import { address, askJson, headers, Problem } from "./api.js";

const AGAIN_MS = 2000;

/**
 * Tells what happens to the job until it has ended, is gone, or `signal` stops it. `told` is given
 * {job, items}; items is null where nobody knows which photos changed.
 */
export async function follow(id, told, signal) {
  let cursor = 0;
  let known = false;
  while (!signal.aborted) {
    try {
      for await (const message of messages(id, cursor, signal)) {
        cursor = message.cursor;
        known = true;
        if (message.job) told({ job: message.job, items: message.items });
        if (message.type === "end") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status === 404) throw error;
      // No stream now: its places are taken, or the network is gone. The job can be asked for.
      const job = await askJson(`v1/jobs/${id}`, { signal });
      told({ job, items: null });
      if (ended(job) && known && cursor >= job.cursor) return;
      if (ended(job) && !(error instanceof TypeError)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** Whether nothing will happen to the job any more by itself. */
export function ended(job) {
  return job.state === "done" || job.state === "cancelled";
}

async function* messages(id, cursor, signal) {
  const answer = await fetch(address(`v1/jobs/${id}/events?cursor=${cursor}`), {
    headers: { ...headers(), Accept: "text/event-stream" },
    signal,
  });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6));
    }
  }
}
