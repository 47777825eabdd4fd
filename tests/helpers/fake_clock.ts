/** A clock that only moves when told to: timers fire in order of due time. */
import type { Clock, Timer } from "../../lib/core/mod.ts";

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
}

/** So many timers at one moment are one that is set anew for ever. */
const STANDSTILL = 20_000;

/** How {@link FakeClock.advance} lets the world go on between timers. */
export interface AdvanceOptions {
  readonly io?: boolean | (() => Promise<void>);
  readonly grainMs?: number;
}

/** Starts at `startMs` (wall) and 0 (monotonic). */
export class FakeClock implements Clock {
  #wall: number;
  #mono = 0;
  #order = 0;
  /** Timers fired since time last moved. */
  #standing = 0;
  readonly #timers = new Set<Pending>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wall = startMs;
  }

  /** Whole milliseconds, as the machine's clock gives them. */
  now(): number {
    return Math.floor(this.#wall);
  }

  monotonic(): number {
    return this.#mono;
  }

  timer(delayMs: number, fn: () => void): Timer {
    if (this.#standing > STANDSTILL) {
      throw new Error(`the clock stands still: a timer of ${delayMs} ms again and again`);
    }
    const pending = { due: this.#mono + Math.max(0, delayMs), order: this.#order++, fn };
    this.#timers.add(pending);
    return { cancel: () => void this.#timers.delete(pending) };
  }

  /** Timers not yet fired or cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Monotonic time of the next timer, or undefined. */
  get nextDue(): number | undefined {
    return this.#next()?.due;
  }

  /** Jumps the wall clock without the monotonic one (suspend, clock set). */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  /**
   * Moves time forward by `ms`, firing every timer that comes due on the way. Between timers pending promise
   * reactions (and, with `io`, real I/O callbacks) get to run; a function as `io` says itself when all is quiet.
   * `grainMs`: timers due within so much time of each other wait for I/O only once, together.
   */
  async advance(ms: number, options: AdvanceOptions = {}): Promise<void> {
    const end = this.#mono + ms;
    const { io, grainMs = 0 } = options;
    await settle(io);
    let grainEnd = -Infinity;
    for (let next = this.#next(); next !== undefined && next.due <= end; next = this.#next()) {
      if (next.due > grainEnd) {
        if (grainEnd !== -Infinity) await settle(io);
        const again = this.#next();
        if (again === undefined || again.due > end) break;
        next = again;
        grainEnd = grainMs > 0 ? next.due + grainMs : -Infinity;
      }
      this.#standing = next.due > this.#mono ? 0 : this.#standing + 1;
      this.#move(next.due - this.#mono);
      this.#timers.delete(next);
      next.fn();
      await settle(grainMs > 0 ? false : io);
    }
    await settle(io);
    this.#move(end - this.#mono);
    await settle(io);
  }

  #move(ms: number): void {
    this.#mono += ms;
    this.#wall += ms;
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#timers) {
      if (
        first === undefined || timer.due < first.due || timer.due === first.due && timer.order < first.order
      ) {
        first = timer;
      }
    }
    return first;
  }
}

/** Lets promise reactions run; with `io` also a few turns of the event loop. */
async function settle(io: AdvanceOptions["io"] = false): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  if (typeof io === "function") await io();
  else if (io) { for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0)); }
}
