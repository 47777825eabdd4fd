/** Watches a task's state at the server while it is prepared and run (spec 01 §4.18, 06 §8.9). */
import { type ControlApi, type TaskStatus, TERMINAL_STATES } from "../control/mod.ts";
import { type Clock, getLog, OVER, type Timer } from "../core/mod.ts";
import { answerOf, taskGone } from "./verdict.ts";

const log = getLog("tasks", "cancel");

/** Pace of the status poll, ms. */
export const STATUS_POLL_MS = 5_000;
/** So many 404 `not found` in a row mean that the task is out of our reach for good. */
const LOST_AFTER = 3;

/** What {@link CancelWatch} needs. */
export interface CancelWatchOptions {
  readonly control: Pick<ControlApi, "taskStatus">;
  readonly clock: Clock;
  readonly taskId: string;
  /** Called once: a final status, or `gone` when the server has no such task for us any more. */
  readonly onInterrupt: (status: TaskStatus | "gone") => void;
  readonly intervalMs?: number;
}

/**
 * One request at a time, the first after 5 s; {@link recheck} asks at once (after a reconnect). Interrupts on
 * completed, failed, cancelled and on 404 `task not found`; everything else goes on (R39, HD-10).
 */
export class CancelWatch {
  readonly #options: CancelWatchOptions;
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #asking: Promise<void> | undefined;
  #notFound = 0;

  constructor(options: CancelWatchOptions) {
    this.#options = options;
    this.#arm();
  }

  /** Asks now, unless a question is on its way; resolves with its answer. */
  recheck(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    this.#timer?.cancel();
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
      this.#arm();
    });
    return this.#asking;
  }

  /** Ends it, a request in flight included. Resolves when nothing of it runs. */
  async stop(): Promise<void> {
    this.#abort.abort(OVER);
    this.#timer?.cancel();
    await this.#asking;
  }

  #arm(): void {
    if (this.#abort.signal.aborted) return;
    const wait = this.#options.intervalMs ?? STATUS_POLL_MS;
    this.#timer = this.#options.clock.timer(wait, () => void this.recheck());
  }

  async #ask(): Promise<void> {
    const { control, taskId } = this.#options;
    try {
      const status = await control.taskStatus(taskId, { signal: this.#abort.signal });
      this.#notFound = 0;
      if (TERMINAL_STATES.has(status)) this.#interrupt(status);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const answer = answerOf(error);
      if (taskGone(answer)) return this.#interrupt("gone");
      this.#notFound = answer.http === 404 ? this.#notFound + 1 : 0;
      if (this.#notFound >= LOST_AFTER) return this.#interrupt("gone");
      log.debug("task status unknown", { task: taskId, error: answer.text });
    }
  }

  #interrupt(status: TaskStatus | "gone"): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(OVER);
    this.#timer?.cancel();
    this.#options.onInterrupt(status);
  }
}
