/**
 * The control plane's vocabulary as TypeScript sees it: what the host sends and receives (spec 01, 02).
 * `schemas.ts` holds the zod schemas that make these out of JSON; field names are the wire's.
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

export interface SkillFile {
  readonly path: string;
  readonly content: string;
  readonly sha256: string;
  readonly size_bytes: number;
}

export interface Skill {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly description: string;
  readonly hash: string;
  readonly size_bytes: number;
  readonly content: string;
  readonly files: readonly SkillFile[];
}

export interface SkillRef {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly description: string;
  readonly hash: string;
  readonly size_bytes: number;
  readonly file_count: number;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly size_bytes: number }[];
}

export interface TaskAgent {
  readonly id: string;
  readonly name: string;
  readonly instructions: string;
  readonly skills: readonly Skill[];
  readonly skill_refs: readonly SkillRef[];
  readonly custom_env: Readonly<Record<string, string>>;
  readonly custom_args: readonly string[];
  /** undefined for absent or `null`. */
  readonly mcp_config: Readonly<Record<string, unknown>> | undefined;
  readonly model: string;
  readonly thinking_level: string;
  readonly service_tier: string;
  readonly runtime_config: unknown;
}

export interface ProjectResource {
  readonly id: string;
  readonly resource_type: string;
  readonly resource_ref: Readonly<Record<string, unknown>>;
  readonly label: string;
}

export interface Attachment {
  readonly id: string;
  readonly filename: string;
  readonly content_type: string;
}

/** An earlier comment folded into one queued run (spec 05 §27.3). */
export interface CoalescedComment {
  readonly id: string;
  readonly thread_id: string;
  readonly author_type: string;
  readonly author_name: string;
  readonly created_at: string;
  readonly content: string;
}

/** Another run that is at work in the same neighbourhood (spec 05 §27.3). */
export interface SiblingRun {
  readonly task_id: string;
  readonly issue_id: string;
  readonly issue_identifier: string;
  readonly issue_title: string;
  readonly status: string;
  readonly started_at: string;
  readonly created_at: string;
}

/** Fields of a claimed task that older servers do not send: absent there (spec 05 §27.1, 27.3). */
export interface LaterTaskFields {
  readonly coalesced_comments?: readonly CoalescedComment[];
  readonly active_sibling_runs?: readonly SiblingRun[];
  /** The workspace's own status catalogue. */
  readonly issue_statuses?: readonly {
    readonly key: string;
    readonly name: string;
    readonly category: string;
  }[];
  /** The catalogue above is not complete. */
  readonly issue_statuses_omitted?: boolean;
  /** `group`, `p2p`, or what else a server names. */
  readonly chat_type?: string;
  readonly chat_channel_type?: string;
  readonly chat_in_thread?: boolean;
  readonly chat_channel_delivers_files?: boolean;
  /** Names of the apps mounted for this run. */
  readonly connected_apps?: readonly string[];
  readonly quick_create_priority?: string;
  readonly quick_create_due_date?: string;
  /** `is_leader_task` is the whole truth; otherwise the instructions' text decides. */
  readonly leader_role_resolved?: boolean;
}

