/** The server's HTTP interface as the host uses it, one method an endpoint (spec 01 §4, §11). */
import type {
  HeartbeatAnswer,
  OfflineReason,
  RegisterRequest,
  RegisterResponse,
  RuntimeProfile,
  TaskStatus,
  WorkspaceRef,
  WorkspaceRepos,
} from "./types.ts";
import type { ClaimedTask, Skill, SkillRef } from "./types_claim.ts";
import type {
  AsyncReport,
  CancelAckBody,
  CompleteBody,
  FailBody,
  TaskMessage,
  TaskRow,
  UsageEntry,
} from "./types_report.ts";

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
  /** `reasons` by runtime id; older servers ignore them. */
  deregister(
    runtimeIds: readonly string[],
    options?: CallOptions & {
      readonly limitMs?: number;
      readonly reasons?: Readonly<Record<string, OfflineReason>>;
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
