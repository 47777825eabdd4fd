/** Who may touch what: the look-ups every daemon endpoint starts with, and their exact refusals (spec 01 §2.3). */
import { isUuid } from "../core/mod.ts";
import type { Store } from "./store.ts";
import { type Principal, Refusal, type RuntimeDb, type TaskDb } from "./types.ts";

/** The id, lower-case, or 400 `invalid <what>`. */
export function requireUuid(id: string, what: string): string {
  if (!isUuid(id)) throw new Refusal(400, `invalid ${what}`);
  return id.toLowerCase();
}

/** True when the caller is a member of the workspace, or its token is bound to it. */
export function canAccess(store: Store, who: Principal, workspaceId: string): boolean {
  if (who.kind === "daemon") return who.workspaceId === workspaceId;
  if (who.userId === null) return false;
  if (who.kind === "task" && who.workspaceId !== workspaceId) return false;
  return store.db.get(
    "SELECT 1 FROM members WHERE workspace_id = ? AND user_id = ?",
    workspaceId,
    who.userId,
  ) !== undefined;
}

/** 404 `not found` without access. */
export function requireAccess(store: Store, who: Principal, workspaceId: string): void {
  if (!canAccess(store, who, workspaceId)) throw new Refusal(404, "not found");
}

/** The runtime row, or the refusal that the server gives. */
export function requireRuntime(store: Store, who: Principal, id: string): RuntimeDb {
  const runtime = findRuntime(store, requireUuid(id, "runtime_id"));
  if (runtime === undefined) throw new Refusal(404, "runtime not found");
  requireAccess(store, who, runtime.workspace_id);
  return runtime;
}

/** The task row, or the refusal that the server gives. */
export function requireTask(store: Store, who: Principal, id: string): TaskDb {
  const task = findTask(store, requireUuid(id, "task_id"));
  if (task === undefined) throw new Refusal(404, "task not found");
  requireAccess(store, who, task.workspace_id);
  return task;
}

/** A runtime row by id. */
export function findRuntime(store: Store, id: string): RuntimeDb | undefined {
  return store.db.get<RuntimeDb>("SELECT * FROM runtimes WHERE id = ?", id);
}

/** A task row by id. */
export function findTask(store: Store, id: string): TaskDb | undefined {
  return store.db.get<TaskDb>("SELECT * FROM tasks WHERE id = ?", id);
}
