/** The payload of a claimed task, by kind (spec 01 §5). Keys are absent when empty, as the server sends them. */
import { claimAgent, findAgent } from "./agents.ts";
import { findChat, unanswered } from "./chats.ts";
import { findComment, findIssue } from "./issues.ts";
import { priorRun } from "./prior.ts";
import { fromJson, rfc3339, type Store } from "./store.ts";
import { taskJson, taskKind } from "./tasks.ts";
import type { IssueDb, QuickCreate, RuntimeDb, TaskDb, WorkspaceDb } from "./types.ts";
import type { PlaneRepo } from "./workspaces.ts";

type Json = Record<string, unknown>;

/** Builds the whole payload; `token` is the fresh task token. */
export function claimedTask(
  store: Store,
  task: TaskDb,
  runtime: RuntimeDb,
  given: { readonly token: string; readonly capabilities: readonly string[] },
): Json {
  const workspace = store.db.get<WorkspaceDb>("SELECT * FROM workspaces WHERE id = ?", task.workspace_id);
  const agent = findAgent(store, task.agent_id);
  const quick = fromJson<QuickCreate | null>(task.quick_create, null);
  const issue = task.issue_id === null ? undefined : findIssue(store, task.issue_id);
  const project = projectFields(store, issue?.project_id ?? quick?.project_id ?? null, runtime);
  const kind = taskKind(task);
  return dropEmpty({
    ...taskJson(task),
    workspace_context: workspace?.context ?? "",
    agent: agent === undefined
      ? undefined
      : claimAgent(store, agent, given.capabilities.includes("skill-bundles-v1")),
    repos: project.repos ?? fromJson<PlaneRepo[]>(workspace?.repos ?? null, []),
    ...project.fields,
    ...priorRun(store, task, runtime.id),
    ...ownerFields(store, runtime),
    ...(issue === undefined ? {} : { thread_name: issue.title, handoff_note: task.handoff_note ?? "" }),
    ...(kind === "comment" ? commentFields(store, task) : {}),
    ...(kind === "chat" ? chatFields(store, task) : {}),
    ...(kind === "autopilot" ? autopilotFields(store, task) : {}),
    ...(quick === null ? {} : quickFields(store, quick)),
    auth_token: given.token,
  });
}

/** True when the task's project has a local directory in worktree mode (spec 01 §11.1). */
export function hasWorktreeResource(store: Store, task: TaskDb): boolean {
  if (task.issue_id === null) return false;
  return store.db.get(
    `SELECT 1 FROM issues i JOIN project_resources r ON r.project_id = i.project_id
     WHERE i.id = ? AND r.resource_type = 'local_directory' AND json_extract(r.resource_ref, '$.execution_mode') = 'worktree'`,
    task.issue_id,
  ) !== undefined;
}

/** Keys that are there even when empty (spec 01 §5.1, column opt = no). */
const ALWAYS: ReadonlySet<string> = new Set([
  "id",
  "agent_id",
  "runtime_id",
  "issue_id",
  "workspace_id",
  "status",
  "priority",
  "dispatched_at",
  "started_at",
  "completed_at",
  "result",
  "error",
  "attempt",
  "max_attempts",
  "created_at",
  "kind",
]);

function dropEmpty(fields: Json): Json {
  return Object.fromEntries(
    Object.entries(fields).filter(([key, value]) =>
      ALWAYS.has(key) || value !== undefined && value !== null && value !== "" && value !== 0 &&
        !(Array.isArray(value) && value.length === 0)
    ),
  );
}

function projectFields(
  store: Store,
  projectId: string | null,
  runtime: RuntimeDb,
): { fields: Json; repos?: PlaneRepo[] } {
  if (projectId === null) return { fields: {} };
  const project = store.db.get<{ id: string; title: string; description: string }>(
    "SELECT * FROM projects WHERE id = ?",
    projectId,
  );
  if (project === undefined) return { fields: {} };
  const resources = store.db.all<{ id: string; resource_type: string; resource_ref: string; label: string }>(
    "SELECT * FROM project_resources WHERE project_id = ? ORDER BY created_at, rowid",
    projectId,
  ).map((row) => ({
    id: row.id,
    resource_type: row.resource_type,
    resource_ref: bound(JSON.parse(row.resource_ref) as Json, row.resource_type, runtime),
    ...(row.label === "" ? {} : { label: row.label }),
  }));
  const repos = resources.filter((row) => row.resource_type === "github_repo")
    .map((row) => ({ url: String((row.resource_ref as Json).url ?? "") }));
  return {
    fields: {
      project_id: project.id,
      project_title: project.title,
      project_description: project.description,
      project_resources: resources,
    },
    ...(repos.length > 0 ? { repos } : {}),
  };
}

