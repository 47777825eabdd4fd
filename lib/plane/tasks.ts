/** One task's life on the plane: the legal transitions, and those that need no side effects (spec 01 §6.1). */
import { findTask } from "./access.ts";
import { findAgent } from "./agents.ts";
import { fromJson, rfc3339, type Store } from "./store.ts";
import { type QuickCreate, Refusal, type TaskDb } from "./types.ts";

/** Prepare lease after claim, wait and extension (spec 01 §4.11). */
export const LEASE_MS = 45_000;

/** From every state, where it may go. "" is before creation, `deleted` is after the row. */
export const TASK_TRANSITIONS: Readonly<Record<string, readonly string[]>> = {
  "": ["queued"],
  queued: ["dispatched", "failed", "cancelled", "deleted"],
  dispatched: [
    "dispatched",
    "queued",
    "waiting_local_directory",
    "running",
    "failed",
    "cancelled",
    "deleted",
  ],
  waiting_local_directory: ["running", "failed", "cancelled", "deleted"],
  running: ["completed", "failed", "cancelled", "deleted"],
  completed: ["deleted"],
  failed: ["deleted"],
  cancelled: ["deleted"],
};

/** A transition that {@link TASK_TRANSITIONS} does not have: a mistake of the plane itself. */
export class IllegalTransition extends Error {
  override readonly name = "IllegalTransition";
  constructor(readonly taskId: string, readonly from: string, readonly to: string) {
    super(`Task ${taskId} cannot go from ${from} to ${to}`);
  }
}

type Change = Partial<Omit<TaskDb, "id" | "status" | "workspace_id" | "agent_id">>;

/** Moves a task to a state, with column changes; publishes the event. Returns the new row. */
export function setStatus(store: Store, task: TaskDb, to: string, change: Change = {}, reason = ""): TaskDb {
  if (!TASK_TRANSITIONS[task.status]?.includes(to)) throw new IllegalTransition(task.id, task.status, to);
  const names = Object.keys(change) as (keyof Change)[];
  const values = names.map((name) => change[name] ?? null);
  store.db.run(
    `UPDATE tasks SET status = ?${names.map((name) => `, ${name} = ?`).join("")} WHERE id = ?`,
    to,
    ...values,
    task.id,
  );
  store.emit({ type: "task", taskId: task.id, from: task.status, to, reason, at: store.now() });
  return { ...task, ...change, status: to } as TaskDb;
}

/** See {@link enqueue}. */
export interface NewTask {
  readonly workspaceId: string;
  readonly agentId: string;
  /** Default: the agent's runtime; null = waits until one registers. */
  readonly runtimeId?: string | null;
  readonly issueId?: string | null;
  readonly chatSessionId?: string | null;
  readonly autopilotRunId?: string | null;
  readonly quickCreate?: QuickCreate;
  readonly triggerCommentId?: string | null;
  readonly triggerSummary?: string | null;
  readonly handoffNote?: string | null;
  readonly priority?: number;
  readonly attempt?: number;
  /** @default 2 */
  readonly maxAttempts?: number;
  readonly parentTaskId?: string | null;
  readonly forceFresh?: boolean;
  readonly initiatorUserId?: string | null;
  readonly sessionId?: string | null;
  readonly workDir?: string | null;
  readonly runAfter?: number | null;
}

