// The photos of a job as a list that is fetched where it is looked at.

import { askJson } from "./api.js";

const PAGE = 100;
const MOST = 500;

/** All photos by position, or those in one state. `changed` is told when rows have come. */
export class Rows {
  constructor(id, state, changed) {
    Object.assign(this, { id, state, changed });
    this.items = [];
    this.fresh = new Set();
    this.asking = new Set();
    this.next = -1;
  }

  /** The photo in this row, or undefined until it has come. */
  at(index) {
    return this.items[index];
  }

  /** Fetches what is missing or old of these rows. */
  need(from, to) {
    if (this.state) return this.#needNext(to);
    for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) {
      if (!this.fresh.has(page) && !this.asking.has(page)) this.#fetch(page);
    }
  }

  /** Takes in what events say: {position, state, error} each, or null where that is not known. */
  told(changes) {
    if (changes === null || this.state) {
      this.fresh.clear();
      this.old = true;
      return;
    }
    for (const { position, state, error } of changes) {
      const item = this.items[position];
      if (item) Object.assign(item, { state, error });
      this.fresh.delete(Math.floor(position / PAGE));
    }
  }

  async #fetch(page) {
    this.asking.add(page);
    this.fresh.add(page);
    try {
      const found = await this.#page(page * PAGE - 1, PAGE);
      for (const item of found.items) this.items[item.position] = item;
      this.changed();
    } catch {
      this.fresh.delete(page);
    } finally {
      this.asking.delete(page);
    }
  }

  // Rows of one state have no number of their own: they are read from the beginning.
  async #needNext(to) {
    if (this.asking.size || (!this.old && (this.next === null || this.items.length > to))) return;
    this.asking.add(0);
    const again = this.old;
    const wanted = again ? Math.max(to + 1, this.items.length) : to + 1;
    this.old = false;
    try {
      const items = again ? [] : this.items;
      let after = again ? -1 : this.next;
      while (after !== null && items.length < wanted) {
        const found = await this.#page(after, MOST);
        items.push(...found.items);
        after = found.next_after;
      }
      Object.assign(this, { items, next: after });
      this.changed();
    } catch {
      this.old = true;
    } finally {
      this.asking.clear();
    }
  }

  #page(after, limit) {
    const query = new URLSearchParams({ after, limit });
    if (this.state) query.set("state", this.state);
    return askJson(`v1/jobs/${this.id}/items?${query}`);
  }
}
