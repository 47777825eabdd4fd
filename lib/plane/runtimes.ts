/** Runtimes: register's upsert, liveness, deregister, deletion (spec 01 §4.3–4.5, 6.3). */
import { canAccess, findRuntime, requireUuid } from "./access.ts";
import { bindAgents } from "./agents.ts";
import { recordFailedProfile, requireProfile } from "./profiles.ts";
import type { RegisterBody } from "./requests.ts";
import { fromJson, rfc3339, type Store } from "./store.ts";
import { failTask } from "./terminal.ts";
import { deleteTask } from "./tasks.ts";
import { type Principal, Refusal, type RuntimeDb, type TaskDb } from "./types.ts";
import { repoAnswer } from "./workspaces.ts";

/** The answer of a register call; a refusal half way keeps the rows before it, as the server does. */
export function register(
  store: Store,
  who: Principal,
  body: RegisterBody,
  capabilities: readonly string[],
): { status: number; body: Record<string, unknown> } {
  if (body.daemon_id.trim() === "") throw new Refusal(400, "daemon_id is required");
  if (body.workspace_id.trim() === "") throw new Refusal(400, "workspace_id is required");
  if (body.runtimes.length + body.failed_profiles.length === 0) {
    throw new Refusal(400, "at least one runtime or failed profile is required");
  }
  const workspaceId = requireUuid(body.workspace_id, "workspace_id");
  const workspace = store.db.get<Parameters<typeof repoAnswer>[0]>(
    "SELECT * FROM workspaces WHERE id = ?",
    workspaceId,
  );
  if (workspace === undefined || !canAccess(store, who, workspaceId)) {
    throw new Refusal(404, "workspace not found");
  }
  const rows: Record<string, unknown>[] = [];
  try {
    for (const offer of body.runtimes) {
      rows.push(runtimeJson(upsert(store, who, workspaceId, body, offer, capabilities)));
    }
    for (const failed of body.failed_profiles) {
      recordFailedProfile(store, { workspaceId, daemonId: body.daemon_id, ownerId: who.userId, failed });
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, body: { error: error.message } };
  }
  return { status: 200, body: { runtimes: rows, ...repoAnswer(workspace) } };
}

type Offer = RegisterBody["runtimes"][number];

function upsert(
  store: Store,
  who: Principal,
  workspaceId: string,
  body: RegisterBody,
  offer: Offer,
  capabilities: readonly string[],
): RuntimeDb {
  const profile = offer.profile_id === "" ? undefined : requireProfile(store, workspaceId, offer.profile_id);
  const provider = profile?.protocol_family ?? (offer.type.trim().toLowerCase() || "unknown");
  const device = body.device_name.trim();
  const old = knownRow(
    store,
    workspaceId,
    body.daemon_id,
    profile === undefined ? { provider } : { profileId: profile.id },
  );
  const id = old?.id ?? store.newId();
  const now = store.now();
  store.db.run(
    UPSERT,
    id,
    workspaceId,
    body.daemon_id,
    provider,
    profile?.id ?? null,
    offer.name.trim() || (device === "" ? provider : `${provider} (${device})`),
    offer.status === "offline" ? "offline" : "online",
    [device, offer.version].filter((part) => part !== "").join(" · "),
    JSON.stringify(metadataOf(body, offer, old, store.later ? capabilities : undefined)),
    who.userId,
    now,
    old?.created_at ?? now,
    now,
  );
  if (profile === undefined) mergeLegacy(store, workspaceId, body, provider, id);
  bindAgents(store, workspaceId, id, provider, profile?.id ?? null);
  store.emit({ type: "runtime", runtimeId: id, to: "registered", at: now });
  return findRuntime(store, id)!;
}

const UPSERT =
  `INSERT INTO runtimes (id, workspace_id, daemon_id, provider, profile_id, name, status, device_info, metadata,
     owner_id, last_seen_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET name = excluded.name, provider = excluded.provider, status = excluded.status,
     device_info = excluded.device_info, metadata = excluded.metadata,
     owner_id = COALESCE(excluded.owner_id, owner_id), last_seen_at = excluded.last_seen_at,
     updated_at = excluded.updated_at`;

/** What a row says about its machine; merged legacy ids survive later registrations. */
function metadataOf(
  body: RegisterBody,
  offer: Offer,
  old: RuntimeDb | undefined,
  capabilities: readonly string[] | undefined,
): Record<string, unknown> {
  const legacy = fromJson<Record<string, unknown>>(old?.metadata ?? null, {}).legacy_daemon_ids;
  return {
    ...(legacy === undefined ? {} : { legacy_daemon_ids: legacy }),
    version: offer.version,
    cli_version: body.cli_version,
    launched_by: body.launched_by,
    ...(capabilities === undefined ? {} : { capabilities }),
  };
}

/** The row that a registration refreshes: by provider for built-ins, by profile for custom ones. */
function knownRow(
  store: Store,
  workspaceId: string,
  daemonId: string,
  key: { readonly provider: string } | { readonly profileId: string },
): RuntimeDb | undefined {
  return "provider" in key
    ? store.db.get<RuntimeDb>(
      "SELECT * FROM runtimes WHERE workspace_id = ? AND daemon_id = ? AND provider = ? AND profile_id IS NULL",
      workspaceId,
      daemonId,
      key.provider,
    )
    : store.db.get<RuntimeDb>(
      "SELECT * FROM runtimes WHERE workspace_id = ? AND daemon_id = ? AND profile_id = ?",
      workspaceId,
      daemonId,
      key.profileId,
    );
}

