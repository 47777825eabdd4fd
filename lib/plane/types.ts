/** The embedded plane's own vocabulary: modes, rows as SQLite holds them, events that tests and followers hear. */

/** Which server the plane imitates: June 2026 (`baseline`) or August 2026 (`later`). */
export type Era = "baseline" | "later";

/** A row of `tasks`. Times are milliseconds since the epoch, null = never. */
export interface TaskDb {
  readonly id: string;
  readonly workspace_id: string;
  readonly agent_id: string;
  readonly runtime_id: string | null;
  readonly issue_id: string | null;
  readonly chat_session_id: string | null;
  readonly autopilot_run_id: string | null;
  /** JSON of {@link QuickCreate}, null for every other kind. */
  readonly quick_create: string | null;
  readonly trigger_comment_id: string | null;
  readonly trigger_summary: string | null;
  readonly handoff_note: string | null;
  readonly status: string;
  readonly priority: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly parent_task_id: string | null;
  readonly force_fresh: number;
  readonly initiator_user_id: string | null;
  readonly created_at: number;
  /** Not claimable before this time (later era's delayed retries). */
  readonly run_after: number | null;
  readonly dispatched_at: number | null;
  readonly started_at: number | null;
  readonly completed_at: number | null;
  readonly lease_until: number | null;
  readonly wait_reason: string | null;
  readonly session_id: string | null;
  readonly work_dir: string | null;
  readonly branch_name: string | null;
  /** JSON of the accepted complete body. */
  readonly result: string | null;
  readonly error: string | null;
  readonly failure_reason: string | null;
  readonly cancel_acked_at: number | null;
}

/** What a quick-create task was asked for (spec 01 §5.1, column Q). */
export interface QuickCreate {
  readonly prompt: string;
  readonly attachment_ids?: readonly string[];
  readonly project_id?: string;
  readonly squad_id?: string;
  readonly squad_name?: string;
  readonly parent_issue_id?: string;
}

/** A row of `runtimes`. */
export interface RuntimeDb {
  readonly id: string;
  readonly workspace_id: string;
  readonly daemon_id: string | null;
  readonly provider: string;
  readonly profile_id: string | null;
  readonly name: string;
  readonly status: string;
  readonly device_info: string;
  readonly metadata: string;
  readonly owner_id: string | null;
  readonly visibility: string;
  readonly last_seen_at: number | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** A row of `agents`; JSON columns are text. */
export interface AgentDb {
  readonly id: string;
  readonly workspace_id: string;
  readonly runtime_id: string | null;
  readonly provider: string | null;
  readonly profile_id: string | null;
  readonly name: string;
  readonly instructions: string;
  readonly custom_env: string;
  readonly custom_args: string;
  readonly mcp_config: string | null;
  readonly model: string;
  readonly thinking_level: string;
  readonly service_tier: string;
  readonly runtime_config: string | null;
  readonly max_concurrent_tasks: number;
  readonly owner_id: string | null;
  readonly created_at: number;
}

/** A row of `workspaces`. */
export interface WorkspaceDb {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly issue_prefix: string;
  readonly description: string | null;
  readonly context: string | null;
  readonly settings: string | null;
  readonly repos: string;
  readonly issue_seq: number;
  readonly created_at: number;
  readonly updated_at: number;
}

/** A row of `issues`. */
export interface IssueDb {
  readonly id: string;
  readonly workspace_id: string;
  readonly number: number;
  readonly title: string;
  readonly description: string | null;
  readonly status: string;
  readonly priority: string;
  readonly assignee_type: string | null;
  readonly assignee_id: string | null;
  readonly creator_type: string;
  readonly creator_id: string;
  readonly parent_issue_id: string | null;
  readonly project_id: string | null;
  readonly metadata: string;
  readonly created_at: number;
  readonly updated_at: number;
}

/** A row of `comments`. */
export interface CommentDb {
  readonly id: string;
  readonly issue_id: string;
  readonly author_type: string;
  readonly author_id: string;
  readonly content: string;
  readonly type: string;
  readonly parent_id: string | null;
  readonly source_task_id: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** Who makes a request (spec 01 §2.1). */
export interface Principal {
  readonly kind: "user" | "daemon" | "task";
  readonly tokenKind: "mul" | "mdt" | "mat";
  readonly tokenHash: string;
  readonly userId: string | null;
  /** Bound workspace of `mdt_` and `mat_` tokens. */
  readonly workspaceId: string | null;
  readonly daemonId: string | null;
  readonly agentId: string | null;
  readonly taskId: string | null;
  readonly expiresAt: number | null;
}

/** What happened, published after the transaction that made it has committed. */
export type PlaneEvent =
  | {
    readonly type: "task";
    readonly taskId: string;
    /** "" for a task just created. */
    readonly from: string;
    /** "deleted" when the row is gone. */
    readonly to: string;
    readonly reason: string;
    readonly at: number;
  }
  | { readonly type: "messages"; readonly taskId: string; readonly count: number; readonly at: number }
  | { readonly type: "progress"; readonly taskId: string; readonly summary: string; readonly at: number }
  | { readonly type: "session"; readonly taskId: string; readonly sessionId: string; readonly at: number }
  | { readonly type: "usage"; readonly taskId: string; readonly at: number }
  | {
    readonly type: "runtime";
    readonly runtimeId: string;
    /** `registered`, `online`, `offline` or `deleted`. */
    readonly to: string;
    readonly at: number;
  }
  | { readonly type: "action"; readonly requestId: string; readonly status: string; readonly at: number }
  | {
    readonly type: "socket";
    readonly to: "open" | "closed";
    readonly runtimeIds: readonly string[];
    readonly at: number;
  };

/** A transcript row as the plane stores and shows it. */
export interface MessageView {
  readonly task_id: string;
  readonly issue_id?: string;
  readonly seq: number;
  readonly type: string;
  readonly tool?: string;
  readonly content?: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly output?: string;
  readonly created_at: string;
}

/** One usage row of a task. */
export interface UsageView {
  readonly provider: string;
  readonly model: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly cost_usd_ticks: number;
}

/** A refusal with the exact status and `{"error": …}` text of the server. Rolls the request's transaction back. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(readonly status: number, message: string) {
    super(message);
  }
}
