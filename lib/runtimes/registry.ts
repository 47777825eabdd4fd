/** The one owner of tracked workspaces and their runtimes (spec 01 §7.2): named transitions, nobody else writes. */
import { Broadcast } from "../core/mod.ts";
import type {
  RegisterResponse,
  RepoRef,
  RuntimeRow,
  WorkspaceRepos,
  WorkspaceSettings,
} from "../control/mod.ts";
import type { LaunchTarget } from "./types.ts";

/** What a custom runtime profile launches on this machine. */
export interface ProfileSpec {
  readonly path: string;
  readonly prefixArgs: readonly string[];
  readonly version: string;
}

/** One workspace this host watches. The object stays the same while it is tracked; its fields change. */
export interface TrackedWorkspace {
  readonly id: string;
  name: string;
  runtimeIds: readonly string[];
  repos: readonly RepoRef[];
  reposVersion: string;
  settings: WorkspaceSettings | null;
  /** Signature of the profile set last registered; "" = never fetched (spec 01 §8.1). */
  profileSignature: string;
  /** A registration is owed: something was lost and the attempt to replace it failed (spec 02 §9). */
  registerOwed: boolean;
  /** A refresh of its profiles failed: what it was told by a hint is not done yet. */
  profilesStale: boolean;
  /** It has no runtime and that is as it should be: no registration is owed until profiles or agents change. */
  converged: boolean;
}

/** One runtime as the host knows it. */
export interface KnownRuntime {
  readonly id: string;
  readonly workspaceId: string;
  readonly provider: string;
  readonly name: string;
  readonly profileId: string;
}

/** A change of the set of runtime ids. Published only when the set really differs (spec 01 §7.7). */
export interface RuntimeSetChange {
  readonly ids: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Workspaces, runtimes and launch specifications. */
export class RuntimeRegistry {
  readonly #workspaces = new Map<string, TrackedWorkspace>();
  readonly #runtimes = new Map<string, KnownRuntime>();
  readonly #profiles = new Map<string, ProfileSpec>();
  readonly #held = new Set<string>();
  #announced: ReadonlySet<string> = new Set();

  /** Hears each announced change of the runtime set. */
  readonly changes = new Broadcast<RuntimeSetChange>();

