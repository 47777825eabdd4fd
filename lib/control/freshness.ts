/** When each runtime was last acknowledged on the socket (spec 02 §7.2). */
import type { Clock } from "../core/mod.ts";

/** Marks of one socket's life; all gone when it disconnects. */
export class Freshness {
  readonly #marks = new Map<string, number>();
  readonly #windowMs: number;

  /** The window is twice the interval, 30 s for an interval ≤ 0. */
  constructor(private readonly clock: Clock, intervalMs: number) {
    this.#windowMs = intervalMs > 0 ? 2 * intervalMs : 30_000;
  }

  mark(runtimeId: string): void {
    this.#marks.set(runtimeId, this.clock.monotonic());
  }

  /** Acknowledged less than a window ago. */
  fresh(runtimeId: string): boolean {
    const last = this.#marks.get(runtimeId);
    return last !== undefined && this.clock.monotonic() - last < this.#windowMs;
  }

  forget(runtimeId: string): void {
    this.#marks.delete(runtimeId);
  }

  clear(): void {
    this.#marks.clear();
  }
}
