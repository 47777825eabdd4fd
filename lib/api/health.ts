/** What `/health` says (spec 03 §9.1, §17.2), as the host makes it and as callers read it from any version. */
/** The part of `/health` that changes; the engine posts it, the supervisor serves it. */
export interface HealthSnapshot {
  readonly status: "starting" | "running" | "stopping";
  /** Claimed tasks not finished, those waiting for a local directory included. */
  readonly active_task_count: number;
  readonly running_task_count: number;
  readonly resource_wait_task_count: number;
  /** Providers found, also those whose version check failed. */
  readonly agents: readonly string[];
  /** Tracked workspaces with their runtime ids; null when none. */
  readonly workspaces: readonly { readonly id: string; readonly runtimes: readonly string[] }[] | null;
  /** Provider → why it was found but is not offered. */
  readonly skipped_agents?: Readonly<Record<string, string>>;
  /** Loop → one sentence about what it is doing now. */
  readonly status_sentences: Readonly<Record<string, string>>;
  /** Whether tasks are being claimed, and in words why or why not. */
  readonly claiming: { readonly state: string; readonly why: string };
  /** The engine's own life, as the supervisor sees it. */
  readonly engine?: { readonly state: string; readonly restarts: number };
  readonly repo_maintenance_active?: boolean;
  readonly repo_checkout_waiters?: number;
  readonly reload_pending_reason?: string;
}

/** The part of `/health` that stays. */
export interface HealthIdentity {
  readonly pid: number;
  /** `darwin`, `linux`, `windows`. */
  readonly os: string;
  readonly daemon_id: string;
  readonly device_name: string;
  readonly server_url: string;
  readonly cli_version: string;
  /** "" = default profile. */
  readonly profile: string;
  readonly launched_by?: string;
}

/** The snapshot of a host whose engine has not said anything yet. */
export const STARTING: HealthSnapshot = {
  status: "starting",
  active_task_count: 0,
  running_task_count: 0,
  resource_wait_task_count: 0,
  agents: [],
  workspaces: null,
  status_sentences: {},
  claiming: { state: "starting", why: "the host is starting" },
};
