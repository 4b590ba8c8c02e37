// What this browser remembers from visit to visit: choices and ids of jobs, never photos or keys.

const PREFIX = "idphoto.";

/** What was kept under the name, else `otherwise`. */
export function recall(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise; // No storage, as in some private windows, or somebody else's value.
  }
}

/** Keeps the value where the browser lets us. */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Not kept: the page works all the same.
  }
}
