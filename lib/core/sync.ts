/** Small abortable synchronisation: semaphore, mutex, one-slot notice, broadcast. */
import type { Clock } from "./clock.ts";

/** Counts permits; a waiter that aborts leaves the queue and never swallows a permit. FIFO. */
export class Semaphore {
  #free: number;
  readonly #waiters: { resolve: () => void }[] = [];

  constructor(permits: number) {
    this.#free = permits;
  }

  /** Permits not taken. */
  get free(): number {
    return this.#free;
  }

  /** Takes a permit if one is free right now. */
  tryAcquire(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Waits for a permit. */
  acquire(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.tryAcquire()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** Gives a permit back; the longest waiter gets it. */
  release(): void {
    const next = this.#waiters.shift();
    if (next) next.resolve();
    else this.#free++;
  }
}

/** Mutual exclusion with an abortable wait. */
export class Mutex {
  readonly #permit = new Semaphore(1);

  get locked(): boolean {
    return this.#permit.free === 0;
  }

  /** Runs `work` alone. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#permit.acquire(signal);
    try {
      return await work();
    } finally {
      this.#permit.release();
    }
  }
}

/** A one-slot wake flag: many notices before a wait collapse to one, none is missed. One waiter at a time. */
export class Notice {
  #set = false;
  #wake: (() => void) | undefined;

  /** Takes the flag with `wake` when it is set next; the returned function gives up. */
  once(wake: () => void): () => void {
    this.#wake = () => {
      this.#wake = undefined;
      this.#set = false;
      wake();
    };
    return () => this.#wake = undefined;
  }

  /** Sets the flag, ending the wait in progress if there is one. Never blocks. */
  notify(): void {
    this.#set = true;
    this.#wake?.();
  }

  /** Takes the flag without waiting. */
  take(): boolean {
    const was = this.#set;
    this.#set = false;
    return was;
  }

  /** Waits until the flag is set and takes it. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.take()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        giveUp();
        reject(signal?.reason);
      };
      const giveUp = this.once(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/** Waits for a notice, at most `ms`; one that is already there costs no timer. True when it came. Rejects when the signal aborts. */
export function waitAtMost(
  clock: Clock,
  notice: Notice,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return Promise.reject(signal.reason);
  if (notice.take()) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      timer.cancel();
      giveUp();
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    const timer = clock.timer(ms, () => end(() => resolve(false)));
    const giveUp = notice.once(() => end(() => resolve(true)));
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Synchronous publish/subscribe for values that several parties hear. */
export class Broadcast<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Calls every listener, in order of subscription. */
  publish(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Hears every later value until the returned function is called. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
