/** How a Codex attempt ended, and the verdict when nothing had decided it before its process was gone (spec 06 §5.10). */
import { formatDuration } from "../core/mod.ts";
import type { ChildEnd } from "./child_types.ts";
import { type OpeningPhase, startsThread } from "./codex_opening.ts";
import type { Stall } from "./codex_watch.ts";
import type { RunStatus } from "./contract.ts";

/** How an attempt was decided. */
export interface Outcome {
  readonly status: RunStatus;
  readonly error: string;
  /** False where stderr may echo environment or configuration. */
  readonly stderr: boolean;
  readonly resumeRejected?: boolean;
  readonly stall?: Stall;
}

/** What is known of the turn when the process is gone. */
export interface TurnFacts {
  readonly phase: OpeningPhase;
  /** Limit of the run, ms. */
  readonly timeoutMs: number;
  /** The turn's end was hinted at. */
  readonly turnEnded: boolean;
  readonly turnError: string;
}

/** The verdict of an attempt that nothing decided. */
export function endedUndecided(end: ChildEnd, facts: TurnFacts): Outcome {
  if (end.stopCause === "timeout") {
    const error = `codex timed out after ${formatDuration(facts.timeoutMs)}`;
    return { status: "timeout", error, stderr: false };
  }
  if (end.stopCause !== undefined) return { status: "aborted", error: "execution cancelled", stderr: false };
  if (facts.turnEnded) {
    return { status: facts.turnError === "" ? "completed" : "failed", error: facts.turnError, stderr: false };
  }
  const reason = end.readError === "" ? "codex process exited" : `codex process exited: ${end.readError}`;
  const startUp = facts.phase === "turn" ? "" : `codex ${facts.phase} failed: `;
  return { status: "failed", error: startUp + reason, stderr: !startsThread(facts.phase) };
}
