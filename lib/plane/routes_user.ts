/** User endpoints: what the host itself and the agents' `multica` commands call (spec 01 §4.1–4.2, 05 §22–25). */
import { canAccess, findTask } from "./access.ts";
import { findAgent } from "./agents.ts";
import {
  addComment,
  commentJson,
  createIssue,
  findComment,
  findIssue,
  issueJson,
  updateIssue,
} from "./issues.ts";
import { readComments } from "./comment_reads.ts";
import { jsonOf } from "./requests.ts";
import { type Call, ok, type Reply, type Router } from "./router.ts";
import { sinceOf } from "./routes_task.ts";
import { fromJson, rfc3339, type Store } from "./store.ts";
import { taskJson } from "./tasks.ts";
import { cancelTask, rerunTask } from "./terminal.ts";
import { renewToken } from "./tokens.ts";
import { readMessages } from "./transcript.ts";
import { type AgentDb, type IssueDb, Refusal, type TaskDb } from "./types.ts";
import { listWorkspaces, requireWorkspace, workspaceJson } from "./workspaces.ts";

const STATUSES = ["backlog", "todo", "in_progress", "in_review", "done", "blocked", "cancelled"];

/** Adds the routes. */
export function userRoutes(router: Router, store: Store): void {
  router.add("POST /api/tokens/current/renew", "U", (call) => ok(renewToken(store, call.who)));
  router.add("GET /api/workspaces", "U", (call) => ok(listWorkspaces(store, call.who)));
  router.add(
    "GET /api/workspaces/:id",
    "U",
    (call) => ok(workspaceJson(requireWorkspace(store, workspaceOf(store, call, call.params[0])))),
  );
  router.add(
    "GET /api/workspaces/:id/members",
    "U",
    (call) => ok(members(store, workspaceOf(store, call, call.params[0]))),
  );
  router.add("GET /api/agents", "U", (call) => ok(agents(store, workspaceOf(store, call))));
  router.add("GET /api/agents/:id", "U", (call) => {
    const agent = findAgent(store, call.params[0]!);
    if (agent === undefined || !canAccess(store, call.who, agent.workspace_id)) {
      throw new Refusal(404, "agent not found");
    }
    return ok(agentJson(agent));
  });
  for (const [path, key] of [["squads", ""], ["projects", "projects"], ["labels", "labels"]] as const) {
    router.add(`GET /api/${path}`, "U", () => ok(key === "" ? [] : { [key]: [], total: 0 }));
  }
  router.add(
    "GET /api/me",
    "U",
    (call) =>
      ok(
        store.db.get(
          "SELECT id, name, email, profile_description FROM users WHERE id = ?",
          call.who.userId,
        ) ?? {},
      ),
  );
  issueRoutes(router, store);
  runRoutes(router, store);
}

function issueRoutes(router: Router, store: Store): void {
  const issue = (call: Call) => issueOf(store, call, call.params[0]!);
  router.add("GET /api/issues", "U", (call) => {
    const rows = store.db.all<IssueDb>(
      "SELECT * FROM issues WHERE workspace_id = ? ORDER BY number DESC LIMIT ? OFFSET ?",
      workspaceOf(store, call),
      numberOf(call, "limit", 50),
      numberOf(call, "offset", 0),
    );
    const total = store.db.get<{ n: number }>(
      "SELECT COUNT(*) AS n FROM issues WHERE workspace_id = ?",
      workspaceOf(store, call),
    );
    return ok({ issues: rows.map((row) => issueJson(store, row)), total: total?.n ?? 0 });
  });
  router.add("POST /api/issues", "U", (call) => newIssue(store, call));
  router.add("GET /api/issues/:id", "U", (call) => ok(issueJson(store, issue(call))));
  router.add("PUT /api/issues/:id", "U", (call) => changeIssue(store, call));
  router.add(
    "GET /api/issues/:id/comments",
    "U",
    (call) => ok(readComments(store, issue(call).id, call.search)),
  );
  router.add("POST /api/issues/:id/comments", "U", (call) => newComment(store, call));
  router.add("GET /api/issues/:id/children", "U", (call) => {
    const rows = store.db.all<IssueDb>("SELECT * FROM issues WHERE parent_issue_id = ?", issue(call).id);
    return ok({ issues: rows.map((row) => issueJson(store, row)) });
  });
  router.add(
    "GET /api/issues/:id/metadata",
    "U",
    (call) => ok({ metadata: fromJson(issue(call).metadata, {}) }),
  );
  router.add("PUT /api/issues/:id/metadata/:key", "U", (call) => {
    const row = issue(call);
    const value = (jsonOf(call.body) as { value?: unknown }).value ?? null;
    const metadata = { ...fromJson<Record<string, unknown>>(row.metadata, {}), [call.params[1]!]: value };
    store.db.run("UPDATE issues SET metadata = ? WHERE id = ?", JSON.stringify(metadata), row.id);
    return ok({ metadata });
  });
}

