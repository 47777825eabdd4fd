/** One task from claim to report (spec 01 §7.12, 04 §16.1). */
import { narrowWindow } from "./watchdog.ts";
import type { ClaimedTask } from "../control/mod.ts";
import { errorText, getLog, Redactor, secretValues, type Timer, urlCredentials } from "../core/mod.ts";
import type { LaunchTarget } from "../runtimes/mod.ts";
import { inheritedSecrets } from "./agent_env.ts";
import type { AttemptEnd } from "./attempt.ts";
import { CancelWatch } from "./cancel_watch.ts";
import { checkClaim, isRetryable, taskToken } from "./checks.ts";
import { failureOf, TaskFailure, TaskInterrupted, TaskStopped } from "./errors.ts";
import type { Finish } from "./journal_types.ts";
import { type DrainResult, judge, usageEntries } from "./judge.ts";
import { PrepareLease } from "./lease.ts";
import { takeLocalDirectory } from "./local_wait.ts";
import type { LocalDirectory, TaskDeps, TaskEnvironment, TaskSlot } from "./ports.ts";
import { startTask } from "./start_task.ts";
import { Transcript } from "./transcript.ts";
import { planResume, runTurns, turnFacts, type TurnsEnd } from "./turns.ts";

const log = getLog("tasks", "run");

/** From the first preparation step to the start, ms; then the task fails with reason `timeout` (spec 01 §11.2). */
export const PREPARE_DEADLINE_MS = 300_000;
/** How long a finished task waits for its report to be settled before its directory is given free, ms. */
const SETTLE_MS = 10_000;
/** Time between tries to end a tree that would not end, ms. */
const STUBBORN_MS = 10_000;

/** Where a task stands. */
export type TaskPhase =
  | "checking"
  | "waiting for a directory"
  | "preparing"
  | "starting"
  | "running"
  | "reporting"
  | "ending";

/** How a task ended on this host. Whether its report is delivered is the outbox's matter. */
export interface TaskOutcome {
  readonly taskId: string;
  readonly kind: "completed" | "failed" | "interrupted" | "stopped" | "duplicate";
  /** Failure reason, or the status that interrupted it. */
  readonly reason: string;
}

/** A task's run. Used once; owned by the `TaskRunner`. */
export class TaskRun {
  readonly startedAt: number;
  phase: TaskPhase = "checking";
  sentence = "checking the claim";
  /** From the agent's result in hand to its commit, ms; undefined until there was one. */
  resultToDiskMs: number | undefined;
  readonly #stop = new AbortController();
  readonly #jobs = new Set<Promise<void>>();
  /** From the moment the agent is launched. */
  #transcript: Transcript | undefined;
  #redactor: Redactor;
  readonly #claimId: number;
  readonly #lastSeq: number;
  #token: string;
  #spawned = false;
  #started = false;
  /** Left for the server to hand out again: nothing is reported. */
  #handedBack = false;
  #watch: CancelWatch | undefined;
  #outcome: TaskOutcome;

  constructor(
    private readonly deps: TaskDeps,
    readonly task: ClaimedTask,
    readonly target: LaunchTarget,
    private readonly slot: TaskSlot,
    hostSecrets: readonly string[],
  ) {
    const { journal, clock, outbox } = deps;
    this.startedAt = clock.now();
    this.#token = task.auth_token;
    this.#outcome = { taskId: task.id, kind: "failed", reason: "" };
    const claim = journal.claim({
      taskId: task.id,
      fence: task.dispatched_at,
      runtimeId: target.runtimeId,
      workspaceId: task.workspace_id,
      provider: target.provider,
      retryable: isRetryable(task),
    });
    this.#claimId = claim.id;
    outbox.gate(claim.id);
    this.#redactor = redactorFor(task, deps, hostSecrets);
    this.#lastSeq = claim.lastSeq;
  }

