/** Task slots: the numbers 0…n−1, handed out first in, first out (spec 01 §7.10). */

/** One taken slot. */
export interface Slot {
  /** `MULTICA_TASK_SLOT`; may change over a {@link Slot.lend}. */
  readonly index: number;
  /** A task works in it from now on; before that it was only in hand for a claim. */
  occupy(): void;
  /** Gives the slot back for good. Idempotent. */
  release(): void;
  /** Gives it back while the task waits for something else; nothing may run until {@link Slot.reclaim}. */
  lend(): void;
  /** Waits for a slot again after {@link Slot.lend}. */
  reclaim(signal: AbortSignal): Promise<void>;
}

/** The pool of one host, over all its runtimes. The longest waiter gets the next free slot at once. */
export class SlotPool {
  readonly #free: number[];
  readonly #waiters: { take: (index: number) => void }[] = [];
  /** Taken for a claim that has brought no task yet. */
  #inHand = 0;
  #onFreed: () => void = () => {};

  constructor(readonly size: number) {
    this.#free = Array.from({ length: size }, (_, index) => index);
  }

  /** Slots nobody holds or waits for. */
  get free(): number {
    return this.#free.length;
  }

  get taken(): number {
    return this.size - this.#free.length;
  }

  /** Slots in which tasks work. */
  get occupied(): number {
    return this.taken - this.#inHand;
  }

  /** Parties waiting for a slot. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** Hears each slot that became free and went to nobody. */
  onFreed(fn: () => void): void {
    this.#onFreed = fn;
  }

  /** A slot right now, or undefined. */
  tryTake(): Slot | undefined {
    const index = this.#free.shift();
    return index === undefined ? undefined : this.#slot(index);
  }

  /** Waits for a slot. A waiter that aborts leaves the queue. */
  async take(signal: AbortSignal): Promise<Slot> {
    return this.#slot(await this.#takeIndex(signal));
  }

  #takeIndex(signal: AbortSignal): Promise<number> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const index = this.#free.shift();
    if (index !== undefined) return Promise.resolve(index);
    return new Promise((resolve, reject) => {
      const waiter = {
        take: (given: number) => {
          signal.removeEventListener("abort", onAbort);
          resolve(given);
        },
      };
      const onAbort = () => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  #give(index: number): void {
    const next = this.#waiters.shift();
    if (next) return next.take(index);
    this.#free.push(index);
    this.#onFreed();
  }

  #slot(first: number): Slot {
    let held: number | undefined = first;
    let index = first;
    let occupied = false;
    this.#inHand++;
    const occupy = () => {
      if (occupied || held === undefined) return;
      occupied = true;
      this.#inHand--;
    };
    const giveBack = () => {
      if (held === undefined) return;
      occupy();
      const back = held;
      held = undefined;
      this.#give(back);
    };
    return {
      get index() {
        return index;
      },
      occupy,
      release: giveBack,
      lend: giveBack,
      reclaim: async (signal) => {
        if (held !== undefined) return;
        held = index = await this.#takeIndex(signal);
      },
    };
  }
}