function runRoutes(router: Router, store: Store): void {
  router.add("GET /api/issues/:id/task-runs", "U", (call) =>
    ok(
      store.db.all<TaskDb>(
        "SELECT * FROM tasks WHERE issue_id = ? ORDER BY created_at DESC, rowid DESC",
        issueOf(store, call, call.params[0]!).id,
      ).map(taskJson),
    ));
  router.add(
    "GET /api/tasks/:id/messages",
    "U",
    (call) => ok(readMessages(store, taskOf(store, call), sinceOf(call))),
  );
  router.add(
    "POST /api/tasks/:id/cancel",
    "U",
    (call) => ok(taskJson(cancelTask(store, taskOf(store, call)))),
  );
  router.add("POST /api/issues/:id/rerun", "U", (call) => {
    const issue = issueOf(store, call, call.params[0]!);
    const last = store.db.get<TaskDb>(
      "SELECT * FROM tasks WHERE issue_id = ? ORDER BY created_at DESC, rowid DESC LIMIT 1",
      issue.id,
    );
    if (last === undefined) throw new Refusal(400, "issue has no task to rerun");
    const id = rerunTask(store, last);
    return { status: 202, json: taskJson(findTask(store, id)!) };
  });
}

/** The workspace of a user call, by the server's order (spec 01 §1.2). */
export function workspaceOf(store: Store, call: Call, inPath?: string): string {
  const query = new URLSearchParams(call.search);
  const named = inPath ?? (query.get("workspace_id") || call.headers.get("x-workspace-id") || "");
  if (call.who.kind === "task") {
    if (named !== "" && named !== call.who.workspaceId) {
      throw new Refusal(403, "task token is bound to a different workspace");
    }
    return call.who.workspaceId ?? "";
  }
  const slug = query.get("workspace_slug") || call.headers.get("x-workspace-slug") || "";
  const id = named !== "" || slug === ""
    ? named
    : store.db.get<{ id: string }>("SELECT id FROM workspaces WHERE slug = ?", slug)?.id ?? "unknown";
  if (id === "") throw new Refusal(400, "workspace_id or workspace_slug is required");
  if (!canAccess(store, call.who, id)) throw new Refusal(404, "workspace not found");
  return id;
}

function issueOf(store: Store, call: Call, ref: string): IssueDb {
  const numbered = /^([A-Za-z0-9]+)-(\d+)$/.exec(ref);
  const row = numbered === null ? findIssue(store, ref.toLowerCase()) : store.db.get<IssueDb>(
    `SELECT i.* FROM issues i JOIN workspaces w ON w.id = i.workspace_id
     WHERE w.issue_prefix = ? COLLATE NOCASE AND i.number = ?`,
    numbered[1]!,
    Number(numbered[2]),
  );
  if (row === undefined || !canAccess(store, call.who, row.workspace_id)) {
    throw new Refusal(404, "issue not found");
  }
  return row;
}

function taskOf(store: Store, call: Call): TaskDb {
  const task = findTask(store, call.params[0]!);
  if (task === undefined || !canAccess(store, call.who, task.workspace_id)) {
    throw new Refusal(404, "task not found");
  }
  return task;
}

