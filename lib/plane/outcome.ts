/** What users see when a task ends: the comment, chat message or note, and the issue's state (spec 01 §4.19, 4.20). */
import { addChatMessage, pointChat } from "./chats.ts";
import { addComment } from "./issues.ts";
import { redact } from "./redact.ts";
import type { Store } from "./store.ts";
import { taskKind } from "./tasks.ts";
import type { TaskDb } from "./types.ts";

/** Outputs that say nothing: not worth a comment after a comment-triggered run. */
const DONE_MARKERS: ReadonlySet<string> = new Set(["done", "готово", "готова", "сделано", "完成", "完了"]);

/** Posts the output where the task came from. */
export function announceCompletion(store: Store, task: TaskDb, output: string): void {
  const text = redact(unescape(output));
  if (task.chat_session_id !== null) {
    if (text.trim() !== "") {
      addChatMessage(store, {
        sessionId: task.chat_session_id,
        role: "assistant",
        content: text,
        taskId: task.id,
      });
    }
    pointChat(store, task);
  } else if (task.autopilot_run_id !== null) endAutopilotRun(store, task, "completed");
  else if (task.issue_id !== null) commentOutput(store, task, text);
}

/** Posts the error unless a retry will follow; moves an abandoned issue back to todo. */
export function announceFailure(
  store: Store,
  task: TaskDb,
  outcome: { readonly retried: boolean; readonly resumeOk: boolean },
): void {
  if (task.chat_session_id !== null && outcome.resumeOk) pointChat(store, task);
  if (outcome.retried) return;
  const text = redact(task.error ?? "");
  if (task.chat_session_id !== null) {
    addChatMessage(store, {
      sessionId: task.chat_session_id,
      role: "assistant",
      content: text,
      taskId: task.id,
      failureReason: task.failure_reason ?? "",
    });
  } else if (task.autopilot_run_id !== null) endAutopilotRun(store, task, "failed");
  else if (task.issue_id !== null) {
    if (text.trim() !== "") {
      addComment(store, {
        issueId: task.issue_id,
        authorType: "system",
        authorId: task.agent_id,
        content: text,
        type: "system",
        sourceTaskId: task.id,
      });
    }
    releaseIssue(store, task.issue_id);
  }
}

function commentOutput(store: Store, task: TaskDb, text: string): void {
  if (text.trim() === "" || task.issue_id === null) return;
  const bare = text.trim().replace(/[.!。！]+$/u, "").toLowerCase();
  if (taskKind(task) === "comment" && DONE_MARKERS.has(bare)) return;
  const own = store.db.get(
    "SELECT 1 FROM comments WHERE issue_id = ? AND author_type = 'agent' AND author_id = ? AND created_at >= ? LIMIT 1",
    task.issue_id,
    task.agent_id,
    task.started_at ?? 0,
  );
  if (own !== undefined) return;
  addComment(store, {
    issueId: task.issue_id,
    authorType: "agent",
    authorId: task.agent_id,
    content: text,
    parentId: task.trigger_comment_id,
    sourceTaskId: task.id,
  });
}

function endAutopilotRun(store: Store, task: TaskDb, status: string): void {
  store.db.run(
    "UPDATE autopilot_runs SET status = ?, completed_at = ? WHERE id = ?",
    status,
    store.now(),
    task.autopilot_run_id,
  );
}

function releaseIssue(store: Store, issueId: string): void {
  store.db.run(
    `UPDATE issues SET status = 'todo', updated_at = ? WHERE id = ? AND status = 'in_progress' AND NOT EXISTS
       (SELECT 1 FROM tasks WHERE issue_id = issues.id AND status IN ('queued', 'dispatched', 'running', 'waiting_local_directory'))`,
    store.now(),
    issueId,
  );
}

/** Agents sometimes print `\n` as two characters; people should see a line break. */
function unescape(text: string): string {
  return text.replaceAll("\\n", "\n").replaceAll("\\t", "\t").replaceAll('\\"', '"');
}
