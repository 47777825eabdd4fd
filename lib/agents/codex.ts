/** The Codex driver: one turn over `codex app-server`, with its two careful retries (spec 06 §5, §11.5, §11.9). */
import { type EndReport, errorText, getLog, type ProcessGroup, sleep } from "../core/mod.ts";
import { codexArgs } from "./codex_args.ts";
import { logLaunch } from "./child_launch.ts";
import { applyCodexMcp } from "./codex_config_file.ts";
import { type AttemptFacts, startCodexAttempt, type StartedAttempt } from "./codex_attempt.ts";
import { codexRollout, ROLLOUT_POLL_MS, rolloutExists, rolloutUsage } from "./codex_rollout.ts";
import { CATALOG_FAILURE } from "./codex_text.ts";
import type { AgentResult, AgentRun, Driver, RunPorts, RunRequest } from "./contract.ts";
import { hasTokens, NO_USAGE } from "./usage.ts";

const log = getLog("agents", "codex");

/** How long the result waits for the thread's file to appear, ms (spec 06 §11.13). */
const ROLLOUT_WAIT_MS = 2_000;

const SUPPRESSED = "; retry suppressed: process cleanup/reap not confirmed";

/** Drives `codex app-server`. */
export const codexDriver: Driver = {
  async start(request, ports) {
    ports.signal.throwIfAborted();
    const { firstTurnMs = 0, semanticInactivityMs } = request;
    if (firstTurnMs > 0 && semanticInactivityMs > 0 && firstTurnMs >= semanticInactivityMs) {
      log.warn("codex first-turn limit never fires: the inactivity limit is not longer", {
        firstTurnMs,
        semanticInactivityMs,
      });
    }
    await applyCodexMcp(request);
    const args = codexArgs(request);
    logLaunch(request, args, ["app-server"]);
    return new CodexRun(request, ports, args);
  },
};

/** A run that may take two launches. */
class CodexRun implements AgentRun {
  readonly result: Promise<AgentResult>;
  readonly ended: Promise<EndReport>;
  readonly exited: Promise<void>;

  readonly #result = Promise.withResolvers<AgentResult>();
  readonly #startedAtMs: number;
  #current: StartedAttempt;

  constructor(
    private readonly request: RunRequest,
    private readonly ports: RunPorts,
    private readonly args: readonly string[],
  ) {
    this.#startedAtMs = ports.clock.now();
    this.#current = startCodexAttempt(request, ports, args);
    this.result = this.#result.promise;
    this.ended = this.#live();
    this.exited = this.result.then(() => this.#current.child.run.exited);
  }

  get group(): ProcessGroup {
    return this.#current.child.group;
  }

  async #live(): Promise<EndReport> {
    const first = this.#current;
    const result = await first.child.run.result;
    const retry = retryPlan(result, first.attempt.facts, this.request);
    if (retry === undefined || this.ports.signal.aborted) return await this.#finish(first, result);
    const report = await first.child.run.ended;
    if (!report.empty) {
      await this.#settle(first, { ...result, error: result.error + SUPPRESSED });
      return report;
    }
    log.warn("codex launched once more", { reason: retry.reason });
    try {
      await sleep(this.ports.clock, between(retry.pauseMs, this.ports.random()), this.ports.signal);
      this.#current = startCodexAttempt(retry.request, this.ports, this.args);
    } catch (error) {
      log.warn("codex was not launched again", { error: errorText(error) });
      await this.#settle(first, result);
      return report;
    }
    return await this.#finish(this.#current, await this.#current.child.run.result);
  }

  async #finish(started: StartedAttempt, result: AgentResult): Promise<EndReport> {
    await this.#settle(started, result);
    return await started.child.run.ended;
  }

  /** What only the disk knows: whether the thread can be resumed, and usage nobody told. */
  async #settle(started: StartedAttempt, result: AgentResult): Promise<void> {
    const { facts } = started.attempt;
    const kept = await this.#withRollout(result, facts);
    this.#result.resolve(await this.#withUsage(kept, facts));
  }

  async #withRollout(result: AgentResult, facts: AttemptFacts): Promise<AgentResult> {
    if (result.sessionId === "") return result;
    if (facts.rolloutPath === "") return await this.#lookedFor(result, facts);
    const until = this.ports.clock.monotonic() + ROLLOUT_WAIT_MS;
    for (;;) {
      if (await rolloutExists(facts.rolloutPath) !== false) return result;
      if (this.ports.clock.monotonic() >= until) break;
      await sleep(this.ports.clock, ROLLOUT_POLL_MS);
    }
    return withheld(result, facts);
  }

  /** Older Codex does not say where the file is. */
  async #lookedFor(result: AgentResult, facts: AttemptFacts): Promise<AgentResult> {
    const known = await codexRollout(this.request.env, facts.threadId);
    return known.state === "missing" ? withheld(result, facts) : result;
  }

  async #withUsage(result: AgentResult, facts: AttemptFacts): Promise<AgentResult> {
    const told = Object.values(result.usage)[0] ?? NO_USAGE;
    if (hasTokens(told)) return result;
    // A quick turn is over before anybody has looked for its file.
    const path = facts.rolloutPath || (await codexRollout(this.request.env, facts.threadId)).path;
    const scanned = path === "" ? undefined : await rolloutUsage(path, this.#startedAtMs, facts.resumed);
    if (scanned === undefined || !hasTokens(scanned.usage)) return { ...result, usage: {} };
    return { ...result, usage: { [facts.model || scanned.model || "unknown"]: scanned.usage } };
  }
}

interface Retry {
  readonly reason: string;
  readonly request: RunRequest;
  /** Bounds of the random pause, ms. */
  readonly pauseMs: readonly [number, number];
}

/** The two cases in which a second launch cannot repeat anything (spec 06 §11.5, §11.9). */
function retryPlan(result: AgentResult, facts: AttemptFacts, request: RunRequest): Retry | undefined {
  if (facts.initializeTimedOut && !facts.sawActivity) {
    return { reason: "initialize timed out", request, pauseMs: [75, 125] };
  }
  const catalog = facts.stderrTail.includes(CATALOG_FAILURE) && !facts.progressed &&
    result.status !== "completed" && result.status !== "aborted" && facts.stalled;
  if (!catalog) return undefined;
  return {
    reason: "model catalog failed",
    request: { ...request, resumeSessionId: "" },
    pauseMs: [500, 1500],
  };
}

function withheld(result: AgentResult, facts: AttemptFacts): AgentResult {
  log.warn("codex never wrote the thread to disk, its id is withheld", { thread: facts.threadId });
  return { ...result, sessionId: "", sessionRolloutMissing: true };
}

function between([low, high]: readonly [number, number], random: number): number {
  return low + random * (high - low);
}
