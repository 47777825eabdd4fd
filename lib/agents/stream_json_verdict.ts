/** The outcome of a stream-json run, as a pure function of what was seen (spec 06 §11.1 table, §2.9, §11.14). */
import { exitText, formatDuration } from "../core/mod.ts";
import { type ChildEnd, withStderr } from "./child_run.ts";
import type { RunStatus } from "./contract.ts";
import type { StreamOutcome } from "./stream_json_state.ts";

/** Facts of a run. `end` is undefined at the terminal event, when the child still runs. */
export interface StreamFacts {
  /** Word for messages: `claude`. */
  readonly name: string;
  readonly outcome: StreamOutcome | undefined;
  readonly end: ChildEnd | undefined;
  /** Stop that came before the outcome was decided. */
  readonly stopCause: string | undefined;
  readonly timeoutMs: number;
  /** Text of a completion guard that tripped, "" for none. */
  readonly guard: string;
  readonly lastText: string;
  readonly requestedSession: string;
  /** "" when the CLI stated none. */
  readonly statedSession: string;
  /** Terminal reasons that are failures, with what they mean. */
  readonly terminalReasons: Readonly<Record<string, string>>;
}

/** The part of an agent result that follows from the facts. */
export interface StreamVerdict {
  readonly status: RunStatus;
  readonly output: string;
  readonly error: string;
  readonly sessionId: string;
  readonly resumeRejected: boolean;
}

/** First match decides. An error result survives a later deadline or cancel (N-7). */
export function streamVerdict(facts: StreamFacts): StreamVerdict {
  const { status, error } = decide(facts);
  const tail = facts.end?.stderrTail ?? "";
  const rejected = status === "failed" && resumeRejected(facts, `${error}\n${tail}`);
  return {
    status,
    output: status === "completed" ? facts.outcome?.text || facts.lastText : "",
    error: withStderr(error, facts.name, tail),
    sessionId: rejected ? "" : reportedSession(facts, status),
    resumeRejected: rejected,
  };
}

function decide(facts: StreamFacts): { status: RunStatus; error: string } {
  const { name, outcome, end } = facts;
  const meaning = outcome === undefined ? undefined : facts.terminalReasons[outcome.terminalReason];
  if (outcome !== undefined && meaning !== undefined) {
    const detail = outcome.text === "" ? "" : ` (${outcome.text})`;
    const reason = `${name} ended the turn with terminal_reason=${outcome.terminalReason}`;
    return failed(`${reason}: ${meaning}${detail}`);
  }
  if (outcome?.isError) return failed(outcome.text || `${name} returned an error result without details`);
  if (facts.stopCause === "timeout") {
    return { status: "timeout", error: `${name} timed out after ${formatDuration(facts.timeoutMs)}` };
  }
  if (facts.stopCause !== undefined) return { status: "aborted", error: "execution cancelled" };
  if (outcome === undefined && end !== undefined) return failed(endedWithoutResult(facts, end));
  if (facts.guard !== "") return failed(facts.guard);
  return { status: "completed", error: "" };
}

/** A known result is never overwritten by what the exit looked like (I-8), so these count only without one. */
function endedWithoutResult(facts: StreamFacts, end: ChildEnd): string {
  const { name } = facts;
  if (end.readError !== "") return `${name} stdout read error: ${end.readError}`;
  if (end.cutBytes > 0) return `${name} stdout read error: a line was longer than the limit and was cut`;
  const exit = end.exit === undefined ? "the process could not be ended" : exitText(end.exit);
  // A pipe breaks because the child is gone: how it went says more.
  const consequence = exit !== "" && /broken pipe/i.test(end.stdinError);
  if (end.stdinError !== "" && facts.statedSession === "" && !consequence) {
    return `write ${name} input: ${end.stdinError}`;
  }
  if (exit !== "") return `${name} exited with error: ${exit}`;
  return `${name} stream ended without terminal result`;
}

function failed(error: string): { status: RunStatus; error: string } {
  return { status: "failed", error };
}

/** Words that prove that the requested session cannot be resumed; lower case. */
const REJECTIONS = [
  "no conversation found",
  "no saved session found",
  "已绑定另外",
  "bound to another account",
  "bound to a different account",
];

/** Whether `text` says so. */
export function saysResumeRejected(text: string): boolean {
  const lower = text.toLowerCase();
  return REJECTIONS.some((words) => lower.includes(words));
}

function resumeRejected(facts: StreamFacts, text: string): boolean {
  if (facts.requestedSession === "") return false;
  const other = facts.statedSession !== "" && facts.statedSession !== facts.requestedSession;
  return other || saysResumeRejected(text);
}

/** Spec 06 §2.9. */
function reportedSession(facts: StreamFacts, status: RunStatus): string {
  const { requestedSession: asked, statedSession: stated } = facts;
  if (asked === "" || asked === stated) return stated;
  return status === "failed" ? "" : stated;
}
