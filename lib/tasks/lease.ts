/** Keeps the prepare lease of a task alive until it has started (spec 01 §4.11, 04 §16.2). */
import type { ControlApi } from "../control/mod.ts";
import { type Clock, errorText, getLog, OVER, type Timer } from "../core/mod.ts";

const log = getLog("tasks", "lease");

/** Time between extensions, ms; the lease itself lasts 45 s. */
export const LEASE_INTERVAL_MS = 15_000;

/** Extends every 15 s, the first time after 15 s, also while the start request is slow (R37). */
export class PrepareLease {
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly control: Pick<ControlApi, "extendLease">,
    private readonly clock: Clock,
    private readonly runtimeId: string,
    private readonly taskId: string,
  ) {
    this.#arm();
  }

  /** Ends it, an extension in flight included: none is sent after this. Idempotent. */
  async stop(): Promise<void> {
    this.#abort.abort(OVER);
    this.#timer?.cancel();
    await this.#asking;
  }

  #arm(): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = this.clock.timer(LEASE_INTERVAL_MS, () => {
      this.#asking = this.#extend().finally(() => {
        this.#asking = undefined;
        this.#arm();
      });
    });
  }

  async #extend(): Promise<void> {
    try {
      await this.control.extendLease(this.runtimeId, this.taskId, { signal: this.#abort.signal });
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      log.warn("prepare lease not extended", { task: this.taskId, error: errorText(error) });
    }
  }
}
