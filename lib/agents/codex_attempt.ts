/** One launch of `codex app-server`: its turn and its end (spec 06 §5.1, §5.10, §11.5, §11.9). */
import { errorText, getLog, Redactor, secretValues } from "../core/mod.ts";
import { type ChildEnd, type ChildProtocol, type ChildRun, startChild, withStderr } from "./child_run.ts";
import { codexRollout, rolloutAppears, rolloutExists } from "./codex_rollout.ts";
import { answerCodex } from "./codex_requests.ts";
import { CodexOpening, type OpeningFailure } from "./codex_opening.ts";
import { CodexSession, type TurnEnd } from "./codex_session.ts";
import { endedUndecided, type Outcome } from "./codex_outcome.ts";
import { catalogDiagnosis, RESUME_TOO_LONG, stallText } from "./codex_text.ts";
import { type Stall, TurnWatch } from "./codex_watch.ts";
import type { AgentResult, RunPorts, RunRequest, RunStatus } from "./contract.ts";
import { parseRpc, RpcClient, RpcTransportError } from "./json_rpc.ts";
import { sanitiseDiagnostic } from "./sanitise.ts";
import { parseUsageWindow } from "./usage_window.ts";

const log = getLog("agents", "codex");

/** How long a hint of the end waits for the turn's own last word, ms. */
const SETTLE_MS = 2_000;

/** What the driver needs to know beside the result. */
export interface AttemptFacts {
  /** The very first request was not answered in time. */
  readonly initializeTimedOut: boolean;
  /** It said something beyond its responses. */
  readonly sawActivity: boolean;
  readonly progressed: boolean;
  readonly stalled: boolean;
  readonly stderrTail: string;
  readonly threadId: string;
  readonly resumed: boolean;
  readonly rolloutPath: string;
  readonly model: string;
}

/** One attempt. Create with {@link startCodexAttempt}. */
export class CodexAttempt implements ChildProtocol {
  readonly #session: CodexSession;
  readonly #rpc: RpcClient;
  readonly #watch: TurnWatch;
  readonly #turnOver = Promise.withResolvers<void>();
  readonly #opening: CodexOpening;

  readonly #counts = { events: 0, invalid: 0, toolUses: 0 };
  #outcome: Outcome | undefined;
  #end: TurnEnd | undefined;
  #initializeTimedOut = false;
  #heard = false;
  #sawActivity = false;
  #stderrTail = "";
  #pinning = false;
  #closed = false;

