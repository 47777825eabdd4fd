/** From an agent's result to what the server is told: pure (spec 08 §12.4, §17; 06 §8.6, §11.14). */
import {
  type AgentResult,
  classifyFailure,
  codexResumeOversized,
  hasTokens,
  poisonedError,
  poisonedOutput,
  providerUnconfigured,
  resumeUnsafeTimeout,
  type UsageByModel,
} from "../agents/mod.ts";
import type { CompleteBody, FailBody, UsageEntry } from "../control/mod.ts";
import { formatDuration, wireText } from "../core/mod.ts";

/** Status of an agent's run with what the drain adds (spec 06 §8.2). */
export type DrainStatus =
  | AgentResult["status"]
  | "idle_watchdog"
  | "cancelled"
  | (string & Record<never, never>);

/** A result as the drain hands it on. */
export type DrainResult = Omit<AgentResult, "status"> & { readonly status: DrainStatus };

/** Facts of {@link judge}. */
export interface JudgeFacts {
  readonly provider: string;
  readonly result: DrainResult;
  readonly workDir: string;
  readonly agentTimeoutMs: number;
  /** Session that must never be handed out again, "" for none. */
  readonly retiredSessionId: string;
  /** Hides secrets in everything that is reported. */
  readonly mask: (text: string) => string;
}

/** What is reported. */
export type Report =
  | { readonly kind: "complete"; readonly body: CompleteBody }
  | { readonly kind: "fail"; readonly body: FailBody };

/** Completed → complete, everything else → fail with a reason (R41, HD-7). An empty output is a legal success (I-11). */
export function judge(facts: JudgeFacts): Report {
  const { result } = facts;
  if (result.status !== "completed") return failure(facts, textOf(facts), reasonOf(facts));
  const poisoned = poisonedOutput(result.output);
  if (poisoned !== undefined) return failure(facts, result.output, poisoned);
  return { kind: "complete", body: { output: clean(facts, result.output), ...pointers(facts) } };
}

function failure(facts: JudgeFacts, error: string, reason: string): Report {
  return { kind: "fail", body: { error: clean(facts, error), failure_reason: reason, ...pointers(facts) } };
}

function clean(facts: JudgeFacts, text: string): string {
  return wireText(facts.mask(text));
}

function textOf({ provider, result, agentTimeoutMs }: JudgeFacts): string {
  if (result.status === "cancelled") return "task cancelled by server";
  if (result.error !== "") return withHint(result.error);
  if (result.status === "timeout") return `${provider} timed out after ${formatDuration(agentTimeoutMs)}`;
  return `${provider} execution ${result.status}`;
}

/** An unconfigured provider: say what to do (spec 08 §17.3). */
function withHint(error: string): string {
  return providerUnconfigured(error)
    ? `${error} (the CLI looks for its configuration in the home directory of the user that runs the host)`
    : error;
}

function reasonOf(facts: JudgeFacts): string {
  const { provider, result } = facts;
  const text = textOf(facts);
  switch (result.status) {
    case "cancelled":
      return "cancelled";
    case "idle_watchdog":
      return "idle_watchdog";
    case "timeout":
      return resumeUnsafeTimeout(provider, text) ?? "timeout";
  }
  return codexResumeOversized(provider, text) ?? poisonedError(text) ?? classifyFailure(text);
}

/** Session, work directory and what is known about them; absent when empty. */
function pointers(
  { result, workDir, retiredSessionId }: JudgeFacts,
): Omit<FailBody, "error" | "failure_reason"> {
  return {
    ...(result.sessionId === "" ? {} : { session_id: result.sessionId }),
    ...(workDir === "" ? {} : { work_dir: workDir }),
    ...(retiredSessionId === "" || retiredSessionId === result.sessionId
      ? {}
      : { retired_session_id: retiredSessionId }),
    ...(result.sessionRolloutMissing === true ? { session_rollout_missing: true } : {}),
  };
}

/** One entry a model with tokens; costs stated by the CLI go to the model that used most (spec 01 §4.17, §11.5). */
export function usageEntries(provider: string, usage: UsageByModel, costUsdTicks: number): UsageEntry[] {
  const entries: UsageEntry[] = Object.entries(usage).filter(([, tokens]) => hasTokens(tokens)).map((
    [model, tokens],
  ) => ({
    provider,
    model,
    input_tokens: tokens.inputTokens,
    output_tokens: tokens.outputTokens,
    cache_read_tokens: tokens.cacheReadTokens,
    cache_write_tokens: tokens.cacheWriteTokens,
  }));
  if (costUsdTicks <= 0 || entries.length === 0) return entries;
  const most = entries.reduce((a, b) =>
    a.input_tokens + a.output_tokens >= b.input_tokens + b.output_tokens ? a : b
  );
  return entries.map((entry) =>
    entry === most ? { ...entry, cost_usd_ticks: Math.trunc(costUsdTicks) } : entry
  );
}
