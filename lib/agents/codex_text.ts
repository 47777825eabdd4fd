/** Sentences of a Codex run's end; other code matches their beginnings (spec 06 §5.10, 08 §11.3). */
import { formatDuration } from "../core/mod.ts";
import type { Stall } from "./codex_watch.ts";
import { CODEX_INACTIVITY_MARK, CODEX_NO_PROGRESS_MARK } from "./failures_poison.ts";

/** What a stall's text names. */
export interface StallFields {
  readonly cliVersion: string;
  readonly threadId: string;
  readonly turnId: string;
  readonly model: string;
}

/** The error of a stalled turn, without stderr. */
export function stallText(stall: Stall, fields: StallFields): string {
  const after = formatDuration(stall.limitMs);
  const facts = [
    `codex_version=${quoted(fields.cliVersion, "unknown")}`,
    `thread_id=${quoted(fields.threadId, "unknown")}`,
    `turn_id=${quoted(fields.turnId, "unknown")}`,
    `model=${quoted(fields.model, "default(empty)")}`,
  ].join(" ");
  if (stall.kind === "first_turn") {
    return `${CODEX_NO_PROGRESS_MARK} after ${after}: received turn start but no item, message, tool, ` +
      `turn/completed, or error event (${facts})`;
  }
  const last = stall.lastActivity === "" ? "none" : stall.lastActivity;
  return `${CODEX_INACTIVITY_MARK} after ${after} without agent progress (last activity: ${last}; ${facts})`;
}

function quoted(value: string, blank: string): string {
  return JSON.stringify(value.trim() === "" ? blank : value.trim());
}

/** Start of what Codex says when it could not refresh its model catalog. */
export const CATALOG_FAILURE = "failed to refresh available models";

const CATALOG_TIMEOUT = `${CATALOG_FAILURE}: timeout waiting for child process to exit`;

/** `; diagnosis: …` when stderr explains the stall, else "". */
export function catalogDiagnosis(stderrTail: string): string {
  if (!stderrTail.includes(CATALOG_TIMEOUT)) return "";
  return "; diagnosis: codex timed out refreshing its model catalog before the turn began; an explicit model, " +
    "another Codex version or another runtime may help";
}

/** Error of a response that is longer than the line limit; both halves are matched elsewhere (08 §17.3). */
export const RESUME_TOO_LONG =
  "codex thread/resume failed: codex process exited: bufio.Scanner: token too long";
