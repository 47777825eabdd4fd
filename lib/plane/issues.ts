/** Issues, comments, projects: as much as agents and the local mode need (spec 05 §25). */
import { fromJson, rfc3339, type Store } from "./store.ts";
import { type CommentDb, type IssueDb, Refusal, type WorkspaceDb } from "./types.ts";

/** See {@link createIssue}. */
export interface NewIssue {
  readonly workspaceId: string;
  readonly title: string;
  readonly description?: string;
  /** `urgent`, `high`, `medium`, `low` or `none`. */
  readonly priority?: string;
  readonly status?: string;
  readonly projectId?: string | null;
  readonly parentIssueId?: string | null;
  readonly assigneeAgentId?: string | null;
  readonly creatorId: string;
  readonly creatorType?: string;
}

/** Creates an issue with the next number of its workspace. */
export function createIssue(store: Store, spec: NewIssue): IssueDb {
  const id = store.newId();
  store.db.run("UPDATE workspaces SET issue_seq = issue_seq + 1 WHERE id = ?", spec.workspaceId);
  const workspace = store.db.get<WorkspaceDb>("SELECT * FROM workspaces WHERE id = ?", spec.workspaceId);
  if (workspace === undefined) throw new Refusal(404, "workspace not found");
  const agent = spec.assigneeAgentId ?? null;
  store.db.run(
    `INSERT INTO issues (id, workspace_id, number, title, description, status, priority, assignee_type, assignee_id,
       creator_type, creator_id, parent_issue_id, project_id, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.workspaceId,
    workspace.issue_seq,
    spec.title,
    spec.description ?? null,
    spec.status ?? "todo",
    spec.priority ?? "none",
    agent === null ? null : "agent",
    agent,
    spec.creatorType ?? "member",
    spec.creatorId,
    spec.parentIssueId ?? null,
    spec.projectId ?? null,
    store.now(),
    store.now(),
  );
  return findIssue(store, id)!;
}

/** An issue by id, or undefined. */
export function findIssue(store: Store, id: string): IssueDb | undefined {
  return store.db.get<IssueDb>("SELECT * FROM issues WHERE id = ?", id);
}

/** Changes status, title, description, priority or assignee of an issue. */
export function updateIssue(
  store: Store,
  issue: IssueDb,
  change: Partial<
    Pick<IssueDb, "status" | "title" | "description" | "priority" | "assignee_type" | "assignee_id">
  >,
): IssueDb {
  const next = { ...issue, ...change, updated_at: store.now() };
  store.db.run(
    `UPDATE issues SET status = ?, title = ?, description = ?, priority = ?, assignee_type = ?, assignee_id = ?,
       updated_at = ? WHERE id = ?`,
    next.status,
    next.title,
    next.description,
    next.priority,
    next.assignee_type,
    next.assignee_id,
    next.updated_at,
    issue.id,
  );
  return next;
}

/** See {@link addComment}. */
export interface NewComment {
  readonly issueId: string;
  readonly authorType: string;
  readonly authorId: string;
  readonly content: string;
  readonly type?: string;
  readonly parentId?: string | null;
  readonly sourceTaskId?: string | null;
}

/** Adds a comment; returns its row. */
export function addComment(store: Store, spec: NewComment): CommentDb {
  const now = store.now();
  const row: CommentDb = {
    id: store.newId(),
    issue_id: spec.issueId,
    author_type: spec.authorType,
    author_id: spec.authorId,
    content: spec.content,
    type: spec.type ?? "comment",
    parent_id: spec.parentId ?? null,
    source_task_id: spec.sourceTaskId ?? null,
    created_at: now,
    updated_at: now,
  };
  store.db.run(
    `INSERT INTO comments (id, issue_id, author_type, author_id, content, type, parent_id, source_task_id,
       created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.issue_id,
    row.author_type,
    row.author_id,
    row.content,
    row.type,
    row.parent_id,
    row.source_task_id,
    now,
    now,
  );
  return row;
}

/** A comment by id, or undefined. */
export function findComment(store: Store, id: string): CommentDb | undefined {
  return store.db.get<CommentDb>("SELECT * FROM comments WHERE id = ?", id);
}

/** Comments of an issue, oldest first. */
export function listComments(store: Store, issueId: string): CommentDb[] {
  return store.db.all<CommentDb>(
    "SELECT * FROM comments WHERE issue_id = ? ORDER BY created_at, rowid",
    issueId,
  );
}

/** Creates a project; resources follow with {@link addResource}. */
export function createProject(
  store: Store,
  spec: { readonly workspaceId: string; readonly title: string; readonly description?: string },
): string {
  const id = store.newId();
  store.db.run(
    "INSERT INTO projects (id, workspace_id, title, description, created_at) VALUES (?, ?, ?, ?, ?)",
    id,
    spec.workspaceId,
    spec.title,
    spec.description ?? "",
    store.now(),
  );
  return id;
}

/** Attaches a resource to a project (spec 01 §5.4). */
export function addResource(
  store: Store,
  spec: {
    readonly projectId: string;
    readonly type: string;
    readonly ref: Readonly<Record<string, unknown>>;
    readonly label?: string;
  },
): string {
  const id = store.newId();
  store.db.run(
    "INSERT INTO project_resources (id, project_id, resource_type, resource_ref, label, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    id,
    spec.projectId,
    spec.type,
    JSON.stringify(spec.ref),
    spec.label ?? "",
    store.now(),
  );
  return id;
}

/** The wire form of an issue. */
export function issueJson(store: Store, row: IssueDb): Record<string, unknown> {
  const prefix = store.db.get<{ issue_prefix: string }>(
    "SELECT issue_prefix FROM workspaces WHERE id = ?",
    row.workspace_id,
  )?.issue_prefix ?? "";
  return {
    ...row,
    identifier: `${prefix}-${row.number}`,
    metadata: fromJson(row.metadata, {}),
    position: row.number,
    stage: null,
    start_date: null,
    due_date: null,
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
    reactions: [],
    attachments: [],
    labels: [],
  };
}

/** The wire form of a comment. */
export function commentJson(row: CommentDb): Record<string, unknown> {
  const { source_task_id, ...rest } = row;
  return {
    ...rest,
    ...(source_task_id === null ? {} : { source_task_id }),
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
    resolved_at: null,
    resolved_by_type: null,
    resolved_by_id: null,
    reactions: [],
    attachments: [],
  };
}