/** Moves agents and tasks of this machine's older ids to the row and deletes theirs (spec 01 §4.3, effect 5). */
function mergeLegacy(
  store: Store,
  workspaceId: string,
  body: RegisterBody,
  provider: string,
  id: string,
): void {
  for (const legacy of new Set(body.legacy_daemon_ids.map((old) => old.trim().toLowerCase()))) {
    if (legacy === "") continue;
    const rows = store.db.all<RuntimeDb>(
      `SELECT * FROM runtimes WHERE workspace_id = ? AND lower(daemon_id) = ? AND provider = ?
         AND profile_id IS NULL AND id <> ?`,
      workspaceId,
      legacy,
      provider,
      id,
    );
    for (const row of rows) {
      store.db.run("UPDATE agents SET runtime_id = ? WHERE runtime_id = ?", id, row.id);
      store.db.run("UPDATE tasks SET runtime_id = ? WHERE runtime_id = ?", id, row.id);
      store.db.run("DELETE FROM runtimes WHERE id = ?", row.id);
      const metadata = fromJson<Record<string, unknown>>(findRuntime(store, id)!.metadata, {});
      const known = Array.isArray(metadata.legacy_daemon_ids) ? metadata.legacy_daemon_ids : [];
      store.db.run(
        "UPDATE runtimes SET metadata = ? WHERE id = ?",
        JSON.stringify({ ...metadata, legacy_daemon_ids: [...known, row.daemon_id] }),
        id,
      );
      store.emit({ type: "runtime", runtimeId: row.id, to: "deleted", at: store.now() });
    }
  }
}

/** Marks the runtime alive. The caller has checked that it exists. */
export function touchRuntime(store: Store, runtime: RuntimeDb): void {
  store.db.run(
    "UPDATE runtimes SET status = 'online', last_seen_at = ? WHERE id = ?",
    store.now(),
    runtime.id,
  );
  if (runtime.status !== "online") {
    store.emit({ type: "runtime", runtimeId: runtime.id, to: "online", at: store.now() });
  }
}

/** Marks runtimes offline; unknown and foreign ids are skipped. Running tasks stay (spec 01 §4.4). */
export function deregister(
  store: Store,
  who: Principal,
  ids: readonly string[],
  reasons: Readonly<Record<string, unknown>> = {},
): void {
  if (ids.length === 0) throw new Refusal(400, "runtime_ids is required");
  for (const id of ids) requireUuid(id, "runtime_ids");
  for (const id of ids) {
    const runtime = findRuntime(store, id.toLowerCase());
    if (runtime === undefined || !canAccess(store, who, runtime.workspace_id)) continue;
    const metadata = store.later && id in reasons
      ? JSON.stringify({
        ...fromJson<Record<string, unknown>>(runtime.metadata, {}),
        offline_reason: reasons[id],
      })
      : runtime.metadata;
    store.db.run("UPDATE runtimes SET status = 'offline', metadata = ? WHERE id = ?", metadata, runtime.id);
    store.emit({ type: "runtime", runtimeId: runtime.id, to: "offline", at: store.now() });
  }
}

/** Fails every active task of the runtime: the host has restarted (spec 01 §4.8). */
export function recoverOrphans(store: Store, runtimeId: string): { orphaned: number; retried: number } {
  const tasks = activeTasks(store, runtimeId);
  let retried = 0;
  for (const task of tasks) {
    const outcome = failTask(store, task, {
      error: "daemon restarted while task was in flight",
      reason: "runtime_recovery",
    });
    if (outcome.retry !== undefined) retried++;
  }
  return { orphaned: tasks.length, retried };
}

/** Deletes the row as a user does; its tasks go with it and its agents wait for the next registration. */
export function deleteRuntime(store: Store, id: string): void {
  const tasks = store.db.all<TaskDb>("SELECT * FROM tasks WHERE runtime_id = ?", id);
  for (const task of tasks) deleteTask(store, task);
  store.db.run("UPDATE agents SET runtime_id = NULL WHERE runtime_id = ?", id);
  if (store.db.run("DELETE FROM runtimes WHERE id = ?", id) > 0) {
    store.emit({ type: "runtime", runtimeId: id, to: "deleted", at: store.now() });
  }
}

/** Tasks that a host may be working on. */
export function activeTasks(store: Store, runtimeId: string): TaskDb[] {
  return store.db.all<TaskDb>(
    "SELECT * FROM tasks WHERE runtime_id = ? AND status IN ('dispatched', 'running', 'waiting_local_directory')",
    runtimeId,
  );
}

/** The wire form of a runtime row. */
export function runtimeJson(row: RuntimeDb): Record<string, unknown> {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    daemon_id: row.daemon_id,
    name: row.name,
    runtime_mode: "local",
    provider: row.provider,
    launch_header: "",
    status: row.status,
    device_info: row.device_info,
    metadata: fromJson(row.metadata, {}),
    owner_id: row.owner_id,
    visibility: row.visibility,
    profile_id: row.profile_id,
    last_seen_at: rfc3339(row.last_seen_at),
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
  };
}