/** A claimed task (spec 01 §5). Missing fields are "" / 0 / [] / undefined as spec 01 says. */
export interface ClaimedTask extends LaterTaskFields {
  readonly id: string;
  readonly agent_id: string;
  readonly runtime_id: string;
  readonly issue_id: string;
  readonly workspace_id: string;
  readonly workspace_context: string;
  readonly thread_name: string;
  readonly status: string;
  readonly attempt: number;
  /** RFC 3339; fences reports by claim. "" on servers that omit it. */
  readonly dispatched_at: string;
  readonly created_at: string;
  readonly agent: TaskAgent | undefined;
  readonly repos: readonly RepoRef[];
  readonly project_id: string;
  readonly project_title: string;
  readonly project_description: string;
  readonly project_resources: readonly ProjectResource[];
  readonly prior_session_id: string;
  readonly prior_work_dir: string;
  readonly prior_session_resume_unavailable: boolean;
  readonly trigger_comment_id: string;
  readonly trigger_thread_id: string;
  readonly trigger_comment_content: string;
  readonly trigger_author_type: string;
  readonly trigger_author_name: string;
  readonly new_comment_count: number;
  readonly new_comments_since: string;
  readonly chat_session_id: string;
  readonly chat_message: string;
  readonly chat_message_attachments: readonly Attachment[];
  readonly autopilot_run_id: string;
  readonly autopilot_id: string;
  readonly autopilot_title: string;
  readonly autopilot_description: string;
  readonly autopilot_source: string;
  readonly autopilot_trigger_payload: unknown;
  readonly quick_create_prompt: string;
  readonly quick_create_attachment_ids: readonly string[];
  readonly handoff_note: string;
  readonly squad_id: string;
  readonly squad_name: string;
  readonly parent_issue_id: string;
  readonly parent_issue_identifier: string;
  readonly requesting_user_name: string;
  readonly requesting_user_profile_description: string;
  readonly initiator_type: string;
  readonly initiator_id: string;
  readonly initiator_name: string;
  readonly initiator_email: string;
  readonly auth_token: string;
  /** Squad-leader role as data on later servers; undefined = decide by text (spec 05 §2). */
  readonly is_leader_task: boolean | undefined;
  /** A task kind of later servers that is refused where it is not implemented; "" or absent otherwise (spec 01 §11.12). */
  readonly regenerate_quick_actions_for?: string;
  /** Fields that came with a type the contract does not know and were read as zero; absent when there are none. */
  readonly malformed?: readonly string[];
}

/** What the host reads of a task row in answers to start, complete, fail (spec 01 §4.13, 4.19). */
export interface TaskRow {
  readonly id: string;
  readonly status: TaskStatus;
}

export type MessageType = "thinking" | "text" | "tool_use" | "tool_result" | "error";

/** One transcript row (spec 01 §4.15). Absent fields are left out. */
export interface TaskMessage {
  readonly seq: number;
  readonly type: MessageType;
  readonly tool?: string;
  readonly content?: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly output?: string;
}

export interface UsageEntry {
  readonly provider: string;
  readonly model: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  /** Only when > 0. */
  readonly cost_usd_ticks?: number;
}

export interface CompleteBody {
  readonly output: string;
  readonly branch_name?: string;
  readonly session_id?: string;
  readonly work_dir?: string;
  readonly retired_session_id?: string;
  readonly session_rollout_missing?: boolean;
}

export interface FailBody {
  readonly error: string;
  readonly failure_reason?: string;
  readonly branch_name?: string;
  readonly session_id?: string;
  readonly work_dir?: string;
  readonly retired_session_id?: string;
  readonly session_rollout_missing?: boolean;
}

export interface CancelAckBody {
  readonly branch_name?: string;
  readonly error_message?: string;
  readonly failure_reason?: string;
}

export interface ModelEntry {
  readonly id: string;
  readonly label: string;
  readonly provider?: string;
  readonly default?: boolean;
  readonly thinking?: {
    readonly supported_levels: readonly {
      readonly value: string;
      readonly label: string;
      readonly description?: string;
    }[];
    readonly default_level?: string;
  };
}

export interface LocalSkillEntry {
  readonly key: string;
  readonly name: string;
  readonly source_path: string;
  readonly provider: string;
  readonly description?: string;
  readonly root?: string;
  readonly file_count: number;
}

/** Result bodies of the asynchronous actions (spec 01 §4.22). */
export type AsyncReport =
  | { readonly kind: "models"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "local-skills"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "local-skills/import"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "update"; readonly body: Readonly<Record<string, unknown>> };

/** Per-call options. Every call has the chapter's time limit; the signal can only shorten it. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * Everything the host says to the server over HTTP, one method an endpoint (spec 01 §4, §11).
 * Methods throw `RequestError` for an HTTP status ≥ 400 and `TransportError` for everything else; they retry
 * only where spec 01 §1.6 says so (`report`). The outbox owns the retries of everything else.
 */