  /** Tracked workspaces in the order they were joined. */
  workspaces(): readonly TrackedWorkspace[] {
    return [...this.#workspaces.values()];
  }

  workspace(id: string): TrackedWorkspace | undefined {
    return this.#workspaces.get(id);
  }

  runtime(id: string): KnownRuntime | undefined {
    return this.#runtimes.get(id);
  }

  /** Every known runtime id, in workspace order. */
  runtimeIds(): readonly string[] {
    return this.workspaces().flatMap((workspace) => [...workspace.runtimeIds]);
  }

  /** Ids the loops have been told of. */
  announcedIds(): readonly string[] {
    return [...this.#announced];
  }

  /** untracked → tracked. @throws when it is tracked already. */
  track(id: string, name: string): TrackedWorkspace {
    if (this.#workspaces.has(id)) throw new Error(`workspace ${id} is already tracked`);
    const workspace: TrackedWorkspace = {
      id,
      name,
      runtimeIds: [],
      repos: [],
      reposVersion: "",
      settings: null,
      profileSignature: "",
      registerOwed: false,
      profilesStale: false,
      converged: false,
    };
    this.#workspaces.set(id, workspace);
    return workspace;
  }

  /** tracked → untracked; its runtimes go too. Running tasks are not touched. Returns the ids that left. */
  untrack(id: string): readonly string[] {
    const workspace = this.#workspaces.get(id);
    if (workspace === undefined) return [];
    for (const runtimeId of workspace.runtimeIds) this.#runtimes.delete(runtimeId);
    this.#workspaces.delete(id);
    return workspace.runtimeIds;
  }

  /**
   * Takes a register response as the authority for one workspace (spec 01 §7.4): replaces its ids in returned
   * order, repos only with a version, settings only when present. Returns the ids that did not come back.
   */
  applyRegister(workspaceId: string, response: RegisterResponse, signature: string): readonly string[] {
    const workspace = this.#workspaces.get(workspaceId);
    if (workspace === undefined) throw new Error(`workspace ${workspaceId} no longer tracked`);
    const before = workspace.runtimeIds;
    const rows = new Map(response.runtimes.map((row) => [row.id, row]));
    for (const id of before) if (!rows.has(id)) this.#runtimes.delete(id);
    for (const row of rows.values()) this.#runtimes.set(row.id, known(workspaceId, row));
    workspace.runtimeIds = [...rows.keys()];
    if (response.repos_version !== "") {
      workspace.repos = response.repos;
      workspace.reposVersion = response.repos_version;
    }
    if (response.settings !== undefined) workspace.settings = response.settings;
    if (signature !== "") workspace.profileSignature = signature;
    workspace.registerOwed = false;
    // No row for anything but failed profiles: that is settled too, until something changes here or there.
    workspace.converged = rows.size === 0;
    return before.filter((id) => !rows.has(id));
  }

  /** Takes a repos answer: version, list and settings are replaced whatever the version says (spec 01 §4.6). */
  applyRepos(workspaceId: string, answer: WorkspaceRepos): void {
    const workspace = this.#workspaces.get(workspaceId);
    if (workspace === undefined) return;
    workspace.repos = answer.repos;
    workspace.reposVersion = answer.repos_version;
    workspace.settings = answer.settings ?? null;
  }

  /** tracked n → n−1. False when the id was not tracked. */
  prune(runtimeId: string): boolean {
    const runtime = this.#runtimes.get(runtimeId);
    if (runtime === undefined) return false;
    this.#runtimes.delete(runtimeId);
    const workspace = this.#workspaces.get(runtime.workspaceId);
    if (workspace) workspace.runtimeIds = workspace.runtimeIds.filter((id) => id !== runtimeId);
    return true;
  }

  /** tracked n → 0, the workspace stays tracked (spec 01 §7.5). Returns the ids that left. */
  converge(workspaceId: string, signature: string): readonly string[] {
    const workspace = this.#workspaces.get(workspaceId);
    if (workspace === undefined) return [];
    const left = workspace.runtimeIds;
    for (const id of left) this.#runtimes.delete(id);
    workspace.runtimeIds = [];
    if (signature !== "") workspace.profileSignature = signature;
    workspace.registerOwed = false;
    workspace.converged = true;
    return left;
  }

  /** Remembers what a profile launches here; replaced at each successful resolution. */
  setProfile(profileId: string, spec: ProfileSpec): void {
    this.#profiles.set(profileId, spec);
  }

  /** Forgets a profile that can no longer be resolved: its runtimes then fail instead of running another program. */
  dropProfile(profileId: string): void {
    this.#profiles.delete(profileId);
  }

  profile(profileId: string): ProfileSpec | undefined {
    return this.#profiles.get(profileId);
  }

  /** Keeps ids from being announced, whoever announces, until the returned function is called. */
  hold(ids: readonly string[]): () => void {
    for (const id of ids) this.#held.add(id);
    return () => {
      for (const id of ids) this.#held.delete(id);
    };
  }

  /** Tells the loops the current set, if it differs from what they were told last. */
  announce(): RuntimeSetChange | undefined {
    const ids = this.runtimeIds().filter((id) => !this.#held.has(id));
    const now = new Set(ids);
    const added = ids.filter((id) => !this.#announced.has(id));
    const removed = [...this.#announced].filter((id) => !now.has(id));
    if (added.length === 0 && removed.length === 0) return undefined;
    this.#announced = now;
    const change = { ids, added, removed };
    this.changes.publish(change);
    return change;
  }

  /**
   * What a runtime launches, taken once at claim (spec 01 §7.4). Built-in runtimes use the machine's program of
   * the provider; a custom one without specification is never replaced by the built-in (decisions).
   */
  launchTarget(runtimeId: string, builtin: (provider: string) => ProfileSpec | undefined): LaunchTarget {
    const runtime = this.#runtimes.get(runtimeId);
    const provider = runtime?.provider ?? "";
    const profileId = runtime?.profileId ?? "";
    const spec = profileId === "" ? builtin(provider) : this.#profiles.get(profileId);
    const problem = profileId === ""
      ? `no agent configured for provider "${provider}"`
      : `custom runtime profile ${profileId} cannot be launched on this host: its command is not resolved here`;
    return {
      runtimeId,
      workspaceId: runtime?.workspaceId ?? "",
      provider,
      profileId,
      executable: spec?.path ?? "",
      prefixArgs: spec?.prefixArgs ?? [],
      version: spec?.version ?? "",
      problem: spec === undefined ? problem : "",
    };
  }
}

function known(workspaceId: string, row: RuntimeRow): KnownRuntime {
  return { id: row.id, workspaceId, provider: row.provider, name: row.name, profileId: row.profile_id };
}
