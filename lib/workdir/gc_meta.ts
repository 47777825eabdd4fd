/** What the collector asks the server about a directory (spec 04 §12.2, 20.17). */
import type { ClaimedTask } from "../control/mod.ts";

/** Facts of one env root. */
export interface GcMetaFacts {
  readonly task: ClaimedTask;
  readonly localDirectory: boolean;
  /** Wall clock ms; undefined while the task runs. */
  readonly completedAt: number | undefined;
}

/** Text of `.gc_meta.json`; undefined for tasks only the orphan rule can judge. */
export function gcMeta({ task, localDirectory, completedAt }: GcMetaFacts): string | undefined {
  const subject = subjectOf(task);
  if (subject === undefined) return undefined;
  return JSON.stringify({
    ...subject,
    workspace_id: task.workspace_id,
    ...(completedAt === undefined ? {} : { completed_at: new Date(completedAt).toISOString() }),
    ...(localDirectory ? { local_directory: true } : {}),
  });
}

function subjectOf(task: ClaimedTask): Readonly<Record<string, string>> | undefined {
  if (task.chat_session_id !== "") return { kind: "chat", chat_session_id: task.chat_session_id };
  if (task.autopilot_run_id !== "") return { kind: "autopilot_run", autopilot_run_id: task.autopilot_run_id };
  if (task.issue_id !== "") return { kind: "issue", issue_id: task.issue_id };
  return task.quick_create_prompt === "" ? undefined : { kind: "quick_create", task_id: task.id };
}
