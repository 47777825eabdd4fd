/** Makes the engine's part of `/health` and hands it up when it changed, at most a few times a second. */
import type { HealthSnapshot } from "../api/mod.ts";
import type { Clock, Timer } from "../core/mod.ts";

/** Shortest time between two reports, ms. */
const GAP_MS = 200;

/** Coalesces changes into reports. */
export class HealthReporter {
  #timer: Timer | undefined;
  #closed = false;
  #last = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly make: () => HealthSnapshot,
    private readonly send: (health: HealthSnapshot) => void,
  ) {}

  /** Something of the snapshot may have changed. */
  changed(): void {
    if (this.#closed || this.#timer !== undefined) return;
    const wait = this.#last + GAP_MS - this.clock.monotonic();
    if (wait <= 0) return this.now();
    this.#timer = this.clock.timer(wait, () => this.now());
  }

  /** Reports at once. */
  now(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#closed) return;
    this.#last = this.clock.monotonic();
    this.send(this.make());
  }

  close(): void {
    this.now();
    this.#closed = true;
  }
}
