/** Retry schedules as data, and the one runner for them (spec 01 §1.6). */
import { type Clock, sleep } from "../core/mod.ts";
import { RequestError } from "./errors.ts";
import { isTransient } from "./predicates.ts";

/** Sleeps of the contract's terminal schedule, ms. Our outbox goes on for ever instead; this one is for one-shot callers. */
export const TERMINAL_DELAYS_MS: readonly number[] = [4_000, 8_000, 16_000, 32_000, 64_000];

/** Sleeps between the attempts of an asynchronous report, ms: at once, +0.5, +2, +4 s. */
export const REPORT_DELAYS_MS: readonly number[] = [500, 2_000, 4_000];

/** How a call is repeated. */
export interface Schedule {
  readonly clock: Clock;
  /** Sleeps between attempts, ms; one more attempt than sleeps. */
  readonly delaysMs: readonly number[];
  /** Which errors are worth another attempt. Default: transient ones. */
  readonly retryable?: (error: unknown) => boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told of a failed attempt that will be repeated after `delayMs`. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
}

/**
 * Runs `attempt` until it succeeds, fails for good, or the schedule is used up. `Retry-After` lengthens a sleep.
 * @throws the last error of an attempt, also when the signal ended a sleep; the signal's reason when nothing was
 * attempted.
 */
export async function withSchedule<T>(schedule: Schedule, attempt: (n: number) => Promise<T>): Promise<T> {
  const { clock, delaysMs, retryable = isTransient, signal } = schedule;
  let last: unknown;
  for (let n = 1;; n++) {
    if (signal?.aborted) throw last ?? signal.reason;
    try {
      return await attempt(n);
    } catch (error) {
      // An attempt the signal cut says nothing; what the server said before does.
      if (signal?.aborted && error === signal.reason) throw last ?? error;
      last = error;
    }
    const delay = delaysMs[n - 1];
    if (delay === undefined || !retryable(last)) throw last;
    const wait = Math.max(delay, last instanceof RequestError ? last.retryAfterMs ?? 0 : 0);
    schedule.onRetry?.(last, n, wait);
    try {
      await sleep(clock, wait, signal);
    } catch {
      throw last;
    }
  }
}

/** The verdict of asynchronous reports: any 4xx ends it, 408 and 429 included. */
export function isReportRetryable(error: unknown): boolean {
  return error instanceof RequestError ? error.status >= 500 : isTransient(error);
}
