/** Ends runs that hang: silence, with a longer window while a tool runs, unless the process tree works (spec 06 §8.4). */
import { type Clock, errorText, formatDuration, getLog, type Timer } from "../core/mod.ts";

const log = getLog("tasks", "watchdog");

/** Settings of one run's watchdog. Durations in ms. */
export interface WatchdogOptions {
  readonly clock: Clock;
  /** 0 = the whole watchdog is off. */
  readonly idleMs: number;
  /** Window while a tool is in flight; 0 = a running tool never trips it. */
  readonly toolMs: number;
  /** CPU time of the tree so far, ms; undefined where nobody can say. */
  readonly cpuTime: () => Promise<number | undefined>;
  /** Called once, with the sentence for the report. */
  readonly onFire: (text: string) => void;
}

/** A provider's own window may narrow the global one, never widen it; a global 0 stays off (N-29). */
export function narrowWindow(globalMs: number, ownMs: number | undefined): number {
  return globalMs > 0 && ownMs !== undefined && ownMs > 0 ? Math.min(globalMs, ownMs) : globalMs;
}

/** How often silence is looked at: half the window, for long windows every 30 s. */
export function tickMs(windowMs: number): number {
  return windowMs >= 60_000 ? 30_000 : windowMs / 2;
}

/** The sentence a fired watchdog reports (spec 06 §8.2). */
export function watchdogText(thresholdMs: number): string {
  return `agent produced no new messages for ${formatDuration(thresholdMs)} and message queue was empty; ` +
    "force-stopped by idle watchdog";
}

/** Share of a tick a tree must spend on the CPU to count as working. */
const WORKING_SHARE = 0.05;
/** A tree that only burns CPU is stopped after so many windows of silence. */
const MAX_VETO_WINDOWS = 4;

/** One run's watchdog; the clock starts at construction. Tools in flight are a set of call ids, not a number. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #tools = new Set<string>();
  #unnamedTools = 0;
  #lastActivity: number;
  #cpuBefore: { readonly at: number; readonly ms: number } | undefined;
  #timer: Timer | undefined;
  #done = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lastActivity = options.clock.monotonic();
    if (options.idleMs > 0) this.#arm();
    else this.#done = true;
  }

  /** True once it fired. */
  fired = false;

  /** Any sign of life. */
  activity(): void {
    this.#lastActivity = this.#options.clock.monotonic();
  }

  /** A tool call begins. */
  toolStarted(callId: string): void {
    if (callId === "") this.#unnamedTools++;
    else this.#tools.add(callId);
  }

  /** A tool call has its result. */
  toolEnded(callId: string): void {
    if (!this.#tools.delete(callId) && this.#unnamedTools > 0) this.#unnamedTools--;
  }

  /** A new turn of the agent's own text: server-side tools that never answer are over. */
  forgetTools(): void {
    this.#tools.clear();
    this.#unnamedTools = 0;
  }

  /** Ends it. Idempotent. */
  stop(): void {
    this.#done = true;
    this.#timer?.cancel();
  }

  /** The window that holds now; 0 = none. */
  get #threshold(): number {
    return this.#tools.size + this.#unnamedTools > 0 ? this.#options.toolMs : this.#options.idleMs;
  }

  #silence(): number {
    return this.#options.clock.monotonic() - this.#lastActivity;
  }

  /** Wakes when the window could be over, not earlier: a talking agent costs one timer a window. */
  #arm(): void {
    if (this.#done) return;
    const threshold = this.#threshold || this.#options.idleMs;
    const tick = tickMs(threshold);
    const left = threshold - this.#silence();
    const wait = left > tick ? left - tick : left > 0 ? left : tick;
    this.#timer = this.#options.clock.timer(wait, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    const threshold = this.#threshold;
    const silence = this.#silence();
    if (threshold > 0 && silence >= threshold - tickMs(threshold)) {
      const working = await this.#isWorking();
      if (this.#done) return;
      const still = this.#silence();
      const vetoed = working && still < threshold * MAX_VETO_WINDOWS;
      if (this.#threshold === threshold && still >= threshold && !vetoed) return this.#fire(threshold);
    }
    this.#arm();
  }

  #fire(threshold: number): void {
    this.stop();
    this.fired = true;
    this.#options.onFire(watchdogText(threshold));
  }

  /** True when the tree used a fair share of CPU since the last look. The first look only notes. */
  async #isWorking(): Promise<boolean> {
    const { clock, cpuTime } = this.#options;
    let ms: number | undefined;
    try {
      ms = await cpuTime();
    } catch (error) {
      log.debug("cpu time of the agent unknown", { error: errorText(error) });
    }
    if (ms === undefined) return false;
    const at = clock.monotonic();
    const before = this.#cpuBefore;
    this.#cpuBefore = { at, ms };
    return before !== undefined && at > before.at && ms - before.ms >= (at - before.at) * WORKING_SHARE;
  }
}
