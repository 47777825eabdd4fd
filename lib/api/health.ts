/** What `/health` says (spec 03 §9.1, §17.2), as the host makes it and as callers read it from any version. */
import * as z from "zod";

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

const text = z.string().catch("");
const count = z.number().catch(0);

/** `/health` of any Multica host or daemon: what is missing or odd becomes "" or 0; unknown fields stay. */
export const healthSchema = z.looseObject({
  status: z.string(),
  pid: count,
  uptime: text,
  os: text,
  daemon_id: text,
  device_name: text,
  server_url: text,
  cli_version: text,
  /** undefined = an older daemon; anything but a string there is kept as null. */
  profile: z.string().nullable().optional().catch(null),
  active_task_count: count,
  agents: z.array(z.string()).catch([]),
  workspaces: z.array(z.looseObject({ id: text, runtimes: z.array(z.string()).catch([]) })).nullable().catch(
    null,
  ),
  skipped_agents: z.record(z.string(), z.string()).optional().catch(undefined),
  status_sentences: z.record(z.string(), z.string()).optional().catch(undefined),
  claiming: z.object({ state: text, why: text }).optional().catch(undefined),
});

/** A parsed `/health`. */
export type Health = z.infer<typeof healthSchema>;
