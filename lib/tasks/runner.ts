/** All tasks of this host that run right now. */
import type { ClaimedTask } from "../control/mod.ts";
import { getLog } from "../core/mod.ts";
import type { LaunchTarget } from "../runtimes/mod.ts";
import { isRetryable } from "./checks.ts";
import type { TaskDeps, TaskSlot } from "./ports.ts";
import { type TaskOutcome, type TaskPhase, TaskRun } from "./run.ts";

const log = getLog("tasks");

/** One line of the status page. */
export interface ActiveTask {
  readonly taskId: string;
  readonly runtimeId: string;
  readonly workspaceId: string;
  readonly provider: string;
  readonly phase: TaskPhase;
  readonly sentence: string;
  /** Wall-clock ms. */
  readonly startedAt: number;
}

/** Runs tasks and knows which run. A task id is never run twice at the same time (decisions). */
export class TaskRunner {
  readonly #runs = new Map<string, TaskRun>();
  readonly #hostSecrets: string[];

  constructor(private readonly deps: TaskDeps) {
    this.#hostSecrets = [deps.settings.token];
  }

  /** The host has a new token: it is masked in every transcript and report from now on, as the old one stays. */
  learnSecret(secret: string): void {
    this.#hostSecrets.push(secret);
    for (const run of this.#runs.values()) run.learnSecret(secret);
  }

  /**
   * Runs a claimed task to its end; the slot is given back when the agent's processes are gone. A task that runs
   * already, or whose report of the same claim waits in the journal, is acknowledged and not run again. Never rejects.
   */
  async run(
    task: ClaimedTask,
    target: LaunchTarget,
    slot: TaskSlot,
    signal: AbortSignal,
  ): Promise<TaskOutcome> {
    const live = this.#runs.get(task.id);
    if (live !== undefined || this.#isJournalled(task)) {
      log.info("task handed out again, not run twice", { task: task.id, live: live !== undefined });
      live?.adopt(task);
      slot.release();
      return { taskId: task.id, kind: "duplicate", reason: "" };
    }
    const run = new TaskRun(this.deps, task, target, slot, this.#hostSecrets);
    this.#runs.set(task.id, run);
    log.info("task begins", { task: task.id, provider: target.provider, workspace: task.workspace_id });
    try {
      const outcome = await run.execute(signal);
      log.info("task ended", {
        ...outcome,
        task: task.id,
        ms: this.deps.clock.now() - run.startedAt,
        resultToDiskMs: run.resultToDiskMs,
      });
      return outcome;
    } finally {
      this.#runs.delete(task.id);
    }
  }

  /** Fails a claimed task without running it (its runtime left meanwhile: `runtime_offline`, spec 01 §11.2). */
  refuse(task: ClaimedTask, target: Pick<LaunchTarget, "provider">, error: string, reason: string): void {
    if (this.#runs.has(task.id) || this.#isJournalled(task)) return;
    const { journal, outbox } = this.deps;
    const { id } = journal.claim({
      taskId: task.id,
      fence: task.dispatched_at,
      runtimeId: task.runtime_id,
      workspaceId: task.workspace_id,
      provider: target.provider,
      retryable: isRetryable(task),
    });
    log.warn("task refused", { task: task.id, error, reason });
    const body = JSON.stringify({ error, failure_reason: reason });
    journal.finish(id, { batches: [], usage: "", terminal: { kind: "fail", body } });
    outbox.wake(id);
  }

  /** True while the task runs here. */
  has(taskId: string): boolean {
    return this.#runs.has(taskId);
  }

  /** True while a task of the runtime runs here. */
  hasRuntime(runtimeId: string): boolean {
    return [...this.#runs.values()].some((run) => run.target.runtimeId === runtimeId);
  }

  /** What runs, in order of start. */
  active(): readonly ActiveTask[] {
    return [...this.#runs.values()].map((run) => ({
      taskId: run.task.id,
      runtimeId: run.target.runtimeId,
      workspaceId: run.task.workspace_id,
      provider: run.target.provider,
      phase: run.phase,
      sentence: run.sentence,
      startedAt: run.startedAt,
    }));
  }

  /** Compares every live task with the server now (after a reconnect or a sleep). */
  async recheck(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.recheck()));
  }

  /** Stops every task politely; their `run` promises settle when they are reported and gone. */
  stop(reason: string): void {
    for (const run of this.#runs.values()) run.stop(reason);
  }

  /** The very claim is in the journal: finished and not yet delivered. A later claim of the task is another matter. */
  #isJournalled(task: ClaimedTask): boolean {
    const known = this.deps.journal.ofTask(task.id);
    return known !== undefined && known.state === "ended" && known.fence === task.dispatched_at;
  }
}