/** A local directory without a machine belongs to the one that claims: the embedded plane has only one. */
function bound(ref: Json, type: string, runtime: RuntimeDb): Json {
  if (type !== "local_directory" || (ref.daemon_id ?? "") !== "") return ref;
  return { ...ref, daemon_id: runtime.daemon_id ?? "" };
}

function ownerFields(store: Store, runtime: RuntimeDb): Json {
  const owner = userOf(store, runtime.owner_id);
  return {
    requesting_user_name: owner?.name,
    requesting_user_profile_description: owner?.profile_description,
  };
}

interface UserDb {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly profile_description: string;
}

function userOf(store: Store, id: string | null): UserDb | undefined {
  return id === null ? undefined : store.db.get<UserDb>("SELECT * FROM users WHERE id = ?", id);
}

function initiator(store: Store, type: string, id: string): Json {
  const user = type === "member" ? userOf(store, id) : undefined;
  return {
    initiator_type: type,
    initiator_id: id,
    initiator_name: user?.name ?? findAgent(store, id)?.name,
    initiator_email: user?.email,
  };
}

function commentFields(store: Store, task: TaskDb): Json {
  const comment = findComment(store, task.trigger_comment_id ?? "");
  if (comment === undefined) return { trigger_comment_id: task.trigger_comment_id };
  const who = initiator(store, comment.author_type, comment.author_id);
  return {
    trigger_comment_id: comment.id,
    trigger_thread_id: comment.parent_id ?? comment.id,
    trigger_comment_content: comment.content,
    trigger_author_type: comment.author_type,
    trigger_author_name: who.initiator_name,
    ...who,
    ...newComments(store, task),
  };
}

/** How much was said since this agent's last run started; both fields or none. */
function newComments(store: Store, task: TaskDb): Json {
  const last = store.db.get<{ started_at: number }>(
    `SELECT started_at FROM tasks WHERE agent_id = ? AND issue_id = ? AND id <> ? AND started_at IS NOT NULL
     ORDER BY started_at DESC LIMIT 1`,
    task.agent_id,
    task.issue_id,
    task.id,
  );
  if (last === undefined) return {};
  const row = store.db.get<{ n: number }>(
    `SELECT COUNT(*) AS n FROM comments WHERE issue_id = ? AND created_at > ? AND id IS NOT ?
       AND NOT (author_type = 'agent' AND author_id = ?)`,
    task.issue_id,
    last.started_at,
    task.trigger_comment_id,
    task.agent_id,
  );
  if (row === undefined || row.n === 0) return {};
  return { new_comment_count: row.n, new_comments_since: rfc3339(last.started_at) };
}

function chatFields(store: Store, task: TaskDb): Json {
  const chat = findChat(store, task.chat_session_id ?? "");
  const open = unanswered(store, task.chat_session_id ?? "");
  const who = task.initiator_user_id ?? chat?.creator_id ?? null;
  return {
    chat_session_id: task.chat_session_id,
    chat_message: open.text,
    chat_message_attachments: open.attachments,
    thread_name: chat?.title || open.text,
    ...(who === null ? {} : initiator(store, "member", who)),
  };
}

function autopilotFields(store: Store, task: TaskDb): Json {
  const run = store.db.get<{
    id: string;
    autopilot_id: string;
    title: string;
    description: string;
    source: string;
    trigger_payload: string | null;
  }>("SELECT * FROM autopilot_runs WHERE id = ?", task.autopilot_run_id);
  if (run === undefined) return {};
  return {
    autopilot_run_id: run.id,
    autopilot_id: run.autopilot_id,
    autopilot_title: run.title,
    autopilot_description: run.description,
    autopilot_source: run.source,
    autopilot_trigger_payload: fromJson<unknown>(run.trigger_payload, null),
    thread_name: run.title,
  };
}

function quickFields(store: Store, quick: QuickCreate): Json {
  const parent: IssueDb | undefined = quick.parent_issue_id === undefined
    ? undefined
    : findIssue(store, quick.parent_issue_id);
  const prefix = parent === undefined ? undefined : store.db.get<{ issue_prefix: string }>(
    "SELECT issue_prefix FROM workspaces WHERE id = ?",
    parent.workspace_id,
  )?.issue_prefix;
  return {
    quick_create_prompt: quick.prompt,
    quick_create_attachment_ids: quick.attachment_ids,
    squad_id: quick.squad_id,
    squad_name: quick.squad_name,
    parent_issue_id: quick.parent_issue_id,
    parent_issue_identifier: parent === undefined ? undefined : `${prefix}-${parent.number}`,
    thread_name: quick.prompt,
  };
}
