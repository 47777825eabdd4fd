/** A task as tests and the local commands see it: the row, its title, its output. */
import { findAgent } from "./agents.ts";
import { findChat } from "./chats.ts";
import { findIssue } from "./issues.ts";
import { fromJson, type Store } from "./store.ts";
import { taskKind } from "./tasks.ts";
import type { QuickCreate, TaskDb } from "./types.ts";

/** Times are milliseconds since the epoch, null = never; ids are "" when the task has none. */
export interface TaskView {
  readonly id: string;
  readonly workspace_id: string;
  readonly agent_id: string;
  readonly agent_name: string;
  readonly runtime_id: string;
  readonly issue_id: string;
  readonly chat_session_id: string;
  /** `direct`, `comment`, `chat`, `autopilot`, `quick_create`. */
  readonly kind: string;
  readonly title: string;
  readonly status: string;
  readonly priority: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly parent_task_id: string;
  readonly created_at: number;
  readonly dispatched_at: number | null;
  readonly started_at: number | null;
  readonly completed_at: number | null;
  readonly lease_until: number | null;
  readonly wait_reason: string;
  readonly session_id: string;
  readonly work_dir: string;
  readonly branch_name: string;
  readonly output: string;
  readonly error: string;
  readonly failure_reason: string;
  readonly cancel_acked: boolean;
}

/** The view of a row. */
export function taskView(store: Store, task: TaskDb): TaskView {
  const result = fromJson<{ output?: string } | null>(task.result, null);
  return {
    id: task.id,
    workspace_id: task.workspace_id,
    agent_id: task.agent_id,
    agent_name: findAgent(store, task.agent_id)?.name ?? "",
    runtime_id: task.runtime_id ?? "",
    issue_id: task.issue_id ?? "",
    chat_session_id: task.chat_session_id ?? "",
    kind: taskKind(task),
    title: titleOf(store, task),
    status: task.status,
    priority: task.priority,
    attempt: task.attempt,
    max_attempts: task.max_attempts,
    parent_task_id: task.parent_task_id ?? "",
    created_at: task.created_at,
    dispatched_at: task.dispatched_at,
    started_at: task.started_at,
    completed_at: task.completed_at,
    lease_until: task.lease_until,
    wait_reason: task.wait_reason ?? "",
    session_id: task.session_id ?? "",
    work_dir: task.work_dir ?? "",
    branch_name: task.branch_name ?? "",
    output: result?.output ?? "",
    error: task.error ?? "",
    failure_reason: task.failure_reason ?? "",
    cancel_acked: task.cancel_acked_at !== null,
  };
}

function titleOf(store: Store, task: TaskDb): string {
  if (task.issue_id !== null) return findIssue(store, task.issue_id)?.title ?? "";
  if (task.chat_session_id !== null) return findChat(store, task.chat_session_id)?.title ?? "";
  if (task.autopilot_run_id !== null) {
    return store.db.get<{ title: string }>(
      "SELECT title FROM autopilot_runs WHERE id = ?",
      task.autopilot_run_id,
    )?.title ??
      "";
  }
  return fromJson<QuickCreate | null>(task.quick_create, null)?.prompt ?? "";
}
