/** Growing waits with jitter. */
import type { Random } from "./clock.ts";

/** `delay` ± a fifth, uniform (spec 02 §6.2). Zero or negative gives the value itself. */
export function jitter(delayMs: number, random: Random): number {
  if (delayMs <= 0) return delayMs;
  const spread = delayMs / 5;
  return delayMs - spread + random() * 2 * spread;
}

/** Doubling back-off between two bounds, with ±20 % jitter on each wait. */
export class Backoff {
  #next: number;

  constructor(readonly firstMs: number, readonly maxMs: number, private readonly random: Random) {
    this.#next = firstMs;
  }

  /** The wait to take now, in ms; the next one doubles. */
  next(): number {
    const delay = this.#next;
    this.#next = Math.min(delay * 2, this.maxMs);
    return jitter(delay, this.random);
  }

  /** Back to the first wait. */
  reset(): void {
    this.#next = this.firstMs;
  }
}
