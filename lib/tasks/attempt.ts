/** One run of the agent: events into the transcript, watchdog beside it, one result at its end (spec 06 §8.2). */
import type { AgentEvent, AgentRun, Driver, RunRequest } from "../agents/mod.ts";
import type { Child, Clock, EndReport, LaunchSpec, ProcessControl, Random, Timer } from "../core/mod.ts";
import type { DrainResult } from "./judge.ts";
import type { Transcript } from "./transcript.ts";
import { Watchdog } from "./watchdog.ts";

/** Room for the agent's own timeout result before the host gives up waiting, ms (spec 06 §8.2). */
const DRAIN_SLACK_MS = 30_000;
/** Longest wait for a result after the agent was told to stop, ms: its grace, the kill, the proof. */
const STOPPED_RESULT_MS = 30_000;

/** What {@link runAttempt} works with. */
export interface AttemptDeps {
  readonly driver: Driver;
  readonly launch: (spec: LaunchSpec) => Child;
  readonly processes: ProcessControl;
  readonly clock: Clock;
  readonly random: Random;
  readonly transcript: Transcript;
  readonly idleMs: number;
  readonly toolMs: number;
  /** Ends the run: interrupt or shutdown. */
  readonly signal: AbortSignal;
  /** The first session id of this attempt. */
  readonly onSession: (sessionId: string) => void;
  readonly onEvent: (event: AgentEvent) => void;
}

/** How an attempt ended, and what still runs of it. */
export interface AttemptEnd {
  readonly result: DrainResult;
  /** Tool calls seen. */
  readonly toolCount: number;
  readonly group: AgentRun["group"];
  readonly exited: Promise<void>;
  readonly ended: Promise<EndReport>;
}

/** Starts the agent and waits for its result. @throws what the driver's `start` throws: nothing runs then. */
export async function runAttempt(request: RunRequest, deps: AttemptDeps): Promise<AttemptEnd> {
  const stop = new AbortController();
  const onOuter = () => stop.abort(deps.signal.reason);
  if (deps.signal.aborted) throw deps.signal.reason;
  deps.signal.addEventListener("abort", onOuter, { once: true });
  const drain = new Drain(deps, stop);
  try {
    const run = await deps.driver.start(request, {
      launch: deps.launch,
      processes: deps.processes,
      clock: deps.clock,
      random: deps.random,
      emit: (event) => drain.event(event),
      signal: stop.signal,
    });
    const result = await drain.result(run, request);
    return {
      result,
      toolCount: deps.transcript.toolCount,
      group: run.group,
      exited: run.exited,
      ended: run.ended,
    };
  } finally {
    drain.stop();
    deps.signal.removeEventListener("abort", onOuter);
  }
}

/** Why the host itself stopped an attempt. */
type HostStop = { readonly status: "idle_watchdog" | "timeout"; readonly text: string };

class Drain {
  readonly #watchdog: Watchdog;
  #group: AgentRun["group"] | undefined;
  #stopped: HostStop | undefined;
  #session = "";
  #deadline: Timer | undefined;
  #giveUp: Timer | undefined;

  constructor(private readonly deps: AttemptDeps, private readonly abort: AbortController) {
    this.#watchdog = new Watchdog({
      clock: deps.clock,
      idleMs: deps.idleMs,
      toolMs: deps.toolMs,
      cpuTime: () =>
        this.#group === undefined ? Promise.resolve(undefined) : deps.processes.cpuTime({ ...this.#group }),
      onFire: (text) => this.#stop({ status: "idle_watchdog", text }),
    });
  }

  /** The hot path: once per event, never throws. */
  event(event: AgentEvent): void {
    const watchdog = this.#watchdog;
    watchdog.activity();
    if (event.type === "tool_use") watchdog.toolStarted(event.callId);
    else if (event.type === "tool_result") watchdog.toolEnded(event.callId);
    else if (event.type === "session" && this.#session === "" && event.sessionId !== "") {
      this.#session = event.sessionId;
      this.deps.onSession(event.sessionId);
    }
    this.deps.transcript.push(event);
    this.deps.onEvent(event);
  }

  /** The agent's result, marked when the watchdog or the drain deadline ended the run; bounded after a stop. */
  async result(run: AgentRun, request: RunRequest): Promise<DrainResult> {
    const { clock } = this.deps;
    this.#group = run.group;
    this.#watchdog.activity();
    if (request.timeoutMs > 0) {
      const text = "agent did not produce result within drain timeout";
      this.#deadline = clock.timer(
        request.timeoutMs + DRAIN_SLACK_MS,
        () => this.#stop({ status: "timeout", text }),
      );
    }
    const result = await Promise.race([run.result, this.#bounded()]);
    const stopped = this.#stopped;
    if (stopped !== undefined) {
      return { ...result, status: stopped.status, error: result.error || stopped.text };
    }
    return this.deps.signal.aborted && result.status !== "completed"
      ? { ...result, status: "cancelled" }
      : result;
  }

  #stop(why: HostStop): void {
    this.#stopped = why;
    this.abort.abort(new Error(why.text));
  }

  /** A stand-in for a result that does not come although the agent was stopped. */
  #bounded(): Promise<DrainResult> {
    return new Promise((resolve) => {
      const onAbort = () => {
        this.#giveUp = this.deps.clock.timer(STOPPED_RESULT_MS, () => resolve(NO_RESULT));
      };
      if (this.abort.signal.aborted) onAbort();
      else this.abort.signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  stop(): void {
    this.#watchdog.stop();
    this.#deadline?.cancel();
    this.#giveUp?.cancel();
  }
}

const NO_RESULT: DrainResult = {
  status: "cancelled",
  output: "",
  error: "task cancelled by upstream context (server cancel or daemon shutdown)",
  sessionId: "",
  usage: {},
  durationMs: 0,
  resumeRejected: false,
  costUsdTicks: 0,
};
