/** How a task ends on the plane: complete, fail with auto-retry, cancel, and what each does beside (spec 01 §4.19, 4.20, 6.5). */
import { classifyError } from "./classify.ts";
import { announceCompletion, announceFailure } from "./outcome.ts";
import type { CompleteBody, FailBody } from "./requests.ts";
import type { Store } from "./store.ts";
import { enqueue, setStatus } from "./tasks.ts";
import { dropTaskTokens } from "./tokens.ts";
import type { TaskDb } from "./types.ts";

/** States in which a host may be at work. */
const ACTIVE: ReadonlySet<string> = new Set(["dispatched", "running", "waiting_local_directory"]);

/** Reasons after which a session is not resumed (spec 01 §5.6, later §11.11). */
const UNSAFE = [
  "iteration_limit",
  "agent_fallback_message",
  "api_invalid_request",
  "codex_semantic_inactivity",
];
const UNSAFE_LATER = [...UNSAFE, "agent_error.context_overflow", "codex_resume_oversized"];

const RETRIED = ["runtime_offline", "runtime_recovery", "timeout", "codex_semantic_inactivity"];
const RETRIED_LATER = [
  ...RETRIED,
  "runtime_reconnect_timeout",
  "runtime_cli_timeout",
  "skill_bundle_unavailable",
  "agent_error.provider_network",
];
/** Attempts and last pause of network retries in the later era. */
const NETWORK_ATTEMPTS = 3;
const NETWORK_PAUSE_MS = 5_000;

/** Failure reasons whose session must not be resumed. */
export function resumeUnsafe(store: Store): readonly string[] {
  return store.later ? UNSAFE_LATER : UNSAFE;
}

/** `complete`: only a running task moves; any other row comes back unchanged. */
export function completeTask(store: Store, task: TaskDb, body: CompleteBody): TaskDb {
  if (task.status !== "running") return task;
  if (store.later && isContextFull(body.output)) {
    return failTask(store, task, {
      error: body.output,
      reason: "agent_error.context_overflow",
      sessionId: body.session_id,
      workDir: body.work_dir,
    }).row;
  }
  const result = Object.fromEntries(
    Object.entries(body).filter(([name, value]) => name === "output" || value !== "" && value !== null),
  );
  const row = setStatus(store, task, "completed", {
    completed_at: store.now(),
    session_id: body.session_id || null,
    work_dir: body.work_dir || null,
    branch_name: store.later ? body.branch_name || null : null,
    result: JSON.stringify(result),
  });
  announceCompletion(store, row, body.output);
  dropTaskTokens(store, task.id);
  wakeForNext(store, row);
  return row;
}

/** Facts of a failure. */
export interface Failure {
  readonly error: string;
  /** Blank = classified from the text. */
  readonly reason: string;
  readonly sessionId?: string;
  readonly workDir?: string;
  readonly branchName?: string;
}

/** `fail` as the host sends it: any state but the active ones comes back unchanged. */
export function failByHost(store: Store, task: TaskDb, body: FailBody): TaskDb {
  if (!ACTIVE.has(task.status)) return task;
  return failTask(store, task, {
    error: body.error,
    reason: body.failure_reason,
    sessionId: body.session_id,
    workDir: body.work_dir,
    branchName: body.branch_name,
  }).row;
}

/** Fails a task and retries it when the rules say so; tells the user otherwise. */
export function failTask(store: Store, task: TaskDb, failure: Failure): { row: TaskDb; retry?: string } {
  const reason = failure.reason || classifyError(failure.error);
  const row = setStatus(store, task, "failed", {
    completed_at: store.now(),
    lease_until: null,
    wait_reason: null,
    error: failure.error,
    failure_reason: reason,
    session_id: failure.sessionId || task.session_id,
    work_dir: failure.workDir || task.work_dir,
    branch_name: store.later ? failure.branchName || task.branch_name : null,
  }, reason);
  dropTaskTokens(store, task.id);
  const retry = task.status === "queued" ? undefined : retryOf(store, row);
  announceFailure(store, row, {
    retried: retry !== undefined,
    resumeOk: !resumeUnsafe(store).includes(reason),
  });
  wakeForNext(store, row);
  return retry === undefined ? { row } : { row, retry };
}

