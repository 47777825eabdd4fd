/** Chat sessions: messages, the unanswered ones, and the resume pointer (spec 01 §5.1 column Ch, 5.6). */
import { fromJson, type Store } from "./store.ts";
import type { TaskDb } from "./types.ts";

/** A row of `chat_sessions`. */
export interface ChatDb {
  readonly id: string;
  readonly workspace_id: string;
  readonly agent_id: string;
  readonly title: string;
  readonly status: string;
  readonly session_id: string | null;
  readonly work_dir: string | null;
  readonly runtime_id: string | null;
  readonly creator_id: string | null;
  readonly updated_at: number;
}

/** An attachment of a chat message. */
export interface PlaneAttachment {
  readonly id: string;
  readonly filename: string;
  readonly content_type?: string;
}

/** Creates a chat session; returns its id. */
export function createChat(
  store: Store,
  spec: {
    readonly workspaceId: string;
    readonly agentId: string;
    readonly title?: string;
    readonly creatorId?: string;
  },
): string {
  const id = store.newId();
  store.db.run(
    `INSERT INTO chat_sessions (id, workspace_id, agent_id, title, creator_id, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.workspaceId,
    spec.agentId,
    spec.title ?? "",
    spec.creatorId ?? null,
    store.now(),
    store.now(),
  );
  return id;
}

/** Adds a message to a session. */
export function addChatMessage(
  store: Store,
  spec: {
    readonly sessionId: string;
    readonly role: "user" | "assistant";
    readonly content: string;
    readonly attachments?: readonly PlaneAttachment[];
    readonly taskId?: string;
    readonly failureReason?: string;
  },
): string {
  const id = store.newId();
  store.db.run(
    `INSERT INTO chat_messages (id, chat_session_id, role, content, attachments, task_id, failure_reason, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.sessionId,
    spec.role,
    spec.content,
    JSON.stringify(spec.attachments ?? []),
    spec.taskId ?? null,
    spec.failureReason ?? null,
    store.now(),
  );
  store.db.run("UPDATE chat_sessions SET updated_at = ? WHERE id = ?", store.now(), spec.sessionId);
  return id;
}

/** Everything the user said after the last answer: texts joined by a blank line, blanks skipped, all attachments. */
export function unanswered(
  store: Store,
  sessionId: string,
): { text: string; attachments: PlaneAttachment[] } {
  const rows = store.db.all<{ content: string; attachments: string }>(
    `SELECT content, attachments FROM chat_messages WHERE chat_session_id = ? AND role = 'user' AND rowid >
       COALESCE((SELECT MAX(rowid) FROM chat_messages WHERE chat_session_id = ? AND role = 'assistant'), 0)
     ORDER BY rowid`,
    sessionId,
    sessionId,
  );
  return {
    text: rows.map((row) => row.content).filter((text) => text.trim() !== "").join("\n\n"),
    attachments: rows.flatMap((row) => fromJson<PlaneAttachment[]>(row.attachments, [])),
  };
}

/** A session by id, or undefined. */
export function findChat(store: Store, id: string): ChatDb | undefined {
  return store.db.get<ChatDb>("SELECT * FROM chat_sessions WHERE id = ?", id);
}

/** Moves the session's resume pointer to what the task ended with; empty values do not overwrite. */
export function pointChat(store: Store, task: TaskDb): void {
  if (task.session_id === null) return;
  store.db.run(
    `UPDATE chat_sessions SET session_id = ?, work_dir = COALESCE(?, work_dir), runtime_id = ?, updated_at = ?
     WHERE id = ?`,
    task.session_id,
    task.work_dir,
    task.runtime_id,
    store.now(),
    task.chat_session_id,
  );
}
