/** Errors that end a run before the agent has given a result, each with the reason the server is told. */
import { classifyFailure } from "../agents/mod.ts";
import type { TaskStatus } from "../control/mod.ts";
import { errorText, HostError } from "../core/mod.ts";

/** A run that cannot go on: its text and reason are reported as they are. */
export class TaskFailure extends HostError {
  constructor(message: string, readonly reason: string, cause?: unknown) {
    super(message, { code: "task_failure", facts: { reason }, ...(cause === undefined ? {} : { cause }) });
  }
}

/** The server ended the task, or has it no more: nothing is reported. */
export class TaskInterrupted extends Error {
  override readonly name = "TaskInterrupted";
  constructor(readonly status: TaskStatus | "gone") {
    super(`task ${status} at the server`);
  }
}

/** This host stops. */
export class TaskStopped extends Error {
  override readonly name = "TaskStopped";
  constructor(readonly why: string) {
    super(why);
  }
}

/** Codes of `HostError`s of other rooms that are failure reasons themselves (spec 08 §9, §17.2). */
const REASON_CODES: ReadonlySet<string> = new Set([
  "local_directory_error",
  "skill_bundle_unavailable",
  "runtime_cli_timeout",
  "invalid_task_identity",
  "timeout",
]);

/** Text and reason of any error that ended a run without a result. */
export function failureOf(error: unknown): { readonly error: string; readonly reason: string } {
  const text = errorText(error);
  if (error instanceof TaskFailure) return { error: text, reason: error.reason };
  if (error instanceof HostError && REASON_CODES.has(error.code)) return { error: text, reason: error.code };
  return { error: text, reason: classifyFailure(text) };
}
