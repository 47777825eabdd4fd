/** Workspaces and members: creation, the two lists of the wire, repositories and settings (spec 01 §4.2, 4.6, 8.3, 11.3). */
import { createHash } from "node:crypto";
import { fromJson, rfc3339, type Store } from "./store.ts";
import { type Principal, Refusal, type WorkspaceDb } from "./types.ts";

/** A repository entry of a workspace. */
export interface PlaneRepo {
  readonly url: string;
  readonly description?: string;
  readonly ref?: string;
}

/** See {@link createWorkspace}. */
export interface NewWorkspace {
  readonly name: string;
  /** Members; the first is the owner. */
  readonly userIds: readonly string[];
  readonly context?: string;
  readonly repos?: readonly PlaneRepo[];
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly issuePrefix?: string;
}

/** Creates a workspace and tells its members. Returns its id. */
export function createWorkspace(store: Store, spec: NewWorkspace): string {
  const id = store.newId();
  const slug = spec.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "") || "workspace";
  store.db.run(
    `INSERT INTO workspaces (id, name, slug, issue_prefix, context, settings, repos, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.name,
    slug,
    spec.issuePrefix ?? (slug.replaceAll("-", "").slice(0, 3).toUpperCase() || "WS"),
    spec.context ?? null,
    spec.settings === undefined ? null : JSON.stringify(spec.settings),
    JSON.stringify(cleanRepos(spec.repos ?? [])),
    store.now(),
    store.now(),
  );
  spec.userIds.forEach((userId, i) => addMember(store, id, userId, i === 0 ? "owner" : "member"));
  store.hint({ type: "workspaces_changed", userIds: spec.userIds });
  return id;
}

/** Makes the user a member (again). */
export function addMember(store: Store, workspaceId: string, userId: string, role = "member"): void {
  store.db.run(
    "INSERT OR REPLACE INTO members (workspace_id, user_id, role, created_at) VALUES (?, ?, ?, ?)",
    workspaceId,
    userId,
    role,
    store.now(),
  );
  store.hint({ type: "workspaces_changed", userIds: [userId] });
}

/** Takes the user out of the workspace. The caller cancels the member's tasks (spec 01 §2.3). */
export function removeMember(store: Store, workspaceId: string, userId: string): void {
  store.db.run("DELETE FROM members WHERE workspace_id = ? AND user_id = ?", workspaceId, userId);
  store.hint({ type: "workspaces_changed", userIds: [userId] });
}

/** The workspace row, or 404 `workspace not found`. */
export function requireWorkspace(store: Store, id: string): WorkspaceDb {
  const row = store.db.get<WorkspaceDb>("SELECT * FROM workspaces WHERE id = ?", id);
  if (row === undefined) throw new Refusal(404, "workspace not found");
  return row;
}

/** `GET /api/workspaces`: the caller's workspaces, oldest first. */
export function listWorkspaces(store: Store, who: Principal): Record<string, unknown>[] {
  return rowsFor(store, who).map((row) => workspaceJson(row));
}

/** `GET /api/daemon/workspaces` (later): body text and its weak ETag. */
export function listWorkspaceRefs(store: Store, who: Principal): { body: string; etag: string } {
  const body = JSON.stringify(rowsFor(store, who).map(({ id, name }) => ({ id, name })));
  return { body, etag: `W/"${createHash("sha256").update(body).digest("hex")}"` };
}

/** Answer of `GET …/repos`, also part of the register answer. */
export function repoAnswer(row: WorkspaceDb): Record<string, unknown> {
  const repos = fromJson<PlaneRepo[]>(row.repos, []);
  return { repos, repos_version: reposVersion(repos), settings: fromJson(row.settings, null) };
}

/** SHA-256 over the sorted, trimmed, de-duplicated URLs (spec 01 §8.3). */
export function reposVersion(repos: readonly PlaneRepo[]): string {
  const urls = [...new Set(repos.map((repo) => repo.url.trim()).filter((url) => url !== ""))].sort();
  return createHash("sha256").update(urls.join("\n")).digest("hex");
}

/** Replaces repositories, settings or context of a workspace. */
export function updateWorkspace(
  store: Store,
  id: string,
  change: {
    readonly name?: string;
    readonly repos?: readonly PlaneRepo[];
    readonly settings?: Readonly<Record<string, unknown>> | null;
    readonly context?: string | null;
  },
): void {
  const row = requireWorkspace(store, id);
  store.db.run(
    "UPDATE workspaces SET name = ?, repos = ?, settings = ?, context = ?, updated_at = ? WHERE id = ?",
    change.name ?? row.name,
    change.repos === undefined ? row.repos : JSON.stringify(cleanRepos(change.repos)),
    change.settings === undefined
      ? row.settings
      : change.settings === null
      ? null
      : JSON.stringify(change.settings),
    change.context === undefined ? row.context : change.context,
    store.now(),
    id,
  );
  store.hint({ type: "workspaces_changed", userIds: memberIds(store, id) });
}

/** All members of a workspace. */
export function memberIds(store: Store, workspaceId: string): string[] {
  return store.db.all<{ user_id: string }>("SELECT user_id FROM members WHERE workspace_id = ?", workspaceId)
    .map((row) => row.user_id);
}

/** The wire form of a workspace (spec 05 §25.4). */
export function workspaceJson(row: WorkspaceDb): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    description: row.description,
    context: row.context,
    settings: fromJson(row.settings, {}),
    repos: fromJson(row.repos, []),
    issue_prefix: row.issue_prefix,
    avatar_url: null,
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
  };
}

function rowsFor(store: Store, who: Principal): WorkspaceDb[] {
  if (who.kind === "daemon") {
    return store.db.all<WorkspaceDb>("SELECT * FROM workspaces WHERE id = ?", who.workspaceId);
  }
  return store.db.all<WorkspaceDb>(
    `SELECT w.* FROM workspaces w JOIN members m ON m.workspace_id = w.id
     WHERE m.user_id = ? ORDER BY w.created_at, w.rowid`,
    who.userId,
  );
}

function cleanRepos(repos: readonly PlaneRepo[]): PlaneRepo[] {
  const seen = new Map<string, PlaneRepo>();
  for (const repo of repos) {
    const url = repo.url.trim();
    if (url !== "" && !seen.has(url)) seen.set(url, { ...repo, url });
  }
  return [...seen.values()];
}
