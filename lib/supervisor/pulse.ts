/** Is the engine's loop alive? Pings, and a verdict that one missed probe is not death (guides: engine hung). */
import type { Clock, Timer } from "../core/mod.ts";

/** Between two pings, ms. */
export const PING_MS = 5_000;
/** Unanswered pings in a row that make it hung. */
export const PINGS_TO_HUNG = 6;
/** The same for an engine that has not said a word yet: it loads its code, on a busy machine for long. */
export const PINGS_TO_STILLBORN = 24;
/** A tick later than this says that we were late ourselves (suspend, busy machine): nothing is counted. */
const OWN_LAG_MS = 2_500;

export interface PulsePorts {
  readonly clock: Clock;
  readonly ping: (id: number) => void;
  /** So many pings went unanswered while our own loop was on time and nothing else came from the engine. */
  readonly onHung: (silentMs: number) => void;
}

/** Watches one engine from {@link Pulse.start} to {@link Pulse.stop}. */
export class Pulse {
  #timer: Timer | undefined;
  #unanswered = 0;
  #limit = PINGS_TO_STILLBORN;
  #nextId = 1;
  #heardAt: number;
  #dueAt = 0;

  constructor(private readonly ports: PulsePorts) {
    this.#heardAt = ports.clock.monotonic();
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Any message is a sign of life: it left the engine's loop. */
  heard(): void {
    this.#unanswered = 0;
    this.#limit = PINGS_TO_HUNG;
    this.#heardAt = this.ports.clock.monotonic();
  }

  #schedule(): void {
    this.#dueAt = this.ports.clock.monotonic() + PING_MS;
    this.#timer = this.ports.clock.timer(PING_MS, () => this.#tick());
  }

  #tick(): void {
    const { clock, ping, onHung } = this.ports;
    const late = clock.monotonic() - this.#dueAt > OWN_LAG_MS;
    if (late) this.#unanswered = 0;
    if (this.#unanswered >= this.#limit) {
      this.stop();
      onHung(clock.monotonic() - this.#heardAt);
      return;
    }
    this.#unanswered++;
    ping(this.#nextId++);
    this.#schedule();
  }
}