  /** The server handed the task out again while this runs: its newer token is used if the agent has none yet. */
  adopt(copy: ClaimedTask): void {
    if (this.#spawned || copy.auth_token.trim() === "") return;
    this.#token = copy.auth_token;
    this.learnSecret(copy.auth_token);
  }

  /** One more text that must not be seen, from now on. */
  learnSecret(secret: string): void {
    this.#redactor = this.#redactor.with([secret]);
    this.#transcript?.maskWith(this.#redactor);
  }

  /** Compares with the server now. */
  recheck(): Promise<void> {
    return this.#watch?.recheck() ?? Promise.resolve();
  }

  /** This host stops: the agent is stopped politely and the task is reported. */
  stop(why: string): void {
    this.#stop.abort(new TaskStopped(why));
  }

  /** Runs to the end. Never rejects; the slot is free when the agent's processes are gone. */
  async execute(signal: AbortSignal): Promise<TaskOutcome> {
    const { control, clock, workdir } = this.deps;
    const onOuter = () => this.stop(errorText(signal.reason));
    if (signal.aborted) onOuter();
    else signal.addEventListener("abort", onOuter, { once: true });
    const unreserve = workdir.reserve(this.task);
    this.#watch = new CancelWatch({
      control,
      clock,
      taskId: this.task.id,
      onInterrupt: (status) => this.#stop.abort(new TaskInterrupted(status)),
    });
    try {
      await this.#withDirectory();
    } catch (error) {
      this.#endWithout(error);
    } finally {
      await this.#watch.stop();
      this.slot.release();
      await this.#settle();
      unreserve();
      signal.removeEventListener("abort", onOuter);
    }
    return this.#outcome;
  }

  #enter(phase: TaskPhase, sentence: string): void {
    this.phase = phase;
    this.sentence = sentence;
    this.deps.onPhase?.();
  }

  async #withDirectory(): Promise<void> {
    checkClaim(this.task, this.target);
    const { workdir, control } = this.deps;
    const { signal } = this.#stop;
    const lease = new PrepareLease(control, this.deps.clock, this.target.runtimeId, this.task.id);
    let unlock = () => {};
    try {
      const local = hasResources(this.task) ? await workdir.localDirectory(this.task, signal) : undefined;
      if (local !== undefined) {
        const onWait = (sentence: string) => this.#enter("waiting for a directory", sentence);
        unlock = await takeLocalDirectory(this.task.id, local, {
          control,
          workdir,
          slot: this.slot,
          signal,
          onWait,
        });
      }
      await this.#prepared(local, lease, unlock);
    } finally {
      await lease.stop();
      unlock();
    }
  }

  async #prepared(local: LocalDirectory | undefined, lease: PrepareLease, unlock: () => void): Promise<void> {
    const deadline = this.#armDeadline();
    let env: TaskEnvironment | undefined;
    try {
      this.#enter("preparing", "preparing the work directory");
      env = await this.#environment(local);
      await this.#inEnvironment(env, lease, deadline, unlock);
    } finally {
      deadline.cancel();
      await this.#leave(env);
    }
  }

  #armDeadline(): Timer {
    const text = `task preparation took more than ${PREPARE_DEADLINE_MS / 60_000} minutes`;
    return this.deps.clock.timer(
      PREPARE_DEADLINE_MS,
      () => this.#stop.abort(new TaskFailure(text, "timeout")),
    );
  }

  async #environment(local: LocalDirectory | undefined): Promise<TaskEnvironment> {
    const { workdir } = this.deps;
    const { task, target } = this;
    const { signal } = this.#stop;
    const refs = task.agent?.skill_refs ?? [];
    const skills = refs.length > 0 ? await workdir.skills(task, signal) : task.agent?.skills ?? [];
    const making = workdir.prepare({ task, target, skills, local, signal });
    return await abortable(making, signal, (late) => this.#leave(late));
  }

  async #inEnvironment(
    env: TaskEnvironment,
    lease: PrepareLease,
    deadline: Timer,
    unlock: () => void,
  ): Promise<void> {
    const { control, clock, random, driverFor } = this.deps;
    const { task, target } = this;
    const { signal } = this.#stop;
    const driver = await driverFor(target.provider);
    const gate = await planResume(task, target, env);
    this.#enter("starting", "telling the server that the task starts");
    const [brief] = await Promise.all([
      env.brief(turnFacts(task, gate, this.slot.index)),
      startTask(task.id, { control, clock, random, signal }),
    ]);
    this.#started = true;
    deadline.cancel();
    void lease.stop();
    this.#background(control.progress(task.id, `Launching ${target.provider}`, 1, 2, { signal }));
    this.#enter("running", `${target.provider} is working`);
    const token = taskToken({ auth_token: this.#token });
    this.#spawned = true;
    const end = await runTurns(
      { task, target, env, token, slot: this.slot.index, driver },
      gate,
      brief,
      this.deps,
      this.#attemptDeps(env, this.#openTranscript()),
    );
    await this.#end(end, env, unlock);
  }

  #openTranscript(): Transcript {
    const { journal, outbox, clock } = this.deps;
    const claimId = this.#claimId;
    this.#transcript = new Transcript({
      clock,
      redactor: this.#redactor,
      lastSeq: this.#lastSeq,
      flush: (batches) => {
        journal.messages(claimId, batches);
        outbox.wake(claimId);
      },
    });
    return this.#transcript;
  }

  #attemptDeps(env: TaskEnvironment, transcript: Transcript): Parameters<typeof runTurns>[4] {
    const { launch, processes, clock, random, settings, journal, outbox } = this.deps;
    const own = settings.providerIdleMs[this.target.provider];
    return {
      launch,
      processes,
      clock,
      random,
      transcript,
      idleMs: narrowWindow(settings.idleWatchdogMs, own),
      toolMs: settings.toolWatchdogMs,
      signal: this.#stop.signal,
      onSession: (sessionId) => {
        const body = JSON.stringify({
          session_id: sessionId,
          ...(env.workDir === "" ? {} : { work_dir: env.workDir }),
        });
        journal.pin(this.#claimId, body, sessionId, env.workDir);
        outbox.wake(this.#claimId);
      },
      onEvent: () => {},
    };
  }

  /** The result is here: onto the disk at once; the report goes when the agent's processes are gone. */
  async #end(end: TurnsEnd, env: TaskEnvironment, unlock: () => void): Promise<void> {
    const { outbox, control, clock } = this.deps;
    const at = clock.monotonic();
    this.#write(end, env);
    this.resultToDiskMs = Math.round((clock.monotonic() - at) * 100) / 100;
    outbox.wake(this.#claimId);
    const interrupted = this.#stop.signal.reason instanceof TaskInterrupted;
    if (!interrupted) {
      this.#enter("reporting", "reporting the result");
      this.#background(control.progress(this.task.id, "Finishing task", 2, 2));
    }
    await this.#watch?.stop();
    await Promise.race([interrupted ? end.last.ended : end.last.exited, end.last.ended]);
    await env.cleanup().catch((error: unknown) => {
      log.warn("local directory not cleaned", { task: this.task.id, error: errorText(error) });
    });
    unlock();
    outbox.release(this.#claimId);
    this.#enter("ending", "making sure that nothing of the agent runs");
    await this.#treeGone(end.last);
    this.slot.release();
    await this.#settle();
  }

  #write({ result, retiredSessionId }: TurnsEnd, env: TaskEnvironment): void {
    const { provider } = this.target;
    const usage = usageEntries(provider, result.usage, result.costUsdTicks);
    const cause = this.#stop.signal.reason;
    const terminal = cause instanceof TaskInterrupted
      ? this.#interrupted(cause)
      : cause instanceof TaskStopped && result.status !== "completed"
      ? this.#stopped(cause, result, env.workDir)
      : this.#judged(result, retiredSessionId, env.workDir);
    this.#finish(terminal, usage.length === 0 ? "" : JSON.stringify({ usage }));
  }

  #judged(result: DrainResult, retiredSessionId: string, workDir: string): Finish["terminal"] {
    const report = judge({
      provider: this.target.provider,
      result,
      workDir,
      agentTimeoutMs: this.deps.settings.agentTimeoutMs,
      retiredSessionId,
      mask: (text) => this.#redactor.text(text),
    });
    const failed = report.kind === "fail";
    this.#outcome = {
      taskId: this.task.id,
      kind: failed ? "failed" : "completed",
      reason: failed ? report.body.failure_reason ?? "" : "",
    };
    return { kind: report.kind, body: JSON.stringify(report.body) };
  }

  /** Closed, not forgotten: usage and transcript still go; a cancel is acknowledged where the server knows that. */
  #interrupted({ status }: TaskInterrupted): Finish["terminal"] {
    log.info("task ended by the server", { task: this.task.id, status });
    this.#outcome = { taskId: this.task.id, kind: "interrupted", reason: status };
    return status === "cancelled" ? { kind: "cancel_ack", body: "{}" } : undefined;
  }

  /** The host stops: the server makes a new attempt that goes on with the session. */
  #stopped(cause: TaskStopped, result: Pick<DrainResult, "sessionId">, workDir: string): Finish["terminal"] {
    const reason = "runtime_recovery";
    this.#outcome = { taskId: this.task.id, kind: "stopped", reason };
    const body = {
      error: `host stopped while the task was running: ${cause.why}`,
      failure_reason: reason,
      ...(result.sessionId === "" ? {} : { session_id: result.sessionId }),
      ...(workDir === "" ? {} : { work_dir: workDir }),
    };
    return { kind: "fail", body: JSON.stringify(body) };
  }

  /** The run ended without a result. */
  #endWithout(error: unknown): void {
    const cause = this.#stop.signal.aborted && !(error instanceof TaskFailure)
      ? this.#stop.signal.reason
      : error;
    const { journal, outbox } = this.deps;
    if (cause instanceof TaskStopped && !this.#started && !isRetryable(this.task)) {
      this.#outcome = { taskId: this.task.id, kind: "stopped", reason: "handed back" };
      this.#handedBack = true;
      journal.setState(this.#claimId, "awaiting");
      return;
    }
    if (cause instanceof TaskInterrupted) this.#finish(this.#interrupted(cause), "");
    else if (cause instanceof TaskStopped) this.#finish(this.#stopped(cause, { sessionId: "" }, ""), "");
    else {
      const failure = failureOf(cause);
      log.error("task failed before it had a result", { task: this.task.id, ...failure });
      this.#outcome = { taskId: this.task.id, kind: "failed", reason: failure.reason };
      const body = { error: this.#redactor.text(failure.error), failure_reason: failure.reason };
      this.#finish({ kind: "fail", body: JSON.stringify(body) }, "");
    }
    outbox.wake(this.#claimId);
    outbox.release(this.#claimId);
  }

  #finish(terminal: Finish["terminal"], usage: string): void {
    this.deps.journal.finish(this.#claimId, { batches: this.#transcript?.close() ?? [], usage, terminal });
  }

  /** Waits for the proof; a tree that would not end keeps the slot and is tried again. */
  async #treeGone(last: AttemptEnd): Promise<void> {
    let report = await last.ended;
    while (!report.empty) {
      const { pid, marker } = last.group;
      this.sentence = `processes of the agent do not end (${report.leftovers.join(", ") || pid})`;
      log.error("agent processes survive, the slot stays taken", { task: this.task.id, pid });
      await new Promise<void>((resolve) => this.deps.clock.timer(STUBBORN_MS, resolve));
      report = await this.deps.processes.end({ pid, marker }, { graceMs: 0 });
    }
  }

  async #leave(env: TaskEnvironment | undefined): Promise<void> {
    if (env === undefined) return;
    const { kind } = this.#outcome;
    const outcome = kind === "completed" || kind === "interrupted" ? kind : "failed";
    try {
      await env.cleanup();
      await env.close({ outcome, undelivered: false });
    } catch (error) {
      log.warn("work directory not left properly", { task: this.task.id, error: errorText(error) });
    }
  }

  /** Calls beside the run: nobody waits for their answer, their failure is no news. */
  #background(call: Promise<void>): void {
    const job: Promise<void> = call.catch((error: unknown) => {
      log.debug("progress not reported", { task: this.task.id, error: errorText(error) });
    }).finally(() => this.#jobs.delete(job));
    this.#jobs.add(job);
  }

  /** The directory stays reserved until the report is settled, for a bounded time (R38). */
  async #settle(): Promise<void> {
    if (this.#handedBack) return;
    const { outbox, clock } = this.deps;
    const settled = outbox.whenSettled(this.#claimId);
    let timer: Timer | undefined;
    const limit = new Promise<void>((resolve) => timer = clock.timer(SETTLE_MS, resolve));
    await Promise.race([Promise.all([settled, ...this.#jobs]), limit]);
    timer?.cancel();
  }
}

function hasResources(task: ClaimedTask): boolean {
  return task.project_resources.length > 0;
}

/** Everything of this task that must not be seen (decisions: masking). */
function redactorFor(
  task: ClaimedTask,
  { settings }: TaskDeps,
  hostSecrets: readonly string[],
): Redactor {
  const custom = task.agent?.custom_env ?? {};
  const urls = [...Object.values(custom), ...task.repos.map((repo) => repo.url)].join("\n");
  return new Redactor({
    secrets: [
      task.auth_token.trim(),
      ...hostSecrets,
      ...secretValues(custom),
      ...inheritedSecrets(settings.inheritedEnv),
      ...urlCredentials(urls),
    ],
    home: settings.home,
  });
}

/** `work`, or the signal's reason as soon as it aborts; what arrives too late is handed to `late`. */
function abortable<T>(work: Promise<T>, signal: AbortSignal, late: (value: T) => Promise<void>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason);
      work.then(late, () => {});
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then((value) => {
      signal.removeEventListener("abort", onAbort);
      resolve(value);
    }, (error: unknown) => {
      signal.removeEventListener("abort", onAbort);
      reject(error);
    });
  });
}