export interface ControlApi {
  renewToken(options?: CallOptions): Promise<{ renewed: boolean; expires_at: string }>;
  /**
   * Prefers `GET /api/daemon/workspaces` with its ETag. A 304 may give the list of that ETag again (as `HttpControl`
   * does, so that a workspace whose join failed is seen again) or "unchanged". `push` = the newer endpoint answers.
   */
  listWorkspaces(
    options?: CallOptions,
  ): Promise<{ workspaces: readonly WorkspaceRef[] | "unchanged"; push: boolean }>;
  register(body: RegisterRequest, options?: CallOptions): Promise<RegisterResponse>;
  deregister(
    runtimeIds: readonly string[],
    options?: CallOptions & {
      readonly limitMs?: number;
      readonly reasons?: Readonly<Record<string, unknown>>;
    },
  ): Promise<void>;
  heartbeat(runtimeId: string, options?: CallOptions): Promise<HeartbeatAnswer>;
  workspaceRepos(workspaceId: string, options?: CallOptions): Promise<WorkspaceRepos>;
  runtimeProfiles(workspaceId: string, options?: CallOptions): Promise<readonly RuntimeProfile[]>;
  recoverOrphans(runtimeId: string, options?: CallOptions): Promise<{ orphaned: number; retried: number }>;
  /** undefined = nothing queued. */
  claim(runtimeId: string, options?: CallOptions): Promise<ClaimedTask | undefined>;
  /** Batch claim (spec 01 §11.2). @throws RequestError 404 where the server has none. */
  claimBatch(
    body: { daemon_id: string; runtime_ids: readonly string[]; max_tasks: number },
    options?: CallOptions,
  ): Promise<readonly ClaimedTask[]>;
  resolveSkills(
    runtimeId: string,
    taskId: string,
    refs: readonly SkillRef[],
    options?: CallOptions & { readonly limitMs?: number },
  ): Promise<readonly Skill[]>;
  extendLease(runtimeId: string, taskId: string, options?: CallOptions): Promise<void>;
  waitLocalDirectory(taskId: string, reason: string, options?: CallOptions): Promise<void>;
  start(taskId: string, options?: CallOptions): Promise<TaskRow>;
  progress(
    taskId: string,
    summary: string,
    step: number,
    total: number,
    options?: CallOptions,
  ): Promise<void>;
  messages(taskId: string, messages: readonly TaskMessage[], options?: CallOptions): Promise<void>;
  /** As {@link messages} with the body already encoded: `{"messages":[…]}`. Bytes hold no NUL and go out as they are. */
  messagesEncoded(
    taskId: string,
    body: string | Uint8Array<ArrayBuffer>,
    options?: CallOptions,
  ): Promise<void>;
  readMessages(taskId: string, since: number, options?: CallOptions): Promise<readonly TaskMessage[]>;
  pinSession(
    taskId: string,
    body: { session_id?: string; work_dir?: string },
    options?: CallOptions,
  ): Promise<void>;
  usage(taskId: string, usage: readonly UsageEntry[], options?: CallOptions): Promise<void>;
  taskStatus(taskId: string, options?: CallOptions): Promise<TaskStatus>;
  complete(taskId: string, body: CompleteBody, options?: CallOptions): Promise<TaskRow>;
  fail(taskId: string, body: FailBody, options?: CallOptions): Promise<TaskRow>;
  cancelAck(taskId: string, body: CancelAckBody, options?: CallOptions): Promise<void>;
  /** Delivers with the schedule 0, +0.5, +2, +4 s; false when refused or given up (logged). */
  report(runtimeId: string, requestId: string, report: AsyncReport, options?: CallOptions): Promise<boolean>;
  /** Drops pooled connections that may be dead (after sleep, after two transient failures in a row). */
  dropConnections(): void;
}

/** What the collector asks the server about (spec 01 §4.21, 11.10). Methods throw as those of {@link ControlApi}. */
export type GcParent = "issues" | "chat-sessions" | "autopilot-runs" | "tasks";

/** Times are RFC 3339, "" where the server has none. */
export interface GcCheck {
  readonly status: string;
  readonly updated_at: string;
  readonly completed_at: string;
}

export interface IssueGcCheck {
  readonly id: string;
  readonly found: boolean;
  readonly status: string;
  readonly updated_at: string;
}

/** The questions of the collector and of diagnostics, beside {@link ControlApi}. */
export interface ControlChecks {
  gcCheck(parent: GcParent, id: string, options?: CallOptions): Promise<GcCheck>;
  /**
   * Up to 500 issues at once; undefined where the server has no such route (ask one by one). More are asked in
   * several requests.
   */
  issuesGcCheck(
    workspaceId: string,
    issueIds: readonly string[],
    options?: CallOptions,
  ): Promise<readonly IssueGcCheck[] | undefined>;
  /** Queued and dispatched tasks of a runtime (spec 01 §4.23). */
  pendingTasks(runtimeId: string, options?: CallOptions): Promise<readonly TaskRow[]>;
}
