/** Custom runtime profiles of a workspace, and the rows of those a machine cannot launch (spec 01 §4.3, 4.7). */
import { fromJson, rfc3339, type Store } from "./store.ts";
import { requireUuid } from "./access.ts";
import { Refusal } from "./types.ts";

/** A row of `profiles`. */
export interface ProfileDb {
  readonly id: string;
  readonly workspace_id: string;
  readonly display_name: string;
  readonly protocol_family: string;
  readonly command_name: string;
  readonly description: string | null;
  readonly fixed_args: string;
  readonly visibility: string;
  readonly created_by: string | null;
  readonly enabled: number;
  readonly created_at: number;
  readonly updated_at: number;
}

/** See {@link createProfile}. */
export interface NewProfile {
  readonly workspaceId: string;
  readonly displayName: string;
  readonly protocolFamily: string;
  readonly commandName: string;
  readonly fixedArgs?: readonly string[];
  readonly visibility?: string;
  readonly enabled?: boolean;
  readonly id?: string;
}

/** Adds a profile and hints the workspace's hosts. Returns its id. */
export function createProfile(store: Store, spec: NewProfile): string {
  const id = spec.id ?? store.newId();
  store.db.run(
    `INSERT INTO profiles (id, workspace_id, display_name, protocol_family, command_name, fixed_args, visibility,
       enabled, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.workspaceId,
    spec.displayName,
    spec.protocolFamily,
    spec.commandName,
    JSON.stringify(spec.fixedArgs ?? []),
    spec.visibility ?? "workspace",
    spec.enabled === false ? 0 : 1,
    store.now(),
    store.now(),
  );
  store.hint({ type: "profiles_changed", workspaceId: spec.workspaceId, profileId: id });
  return id;
}

/** Changes a profile; `enabled: false` disables it. Hints the hosts. */
export function updateProfile(
  store: Store,
  id: string,
  change: {
    readonly enabled?: boolean;
    readonly commandName?: string;
    readonly fixedArgs?: readonly string[];
    readonly displayName?: string;
  },
): void {
  const row = store.db.get<ProfileDb>("SELECT * FROM profiles WHERE id = ?", id);
  if (row === undefined) throw new Refusal(404, "runtime profile not found");
  store.db.run(
    "UPDATE profiles SET enabled = ?, command_name = ?, fixed_args = ?, display_name = ?, updated_at = ? WHERE id = ?",
    change.enabled === undefined ? row.enabled : Number(change.enabled),
    change.commandName ?? row.command_name,
    change.fixedArgs === undefined ? row.fixed_args : JSON.stringify(change.fixedArgs),
    change.displayName ?? row.display_name,
    store.now(),
    id,
  );
  store.hint({ type: "profiles_changed", workspaceId: row.workspace_id, profileId: id });
}

/** Deletes a profile (its runtimes stay until they are dropped by the host or deleted). Hints the hosts. */
export function deleteProfile(store: Store, id: string): void {
  const row = store.db.get<ProfileDb>("SELECT * FROM profiles WHERE id = ?", id);
  if (row === undefined) return;
  store.db.run("DELETE FROM profiles WHERE id = ?", id);
  store.hint({ type: "profiles_changed", workspaceId: row.workspace_id, profileId: id });
}

/** The enabled profile, or register's refusal: 400 unknown, 409 disabled. */
export function requireProfile(store: Store, workspaceId: string, id: string): ProfileDb {
  const row = store.db.get<ProfileDb>(
    "SELECT * FROM profiles WHERE id = ? AND workspace_id = ?",
    requireUuid(id, "profile_id"),
    workspaceId,
  );
  if (row === undefined) throw new Refusal(400, `unknown runtime profile: ${id}`);
  if (row.enabled === 0) throw new Refusal(409, `runtime profile is disabled: ${id}`);
  return row;
}

/** `GET …/runtime-profiles`: the enabled ones. */
export function listProfiles(store: Store, workspaceId: string): Record<string, unknown>[] {
  return store.db.all<ProfileDb>(
    "SELECT * FROM profiles WHERE workspace_id = ? AND enabled = 1 ORDER BY created_at, rowid",
    workspaceId,
  ).map(profileJson);
}

/** Keeps an offline runtime row that tells why the profile cannot run; unknown or disabled profiles are skipped. */
export function recordFailedProfile(
  store: Store,
  spec: {
    readonly workspaceId: string;
    readonly daemonId: string;
    readonly ownerId: string | null;
    readonly failed: { readonly profile_id: string; readonly command_name: string; readonly reason: string };
  },
): void {
  const profile = store.db.get<ProfileDb>(
    "SELECT * FROM profiles WHERE id = ? AND workspace_id = ? AND enabled = 1",
    spec.failed.profile_id,
    spec.workspaceId,
  );
  if (profile === undefined) return;
  const now = store.now();
  const metadata = JSON.stringify({
    version: "",
    runtime_profile_registration_error: true,
    runtime_profile_failure_reason: spec.failed.reason.trim() ||
      "custom runtime command could not be resolved",
    command_name: spec.failed.command_name,
  });
  store.db.run(
    `INSERT INTO runtimes (id, workspace_id, daemon_id, provider, profile_id, name, status, metadata, owner_id,
       last_seen_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 'offline', ?, ?, ?, ?, ?)
     ON CONFLICT (workspace_id, daemon_id, profile_id) WHERE profile_id IS NOT NULL
       DO UPDATE SET status = 'offline', metadata = excluded.metadata, updated_at = excluded.updated_at`,
    store.newId(),
    spec.workspaceId,
    spec.daemonId,
    profile.protocol_family,
    profile.id,
    profile.display_name,
    metadata,
    spec.ownerId,
    now,
    now,
    now,
  );
}

function profileJson(row: ProfileDb): Record<string, unknown> {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    display_name: row.display_name,
    protocol_family: row.protocol_family,
    command_name: row.command_name,
    description: row.description,
    fixed_args: fromJson<string[]>(row.fixed_args, []),
    visibility: row.visibility,
    created_by: row.created_by,
    enabled: row.enabled === 1,
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
  };
}
