/** Tells the server that a task runs now: once, and surely (spec 01 §4.13; decisions: transient error on start). */
import { type ControlApi, type TaskStatus, TERMINAL_STATES } from "../control/mod.ts";
import { Backoff, type Clock, getLog, type Random, sleep } from "../core/mod.ts";
import { TaskFailure, TaskInterrupted } from "./errors.ts";
import { classifyFailure } from "../agents/mod.ts";
import { type Answer, answerOf, taskGone } from "./verdict.ts";

const log = getLog("tasks", "start");

/** What {@link startTask} needs. */
export interface StartDeps {
  readonly control: Pick<ControlApi, "start" | "taskStatus">;
  readonly clock: Clock;
  readonly random: Random;
  /** Ends the tries: interrupt, shutdown, or the prepare deadline. */
  readonly signal: AbortSignal;
}

/**
 * Sends `start` until the server says `running`: transient failures are tried again after 1 → 30 s while the lease
 * is kept alive, after an ambiguous one the status decides, a refusal fails the task.
 * @throws {TaskInterrupted} the server has ended the task. @throws {TaskFailure} the server refuses for good.
 */
export async function startTask(taskId: string, deps: StartDeps): Promise<void> {
  const backoff = new Backoff(1_000, 30_000, deps.random);
  for (;;) {
    const answer = await tryStart(taskId, deps);
    if (answer.ok) {
      if (isRunning(answer.status, taskId)) return;
    } else {
      if (taskGone(answer)) throw new TaskInterrupted("gone");
      if (mustReadStatus(answer) && await readsRunning(taskId, deps)) return;
      if (isRefusal(answer)) {
        const text = `start task failed: ${answer.text}`;
        throw new TaskFailure(text, classifyFailure(text));
      }
      log.warn("task not started yet, trying again", { task: taskId, error: answer.text });
    }
    const wait = (answer.ok ? undefined : answer.retryAfterMs) ?? backoff.next();
    await sleep(deps.clock, wait, deps.signal);
  }
}

async function tryStart(taskId: string, deps: StartDeps): Promise<Answer> {
  try {
    const row = await deps.control.start(taskId, { signal: deps.signal });
    return { ok: true, status: row.status };
  } catch (error) {
    if (deps.signal.aborted) throw deps.signal.reason;
    return answerOf(error);
  }
}

/** A row that says something else than `running` is no start; a row that says nothing is believed. */
function isRunning(status: TaskStatus, taskId: string): boolean {
  if (status === "running" || status === "") return true;
  if (TERMINAL_STATES.has(status)) throw new TaskInterrupted(status);
  log.warn("server answered the start without starting", { task: taskId, status });
  return false;
}

type Failed = Extract<Answer, { ok: false }>;

/** The start may have been carried out: its answer was lost, or it was sent before (400 on a running task). */
function mustReadStatus(answer: Failed): boolean {
  return answer.mayHaveArrived || answer.http === 400;
}

function isRefusal({ http }: Failed): boolean {
  return http >= 400 && http < 500 && http !== 401 && http !== 403 && http !== 408 && http !== 429;
}

async function readsRunning(taskId: string, deps: StartDeps): Promise<boolean> {
  try {
    const status = await deps.control.taskStatus(taskId, { signal: deps.signal });
    if (TERMINAL_STATES.has(status)) throw new TaskInterrupted(status);
    return status === "running";
  } catch (error) {
    if (error instanceof TaskInterrupted) throw error;
    if (deps.signal.aborted) throw deps.signal.reason;
    if (taskGone(answerOf(error))) throw new TaskInterrupted("gone");
    return false;
  }
}