/** Puts a task into its runtime's queue and sends the wake-up. Returns its id. */
export function enqueue(store: Store, spec: NewTask): string {
  const id = store.newId();
  const agent = findAgent(store, spec.agentId);
  if (agent === undefined) throw new Refusal(404, "agent not found");
  const runtimeId = spec.runtimeId === undefined ? agent.runtime_id : spec.runtimeId;
  store.db.run(
    `INSERT INTO tasks (id, workspace_id, agent_id, runtime_id, issue_id, chat_session_id, autopilot_run_id,
       quick_create, trigger_comment_id, trigger_summary, handoff_note, status, priority, attempt, max_attempts,
       parent_task_id, force_fresh, initiator_user_id, created_at, run_after, session_id, work_dir)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.workspaceId,
    spec.agentId,
    runtimeId,
    spec.issueId ?? null,
    spec.chatSessionId ?? null,
    spec.autopilotRunId ?? null,
    spec.quickCreate === undefined ? null : JSON.stringify(spec.quickCreate),
    spec.triggerCommentId ?? null,
    spec.triggerSummary ?? null,
    spec.handoffNote ?? null,
    spec.priority ?? 0,
    spec.attempt ?? 1,
    spec.maxAttempts ?? 2,
    spec.parentTaskId ?? null,
    Number(spec.forceFresh ?? false),
    spec.initiatorUserId ?? null,
    store.now(),
    spec.runAfter ?? null,
    spec.sessionId ?? null,
    spec.workDir ?? null,
  );
  store.emit({ type: "task", taskId: id, from: "", to: "queued", reason: "", at: store.now() });
  if (runtimeId !== null) store.hint({ type: "task_available", runtimeId, taskId: id });
  return id;
}

/** `start`: the agent runs from now. @throws {Refusal} 400 from any other state. */
export function startTask(store: Store, task: TaskDb): TaskDb {
  if (task.status !== "dispatched" && task.status !== "waiting_local_directory") {
    throw new Refusal(400, "start task: no rows in result set");
  }
  return setStatus(store, task, "running", { started_at: store.now(), wait_reason: null, lease_until: null });
}

/** `wait-local-directory`. @throws {Refusal} 400 from any state but dispatched. */
export function waitLocalDirectory(store: Store, task: TaskDb, reason: string): TaskDb {
  if (task.status !== "dispatched") throw new Refusal(400, "mark task waiting: no rows in result set");
  const change = { wait_reason: reason, lease_until: store.now() + LEASE_MS };
  return setStatus(store, task, "waiting_local_directory", change);
}

/** `prepare-lease`. @throws {Refusal} 400 once started or ended. */
export function extendLease(store: Store, task: TaskDb): TaskDb {
  if (task.status !== "dispatched" && task.status !== "waiting_local_directory" || task.started_at !== null) {
    throw new Refusal(400, "extend prepare lease: no rows in result set");
  }
  const lease = store.now() + LEASE_MS;
  store.db.run("UPDATE tasks SET lease_until = ? WHERE id = ?", lease, task.id);
  return { ...task, lease_until: lease };
}

/** `session`: fills, never empties, the resume pointer (spec 01 §4.16; later also on cancelled tasks without one). */
export function pinSession(store: Store, task: TaskDb, sessionId: string, workDir: string): void {
  const open = task.status === "dispatched" || task.status === "running" ||
    store.later && task.status === "cancelled" && task.session_id === null;
  if (!open) return;
  store.db.run(
    "UPDATE tasks SET session_id = COALESCE(?, session_id), work_dir = COALESCE(?, work_dir) WHERE id = ?",
    sessionId || null,
    workDir || null,
    task.id,
  );
  store.emit({ type: "session", taskId: task.id, sessionId, at: store.now() });
}

/** Deletes a task with all that hangs on it. */
export function deleteTask(store: Store, task: TaskDb): void {
  for (const table of ["messages", "usage", "tokens"]) {
    store.db.run(`DELETE FROM ${table} WHERE task_id = ?`, task.id);
  }
  store.db.run("DELETE FROM tasks WHERE id = ?", task.id);
  store.emit({
    type: "task",
    taskId: task.id,
    from: task.status,
    to: "deleted",
    reason: "",
    at: store.now(),
  });
}

/** Kind of a task, in the server's order of precedence (spec 01 §5.1). */
export function taskKind(task: TaskDb): string {
  if (task.chat_session_id !== null) return "chat";
  if (task.autopilot_run_id !== null) return "autopilot";
  if (task.issue_id === null) return "quick_create";
  return task.trigger_comment_id !== null ? "comment" : "direct";
}

/** The wire form of a task row. */
export function taskJson(task: TaskDb): Record<string, unknown> {
  return {
    id: task.id,
    agent_id: task.agent_id,
    runtime_id: task.runtime_id ?? "",
    issue_id: task.issue_id ?? "",
    workspace_id: task.workspace_id,
    status: task.status,
    priority: task.priority,
    dispatched_at: rfc3339(task.dispatched_at),
    started_at: rfc3339(task.started_at),
    completed_at: rfc3339(task.completed_at),
    result: fromJson<unknown>(task.result, null),
    error: task.error,
    ...(task.failure_reason === null ? {} : { failure_reason: task.failure_reason }),
    attempt: task.attempt,
    max_attempts: task.max_attempts,
    ...(task.parent_task_id === null ? {} : { parent_task_id: task.parent_task_id }),
    created_at: rfc3339(task.created_at),
    kind: taskKind(task),
    ...(task.chat_session_id === null ? {} : { chat_session_id: task.chat_session_id }),
    ...(task.autopilot_run_id === null ? {} : { autopilot_run_id: task.autopilot_run_id }),
    ...(task.trigger_comment_id === null ? {} : { trigger_comment_id: task.trigger_comment_id }),
    ...(task.trigger_summary === null ? {} : { trigger_summary: task.trigger_summary }),
    ...(task.work_dir === null ? {} : { work_dir: task.work_dir }),
    ...(task.wait_reason === null ? {} : { wait_reason: task.wait_reason }),
  };
}

/** The row as it is now. */
export function reload(store: Store, task: TaskDb): TaskDb {
  return findTask(store, task.id) ?? task;
}
