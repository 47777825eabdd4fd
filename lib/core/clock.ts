/** Time and chance, handed in so that tests can drive them. Timers live here and nowhere else. */

/** A running timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** The one source of time. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, only good for differences. */
  monotonic(): number;
  /** Calls `fn` once after `delayMs` (≥ 0). */
  timer(delayMs: number, fn: () => void): Timer;
}

/** Uniform random numbers in [0, 1). */
export type Random = () => number;

const realSetTimeout = setTimeout;
const realClearTimeout = clearTimeout;

/** Longest delay a platform timer takes, 2^31−1 ms. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, fn) {
    const id = realSetTimeout(fn, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    return { cancel: () => realClearTimeout(id) };
  },
};

/** The machine's own chance. */
export const systemRandom: Random = () => Math.random();

/**
 * Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts.
 * A signal that is already aborted rejects without a timer.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** What {@link withDeadline} rejects with. */
export class DeadlineExceeded extends Error {
  override readonly name = "DeadlineExceeded";
  constructor(readonly what: string, readonly limitMs: number) {
    super(`${what} timed out after ${limitMs} ms`);
  }
}

/**
 * Runs `work` with a signal that aborts after `limitMs` or with the outer signal, and waits for the work to
 * end. Rejects with {@link DeadlineExceeded} when the limit was the cause.
 */
export async function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const abort = new AbortController();
  const onOuter = () => abort.abort(outer?.reason);
  if (outer?.aborted) throw outer.reason;
  outer?.addEventListener("abort", onOuter, { once: true });
  const deadline = new DeadlineExceeded(what, limitMs);
  const timer = clock.timer(limitMs, () => abort.abort(deadline));
  try {
    return await work(abort.signal);
  } catch (error) {
    throw abort.signal.reason === deadline ? deadline : error;
  } finally {
    timer.cancel();
    outer?.removeEventListener("abort", onOuter);
  }
}

/** Waits for `work`, but no longer than `limitMs` or the outer signal: then it rejects as {@link withDeadline} and `work` goes on alone. */
export function settleWithin<T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const wait = (signal: AbortSignal) =>
    new Promise<T>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      work.then(resolve, reject);
    });
  return withDeadline(clock, limitMs, what, wait, outer);
}
