/**
 * The control plane's vocabulary as TypeScript sees it (spec 01, 02): here task states, workspaces, runtimes and
 * heartbeats; claims in `types_claim.ts`, reports in `types_report.ts`. Field names are the wire's.
 */

/** Task states of the server (spec 01 §6.1). "" and unknown strings can come from any server. */
export type TaskStatus =
  | "queued"
  | "dispatched"
  | "waiting_local_directory"
  | "running"
  | "completed"
  | "failed"
  | "cancelled"
  | (string & Record<never, never>);

/** States a task never leaves. */
export const TERMINAL_STATES: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

export interface WorkspaceRef {
  readonly id: string;
  readonly name: string;
}

export interface RepoRef {
  readonly url: string;
  readonly description: string;
  /** Branch or ref to check out; "" = default (spec 01 §11.12). */
  readonly ref: string;
}

export interface WorkspaceSettings {
  readonly github_enabled?: boolean;
  readonly co_authored_by_enabled?: boolean;
  readonly [key: string]: unknown;
}

/** One entry of the register request (spec 01 §4.3). */
export interface RuntimeOffer {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly status: "online";
  readonly profile_id?: string;
}

export interface FailedProfile {
  readonly profile_id: string;
  readonly command_name: string;
  readonly reason: string;
}

export interface RegisterRequest {
  readonly workspace_id: string;
  readonly daemon_id: string;
  readonly legacy_daemon_ids: readonly string[];
  readonly device_name: string;
  readonly cli_version: string;
  readonly launched_by: string;
  readonly runtimes: readonly RuntimeOffer[];
  readonly failed_profiles: readonly FailedProfile[];
}

/** What the host reads of a runtime row. */
export interface RuntimeRow {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly status: string;
  readonly profile_id: string;
}

export interface RegisterResponse {
  readonly runtimes: readonly RuntimeRow[];
  readonly repos: readonly RepoRef[];
  readonly repos_version: string;
  /** undefined = key absent; null = present and default. */
  readonly settings: WorkspaceSettings | null | undefined;
}

/** Why a runtime goes offline (spec 01 §11.4). */
export interface OfflineReason {
  /** `not_executable`, `not_found`, `below_minimum`, … */
  readonly code: string;
  /** One sentence for people. */
  readonly detail: string;
  /** The command that puts it right, where one is known. */
  readonly repair?: { readonly package: string; readonly command: string; readonly shell: string };
}

export interface WorkspaceRepos {
  readonly repos: readonly RepoRef[];
  readonly repos_version: string;
  readonly settings: WorkspaceSettings | null | undefined;
}

export interface RuntimeProfile {
  readonly id: string;
  readonly display_name: string;
  readonly protocol_family: string;
  readonly command_name: string;
  readonly fixed_args: readonly string[];
  readonly visibility: string;
  readonly enabled: boolean;
}

/** Answer to a heartbeat on either transport (spec 01 §4.5, 02 §4.2). */
export interface HeartbeatAnswer {
  readonly status: string;
  readonly runtime_id: string;
  readonly runtime_gone: boolean;
  readonly pending_update?: { readonly id: string; readonly target_version: string };
  readonly pending_model_list?: { readonly id: string };
  readonly pending_local_skills?: { readonly id: string };
  /** Singular and plural already folded together (spec 02 §8.1). */
  readonly pending_local_skill_imports: readonly { readonly id: string; readonly skill_key: string }[];
  readonly feature_flags?: { readonly version: number; readonly flags: Readonly<Record<string, string>> };
  readonly server_capabilities: readonly string[];
}