function author(call: Call): { type: string; id: string } {
  return call.who.agentId === null
    ? { type: "member", id: call.who.userId ?? "" }
    : { type: "agent", id: call.who.agentId };
}

function fields(call: Call): Record<string, unknown> {
  const value = jsonOf(call.body);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(400, "invalid request body");
  }
  return value as Record<string, unknown>;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function newIssue(store: Store, call: Call): Reply {
  const body = fields(call);
  const title = text(body.title)?.trim() ?? "";
  if (title === "") throw new Refusal(400, "title is required");
  const who = author(call);
  const description = text(body.description);
  const status = text(body.status);
  const priority = text(body.priority);
  const row = createIssue(store, {
    workspaceId: workspaceOf(store, call),
    title,
    creatorId: who.id,
    creatorType: who.type,
    parentIssueId: text(body.parent_issue_id) ?? null,
    ...(description === undefined ? {} : { description }),
    ...(status === undefined ? {} : { status }),
    ...(priority === undefined ? {} : { priority }),
  });
  return { status: 201, json: issueJson(store, row) };
}

function changeIssue(store: Store, call: Call): Reply {
  const row = issueOf(store, call, call.params[0]!);
  const body = fields(call);
  const status = text(body.status);
  if (status !== undefined && !STATUSES.includes(status)) throw new Refusal(400, `invalid status: ${status}`);
  const known = ["status", "title", "description", "priority", "assignee_type", "assignee_id"];
  const change = Object.fromEntries(
    Object.entries(body).filter(([key, value]) =>
      known.includes(key) && (value === null || typeof value === "string")
    ),
  );
  return ok(issueJson(store, updateIssue(store, row, change)));
}

function newComment(store: Store, call: Call): Reply {
  const issue = issueOf(store, call, call.params[0]!);
  const body = fields(call);
  const content = text(body.content) ?? "";
  if (content.trim() === "") throw new Refusal(400, "content is required");
  const parentId = text(body.parent_id) ?? null;
  if (parentId !== null && findComment(store, parentId)?.issue_id !== issue.id) {
    throw new Refusal(400, "parent comment not found");
  }
  const who = author(call);
  const row = addComment(store, {
    issueId: issue.id,
    authorType: who.type,
    authorId: who.id,
    content,
    parentId,
    sourceTaskId: call.who.taskId,
  });
  return { status: 201, json: commentJson(row) };
}

function numberOf(call: Call, name: string, otherwise: number): number {
  const value = Number(new URLSearchParams(call.search).get(name) ?? otherwise);
  return Number.isInteger(value) && value >= 0 ? value : otherwise;
}

function members(store: Store, workspaceId: string): unknown[] {
  return store.db.all(
    `SELECT m.user_id, m.user_id AS id, m.workspace_id, m.role, u.name, u.email FROM members m
     JOIN users u ON u.id = m.user_id WHERE m.workspace_id = ?`,
    workspaceId,
  );
}

function agents(store: Store, workspaceId: string): unknown[] {
  return store.db.all<AgentDb>("SELECT * FROM agents WHERE workspace_id = ? ORDER BY created_at", workspaceId)
    .map(agentJson);
}

/** The wire form of an agent: its environment is never shown. */
function agentJson(row: AgentDb): Record<string, unknown> {
  const { custom_env, custom_args, mcp_config, runtime_config, provider: _p, profile_id: _f, ...rest } = row;
  const keys = Object.keys(fromJson<Record<string, string>>(custom_env, {}));
  return {
    ...rest,
    description: "",
    runtime_mode: "local",
    runtime_config: fromJson<unknown>(runtime_config, null),
    custom_args: fromJson<string[]>(custom_args, []),
    has_custom_env: keys.length > 0,
    custom_env_key_count: keys.length,
    mcp_config_redacted: mcp_config !== null,
    status: "active",
    visibility: "workspace",
    created_at: rfc3339(row.created_at),
    archived_at: null,
  };
}
