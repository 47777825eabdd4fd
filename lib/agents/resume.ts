/** Whether an earlier session is used at all, and what happens when it turns out to be lost (spec 08 §12.5, §17.4). */
import { PROVIDERS } from "./catalog_rows.ts";
import type { AgentResult, UsageByModel } from "./contract.ts";
import { AGENT_ERROR, classifyFailure } from "./failures.ts";
import { authMethodUnresolved, unresumableHistory } from "./failures_poison.ts";
import { mergeUsage } from "./usage.ts";

/** What is known of an earlier session before a run. */
export interface ResumeFacts {
  readonly provider: string;
  /** "" when the claim named none. */
  readonly priorSessionId: string;
  /** "" when the claim named none. */
  readonly priorWorkDir: string;
  /** Directory this run really uses. */
  readonly workDir: string;
  /** Whether the CLI's own record of the session was looked for, and found. Default "unknown". */
  readonly sessionFile?: "present" | "missing" | "unknown";
}

/** Decision of {@link resumeGate}. */
export interface ResumeVerdict {
  /** Id to resume, "" to start fresh. */
  readonly sessionId: string;
  /** Why it starts fresh: `no_session`, `other_directory`, `session_file_missing`; "" when it resumes. */
  readonly reason: "" | "no_session" | "other_directory" | "session_file_missing";
  /** An id the server should never hand out again, "" for none. */
  readonly retiredSessionId: string;
}

/**
 * Providers whose missing session record is proof: the CLI reads nothing but that file
 * (decisions: Codex thread unknown; Claude keeps one file a session; Pi's session id is the file).
 */
const FILE_BOUND = new Set(["claude", "codex", "codebuddy", "pi", "omp"]);

/** A session is resumed only in the very directory it was made in, and only while its record can be there. */
export function resumeGate(facts: ResumeFacts): ResumeVerdict {
  if (facts.priorSessionId === "") return { sessionId: "", reason: "no_session", retiredSessionId: "" };
  if (facts.priorWorkDir === "" || facts.priorWorkDir !== facts.workDir) {
    return { sessionId: "", reason: "other_directory", retiredSessionId: "" };
  }
  if (facts.sessionFile === "missing" && FILE_BOUND.has(facts.provider)) {
    return { sessionId: "", reason: "session_file_missing", retiredSessionId: facts.priorSessionId };
  }
  return { sessionId: facts.priorSessionId, reason: "", retiredSessionId: "" };
}

/** The part of a result the retry verdict looks at; `status` may be one of the drain's own (spec 06 §1.5). */
export type RetryResult = Pick<AgentResult, "error" | "sessionId" | "resumeRejected"> & {
  readonly status: string;
};

/** Facts of {@link shouldRetryFresh}. */
export interface RetryFacts {
  readonly result: RetryResult;
  readonly provider: string;
  /** Tool calls seen in the run. */
  readonly toolCount: number;
  readonly resumeRequested: boolean;
}

/** CLIs that cannot say that a resume was refused: an empty session id is all they have. */
const BLIND_PROVIDERS = new Set(PROVIDERS.filter((row) => !row.detectsRejection).map((row) => row.provider));

/** Reasons a fresh session cannot help with. */
const HOPELESS = new Set(
  [
    "provider_network",
    "provider_capacity_or_rate_limit",
    "provider_quota_limit",
    "provider_server_error",
    "provider_auth_or_access",
    "missing_config",
    "model_not_found_or_unavailable",
    "runtime_missing_executable",
    "runtime_version_unsupported",
    "agent_timeout",
  ].map((reason) => AGENT_ERROR + reason),
);

/** One fresh start inside the task: only before any tool ran, and only on evidence (spec 06 §11.14, 08 §17.4). */
export function shouldRetryFresh(facts: RetryFacts): boolean {
  const { result, provider } = facts;
  if (result.status !== "failed" || !facts.resumeRequested || facts.toolCount > 0) return false;
  if (result.resumeRejected) return true;
  if (unresumableHistory(result.error) || authMethodUnresolved(result.error)) return true;
  return BLIND_PROVIDERS.has(provider) && result.sessionId === "" &&
    !HOPELESS.has(classifyFailure(result.error));
}

/** One attempt as the task saw it. */
export interface Attempt<R extends ReconcilableResult = AgentResult> {
  readonly result: R;
  readonly toolCount: number;
}

/** What {@link reconcileRetry} needs of a result. */
export interface ReconcilableResult {
  readonly status: string;
  readonly sessionId: string;
  readonly usage: UsageByModel;
}

/**
 * Which of the two attempts counts. `retry` is undefined when it could not start. Usage of both is kept, and a
 * completed retry without a session id never gets the old one back (spec 06 §11.14).
 */
export function reconcileRetry<R extends ReconcilableResult>(
  first: Attempt<R>,
  retry: Attempt<R> | undefined,
): Attempt<R> {
  if (retry === undefined) return first;
  const usage = mergeUsage(first.result.usage, retry.result.usage);
  const winner = retry.result.sessionId !== "" || retry.result.status === "completed" ? retry : first;
  return { result: { ...winner.result, usage }, toolCount: winner.toolCount };
}