/** Cancels a task that has not ended; ended ones stay as they are. */
export function cancelTask(store: Store, task: TaskDb, reason = "cancelled"): TaskDb {
  if (!ACTIVE.has(task.status) && task.status !== "queued") return task;
  const row = setStatus(store, task, "cancelled", {
    completed_at: store.now(),
    lease_until: null,
    wait_reason: null,
  }, reason);
  dropTaskTokens(store, task.id);
  wakeForNext(store, row);
  return row;
}

/** Manual rerun: cancels the agent's open tasks on the issue and starts without memory (spec 01 §6.5). */
export function rerunTask(store: Store, task: TaskDb): string {
  const open = store.db.all<TaskDb>(
    `SELECT * FROM tasks WHERE agent_id = ? AND issue_id IS ? AND chat_session_id IS ?
       AND status IN ('queued', 'dispatched', 'running', 'waiting_local_directory')`,
    task.agent_id,
    task.issue_id,
    task.chat_session_id,
  );
  for (const row of open) cancelTask(store, row, "rerun");
  return enqueue(store, {
    workspaceId: task.workspace_id,
    agentId: task.agent_id,
    issueId: task.issue_id,
    chatSessionId: task.chat_session_id,
    triggerCommentId: task.trigger_comment_id,
    priority: task.priority,
    forceFresh: true,
  });
}

function retryOf(store: Store, task: TaskDb): string | undefined {
  const reason = task.failure_reason ?? "";
  const network = store.later && reason === "agent_error.provider_network";
  const limit = network && task.max_attempts > 1
    ? Math.max(task.max_attempts, NETWORK_ATTEMPTS)
    : task.max_attempts;
  const wanted = (store.later ? RETRIED_LATER : RETRIED).includes(reason) && task.attempt < limit &&
    task.autopilot_run_id === null && (task.issue_id !== null || task.chat_session_id !== null);
  if (!wanted) return undefined;
  const fresh = reason === "codex_semantic_inactivity";
  return enqueue(store, {
    workspaceId: task.workspace_id,
    agentId: task.agent_id,
    runtimeId: task.runtime_id,
    issueId: task.issue_id,
    chatSessionId: task.chat_session_id,
    triggerCommentId: task.trigger_comment_id,
    triggerSummary: task.trigger_summary,
    handoffNote: task.handoff_note,
    priority: task.priority,
    attempt: task.attempt + 1,
    maxAttempts: limit,
    parentTaskId: task.id,
    initiatorUserId: task.initiator_user_id,
    forceFresh: fresh || task.force_fresh === 1,
    sessionId: fresh ? null : task.session_id,
    workDir: fresh ? null : task.work_dir,
    runAfter: network && task.attempt + 1 === limit ? store.now() + NETWORK_PAUSE_MS : null,
  });
}

/** Later servers wake the runtime when a task ends: a serialised sibling may be waiting (spec 01 §11.2). */
function wakeForNext(store: Store, task: TaskDb): void {
  if (!store.later || task.runtime_id === null) return;
  const next = store.db.get<{ id: string }>(
    "SELECT id FROM tasks WHERE runtime_id = ? AND status = 'queued' LIMIT 1",
    task.runtime_id,
  );
  if (next !== undefined) store.hint({ type: "task_available", runtimeId: task.runtime_id, taskId: next.id });
}

function isContextFull(output: string): boolean {
  const text = output.trim().toLowerCase();
  return text.length < 400 &&
    /^(prompt is too long|context (window|length) (is )?(full|exceeded))/.test(text);
}
