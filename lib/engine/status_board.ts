/** One sentence a loop, about what it is doing now; shown by /health and `status`. */

/** Owner of the sentences. */
export class StatusBoard {
  readonly #sentences = new Map<string, string>();

  constructor(private readonly changed: () => void = () => {}) {}

  set(loop: string, sentence: string): void {
    if (this.#sentences.get(loop) === sentence) return;
    this.#sentences.set(loop, sentence);
    this.changed();
  }

  remove(loop: string): void {
    if (this.#sentences.delete(loop)) this.changed();
  }

  all(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#sentences);
  }
}
