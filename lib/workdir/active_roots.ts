/** Env roots in use, counted, and the one way to delete one safely (spec 04 §11, 20.13). */

/** Owner of what must not be deleted. Check and deletion are one step: a deletion runs only where nothing is active. */
export class ActiveRoots {
  readonly #marks = new Map<string, number>();
  readonly #deleting = new Map<string, Promise<unknown>>();

  /** Marks a root until the returned function is called; "" marks nothing. Idempotent release. */
  mark(root: string): () => void {
    if (root === "") return () => {};
    this.#marks.set(root, (this.#marks.get(root) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#marks.get(root) ?? 1) - 1;
      if (left === 0) this.#marks.delete(root);
      else this.#marks.set(root, left);
    };
  }

  /** True while a root is marked. */
  isActive(root: string): boolean {
    return this.#marks.has(root);
  }

  /** Waits for a deletion that began before the root was marked. */
  async settled(root: string): Promise<void> {
    await this.#deleting.get(root)?.catch(() => {}); // the deleter reports its own failure
  }

  /** Runs a deletion unless the root is active or being deleted; false when it was skipped. */
  async deleteUnlessActive(root: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#marks.has(root) || this.#deleting.has(root)) return false;
    const job = work();
    this.#deleting.set(root, job);
    try {
      await job;
      return true;
    } finally {
      this.#deleting.delete(root);
    }
  }
}