  constructor(
    private readonly run: ChildRun,
    private readonly request: RunRequest,
    private readonly ports: RunPorts,
  ) {
    this.#session = new CodexSession({
      emit: (event) => {
        if (event.type === "tool_use") this.#counts.toolUses++;
        run.emit(event);
      },
      activity: (what) => this.#activity(what),
      turnEnded: (end) => this.#turnEnded(end),
      redactor: new Redactor({ secrets: secretValues(request.env) }),
    });
    this.#rpc = new RpcClient({
      send: (line) => run.send(line),
      writeError: () => run.stdin.error,
      clock: ports.clock,
      peer: "codex app-server",
    });
    this.#watch = new TurnWatch(
      ports.clock,
      { semanticMs: request.semanticInactivityMs, firstTurnMs: request.firstTurnMs },
      (stall) => this.#stalled(stall),
    );
    this.#opening = new CodexOpening({
      request,
      rpc: this.#rpc,
      session: this.#session,
      turnHeard: () => this.#sawActivity,
      turnDecided: () => this.#outcome !== undefined,
    });
  }

  /** Facts for the driver; complete once the result is there. */
  get facts(): AttemptFacts {
    return {
      initializeTimedOut: this.#initializeTimedOut,
      sawActivity: this.#heard,
      progressed: this.#watch.progressed,
      stalled: this.#outcome?.stall !== undefined,
      stderrTail: this.#stderrTail,
      threadId: this.#session.threadId,
      resumed: this.#session.resumed,
      rolloutPath: this.#opening.rolloutPath,
      model: this.#opening.model,
    };
  }

  /** Talks to the server until the turn runs. Ends by itself; failures become the outcome. */
  async converse(): Promise<void> {
    const failure = await this.#opening.run();
    if (failure !== undefined) this.#failed(failure);
    else if (this.#end === undefined && this.#outcome === undefined) this.#watch.arm();
  }

  line(line: string): void {
    this.#counts.events++;
    const message = parseRpc(line);
    if (message === undefined) {
      this.#counts.invalid++;
      return;
    }
    if (message.kind === "response") return this.#rpc.receive(message);
    this.#heard = true;
    if (message.kind === "notification") return this.#session.notification(message.method, message.params);
    this.#answer(message.id, message.method, message.params);
  }

  /** A response too long to read cannot be waited for; a notification too long is only a gap. */
  cutLine(head: string): void {
    if (this.#opening.phase === "turn" || !/^\s*\{\s*"(?:id|result|jsonrpc)"/.test(head)) return;
    const resuming = this.#opening.phase === "thread/resume";
    const error = resuming
      ? RESUME_TOO_LONG
      : `codex ${this.#opening.phase} failed: codex process exited: bufio.Scanner: token too long`;
    this.#decide({ status: "failed", error, stderr: !resuming, resumeRejected: resuming });
    this.run.stop("oversized");
  }

  /** Codex's own way to stop a turn; its answer is a `turn/completed` that says interrupted. */
  async stop(): Promise<void> {
    this.#watch.stop();
    const { threadId, turnId } = this.#session;
    if (this.#opening.phase !== "turn" || turnId === "" || this.#end !== undefined) return;
    this.#rpc.request("turn/interrupt", { threadId, turnId }).catch((error: unknown) => {
      log.debug("codex did not take the interrupt", { error: errorText(error) });
      this.#turnOver.resolve();
    });
    await this.#turnOver.promise;
  }

  conclude(end: ChildEnd): AgentResult {
    const result = this.#result(end);
    this.#summary(end, result.status);
    return result;
  }

  /** Counts only, no content (N-10). */
  #summary(end: ChildEnd, status: RunStatus): void {
    log.info("agent protocol summary", {
      provider: this.request.provider,
      cli_version: this.request.cliVersion,
      model: this.request.model,
      status,
      exit_code: end.exit?.code,
      event_count: this.#counts.events,
      invalid_event_count: this.#counts.invalid,
      tool_use_count: this.#counts.toolUses,
      scanner_error: end.readError !== "" || end.cutBytes > 0,
    });
  }

  #result(end: ChildEnd): AgentResult {
    this.#close();
    this.#stderrTail = sanitiseDiagnostic(end.stderrTail);
    const outcome = this.#outcome ??= endedUndecided(end, {
      phase: this.#opening.phase,
      timeoutMs: this.request.timeoutMs,
      turnEnded: this.#end !== undefined,
      turnError: this.#session.turnError,
    });
    const diagnosis = outcome.stall === undefined ? "" : catalogDiagnosis(this.#stderrTail);
    const error = outcome.stderr
      ? withStderr(outcome.error + diagnosis, "codex", this.#stderrTail)
      : outcome.error;
    const window = error === "" ? undefined : parseUsageWindow(error, this.ports.clock.now(), localZone());
    const usage = this.#session.usage.usage;
    return {
      status: outcome.status,
      output: outcome.status === "completed" ? this.#session.output : "",
      error,
      sessionId: outcome.resumeRejected === true ? "" : this.#session.threadId,
      usage: { [this.#opening.model || "unknown"]: usage },
      durationMs: end.durationMs,
      resumeRejected: outcome.resumeRejected ?? false,
      costUsdTicks: 0,
      ...(window === undefined ? {} : { usageWindow: window }),
    };
  }

  #failed(error: OpeningFailure): void {
    if (this.#outcome !== undefined || this.#closed) return;
    if (this.run.stopCause !== undefined) return; // the stop is the reason, conclude() says so
    this.#initializeTimedOut = error.timedOut && error.phase === "initialize";
    this.#decide({ status: "failed", error: error.message, stderr: error.stderrIsSafe });
    if (error.timedOut) this.run.stop("handshake");
    else this.run.terminal();
  }

  // ── the turn ──

  #activity(what: string): void {
    this.#sawActivity = true;
    this.#watch.activity(what);
    if (this.#watch.progressed && !this.#pinning) {
      this.#pinning = true;
      this.#pin();
    }
  }

  /** The thread is announced once its file exists and the turn really works: a dead thread is never pinned. */
  async #pin(): Promise<void> {
    const { threadId } = this.#session;
    const kept = await rolloutAppears(() => this.#rolloutThere(), {
      clock: this.ports.clock,
      over: this.#turnOver.promise,
      isOver: () => this.#closed || this.#end !== undefined,
    });
    if (kept && !this.#closed) this.run.emit({ type: "session", sessionId: threadId });
  }

  /** undefined when nobody can tell. */
  async #rolloutThere(): Promise<boolean | undefined> {
    if (this.#opening.rolloutPath !== "") return await rolloutExists(this.#opening.rolloutPath);
    const known = await codexRollout(this.request.env, this.#session.threadId);
    this.#opening.rolloutPath = known.path;
    return known.state === "unknown" ? undefined : known.state === "present";
  }

  #answer(id: string | number, method: string, params: unknown): void {
    this.run.emit({ type: "activity" });
    const answer = answerCodex(method, params, this.ports.clock.now());
    if ("result" in answer) return this.#rpc.respond(id, answer.result);
    this.#rpc.refuse(id, answer.refuse.code, answer.refuse.message);
    this.#session.fail(answer.refuse.message);
  }

  #turnEnded(end: TurnEnd): void {
    if (this.#outcome !== undefined) return this.#turnOver.resolve();
    if (!end.settled) {
      if (this.#end !== undefined) return;
      this.#end = end;
      // Usage and a better verdict come with the turn's own last word; it is never waited for long.
      const timer = this.ports.clock.timer(SETTLE_MS, () => this.#settle());
      this.#turnOver.promise.then(() => timer.cancel());
      return;
    }
    this.#end = end;
    this.#settle();
  }

  #settle(): void {
    this.#watch.stop();
    const { turnError } = this.#session;
    if (this.run.stopCause === undefined) {
      this.#decide(
        this.#end?.aborted === true
          ? { status: "aborted", error: turnError || "turn was aborted", stderr: false }
          : { status: turnError === "" ? "completed" : "failed", error: turnError, stderr: false },
      );
      this.run.terminal();
    }
    this.#turnOver.resolve();
  }

  #stalled(stall: Stall): void {
    if (this.#outcome !== undefined) return;
    const error = stallText(stall, {
      cliVersion: this.request.cliVersion,
      threadId: this.#session.threadId,
      turnId: this.#session.turnId,
      model: this.request.model,
    });
    this.#decide({ status: "timeout", error, stderr: true, stall });
    this.run.stop(stall.kind);
  }

  // ── the end ──

  #decide(outcome: Outcome): void {
    this.#outcome ??= outcome;
  }

  #close(): void {
    this.#closed = true;
    this.#watch.stop();
    this.#rpc.close(new RpcTransportError("codex process exited"));
    this.#turnOver.resolve();
  }
}

/** A launched attempt and its process. */
export interface StartedAttempt {
  readonly attempt: CodexAttempt;
  readonly child: ChildRun;
}

/** Launches `codex app-server` and begins to talk. @throws {LaunchError} */
export function startCodexAttempt(
  request: RunRequest,
  ports: RunPorts,
  args: readonly string[],
): StartedAttempt {
  let attempt: CodexAttempt | undefined;
  const child = startChild(
    { name: "codex", request, ports, args, stdin: "piped", graceMs: 0, logStderr: false },
    (run) => attempt = new CodexAttempt(run, request, ports),
  );
  attempt!.converse();
  return { attempt: attempt!, child };
}

function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
