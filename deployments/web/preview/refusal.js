// Why there is no finished photo.

/** `code` names a string of the page: preview.<code>. */
export class Refusal extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}
