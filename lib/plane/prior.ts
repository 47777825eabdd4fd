/** Which session and work directory a claim continues (spec 01 §5.6, 08 §14.3). */
import { findChat } from "./chats.ts";
import type { Store } from "./store.ts";
import { taskKind } from "./tasks.ts";
import { resumeUnsafe } from "./terminal.ts";
import type { TaskDb } from "./types.ts";

/** The two prior fields of a claim, each absent when there is nothing safe to continue. */
export function priorRun(
  store: Store,
  task: TaskDb,
  runtimeId: string,
): { prior_session_id?: string; prior_work_dir?: string } {
  if (task.force_fresh === 1) return {};
  const kind = taskKind(task);
  if (kind === "chat") return chatPrior(store, task, runtimeId);
  if (kind === "direct" || kind === "comment") return issuePrior(store, task, runtimeId);
  return {};
}

function issuePrior(store: Store, task: TaskDb, runtimeId: string) {
  const row = lastRun(store, "agent_id = ? AND issue_id = ?", [task.agent_id, task.issue_id ?? ""], task.id);
  if (row === undefined) return {};
  return pair(row.runtime_id === runtimeId ? row.session_id : null, row.work_dir);
}

function chatPrior(store: Store, task: TaskDb, runtimeId: string) {
  const sessionId = task.chat_session_id ?? "";
  const chat = findChat(store, sessionId);
  if (chat !== undefined && chat.session_id !== null && chat.runtime_id === runtimeId) {
    return pair(chat.session_id, chat.work_dir);
  }
  const row = lastRun(store, "chat_session_id = ? AND runtime_id = ?", [sessionId, runtimeId], task.id);
  return row === undefined ? {} : pair(row.session_id, chat?.work_dir ?? row.work_dir);
}

function lastRun(store: Store, where: string, values: readonly string[], notId: string): TaskDb | undefined {
  const unsafe = resumeUnsafe(store).map((reason) => `'${reason}'`).join(", ");
  return store.db.get<TaskDb>(
    `SELECT * FROM tasks WHERE ${where} AND id <> ? AND session_id IS NOT NULL AND (status = 'completed' OR
       status = 'failed' AND COALESCE(failure_reason, '') NOT IN (${unsafe})
       AND NOT (instr(lower(COALESCE(error, '')), '400') > 0 AND instr(lower(COALESCE(error, '')), 'invalid_request_error') > 0))
     ORDER BY completed_at DESC, rowid DESC LIMIT 1`,
    ...values,
    notId,
  );
}

function pair(session: string | null, workDir: string | null) {
  return {
    ...(session === null ? {} : { prior_session_id: session }),
    ...(workDir === null ? {} : { prior_work_dir: workDir }),
  };
}
