/** The HTTP side of the control plane: one method an endpoint (spec 01 §3, 4, 11). */
import { errorText, getLog, isAbort } from "../core/mod.ts";
import { TransportError } from "./errors.ts";
import { isRequestError, isRouteMissing } from "./predicates.ts";
import { isReportRetryable, REPORT_DELAYS_MS, withSchedule } from "./retry.ts";
import * as schemas from "./schemas.ts";
import { bundleLimitMs } from "./skill_hash.ts";
import { JsonCaller, parseJson, shaped, unexpected } from "./json_caller.ts";
import { Transport, type TransportOptions } from "./transport.ts";
import type { CallOptions, ControlApi, ControlChecks, GcCheck, GcParent, IssueGcCheck } from "./api.ts";
import type {
  HeartbeatAnswer,
  OfflineReason,
  RegisterRequest,
  RegisterResponse,
  RuntimeProfile,
  TaskStatus,
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
import { cleanJson, segment } from "./wire.ts";
import { WorkspaceList } from "./workspace_list.ts";

const log = getLog("control", "http");

/** Time limits of the contract, ms (spec 01 §10). */
const LIMIT = { list: 15_000, lease: 10_000, stream: 5_000, batchClaim: 5_000 } as const;
/** Most issues in one collector question (spec 01 §11.10). */
const GC_ISSUES = 500;

/** {@link ControlApi} over HTTP. */
export class HttpControl implements ControlApi, ControlChecks {
  readonly #transport: Transport;
  readonly #call: JsonCaller;
  readonly #workspaces = new WorkspaceList();

  constructor(private readonly options: TransportOptions) {
    this.#transport = new Transport(options);
    this.#call = new JsonCaller(this.#transport);
  }

  dropConnections(): void {
    this.#transport.dropConnections();
  }

  /** Ends the connection pool; the last call. */
  close(): void {
    this.#transport.close();
  }

  async renewToken(options: CallOptions = {}) {
    return await this.#call.post("/api/tokens/current/renew", {}, schemas.renewSchema, options, LIMIT.list);
  }

  async listWorkspaces(options: CallOptions = {}) {
    return await this.#workspaces.read(
      this.options.token(),
      (path, ifNoneMatch) =>
        this.#transport.exchange({
          method: "GET",
          path,
          limitMs: LIMIT.list,
          signal: options.signal,
          ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
        }),
      (answer, path) => shaped("GET", path, schemas.workspacesSchema, parseJson("GET", path, answer)),
    );
  }

  /** @throws TransportError when runtimes were offered and none came back (spec 01 §4.3). */
  async register(body: RegisterRequest, options: CallOptions = {}): Promise<RegisterResponse> {
    const path = "/api/daemon/register";
    const answer = await this.#call.post(path, body, schemas.registerSchema, options);
    if (answer.runtimes.length === 0 && body.failed_profiles.length === 0) {
      throw new TransportError("bad_response", "POST", path, "register runtimes: empty response");
    }
    return answer;
  }

  async deregister(
    runtimeIds: readonly string[],
    options: CallOptions & { limitMs?: number; reasons?: Readonly<Record<string, OfflineReason>> } = {},
  ): Promise<void> {
    if (runtimeIds.length === 0) return;
    const body = {
      runtime_ids: runtimeIds,
      ...(options.reasons === undefined ? {} : { offline_reasons: options.reasons }),
    };
    await this.#call.tell("/api/daemon/deregister", body, options, options.limitMs);
  }

  async heartbeat(runtimeId: string, options: CallOptions = {}): Promise<HeartbeatAnswer> {
    const path = "/api/daemon/heartbeat";
    const body = { runtime_id: runtimeId, supports_batch_import: true };
    const answer = schemas.parseHeartbeat(await this.#call.json("POST", path, body, options));
    if (answer === undefined) throw unexpected("POST", path);
    return answer;
  }

  async workspaceRepos(workspaceId: string, options: CallOptions = {}): Promise<WorkspaceRepos> {
    return await this.#call.get(
      `/api/daemon/workspaces/${segment(workspaceId)}/repos`,
      schemas.reposSchema,
      options,
    );
  }

  async runtimeProfiles(
    workspaceId: string,
    options: CallOptions = {},
  ): Promise<readonly RuntimeProfile[]> {
    const path = `/api/daemon/workspaces/${segment(workspaceId)}/runtime-profiles`;
    return (await this.#call.get(path, schemas.profilesSchema, options)).runtime_profiles;
  }

  async recoverOrphans(runtimeId: string, options: CallOptions = {}) {
    return await this.#call.post(`${runtime(runtimeId)}/recover-orphans`, {}, schemas.orphansSchema, options);
  }

  async claim(runtimeId: string, options: CallOptions = {}): Promise<ClaimedTask | undefined> {
    const path = `${runtime(runtimeId)}/tasks/claim`;
    const { task } = await this.#call.post(path, {}, schemas.claimSchema, { ...options, once: true });
    if (task === null || task === undefined) return undefined;
    const parsed = schemas.parseClaimedTask(task);
    if (parsed === undefined) {
      throw new TransportError("bad_response", "POST", path, "claimed task has no id");
    }
    return parsed;
  }

  async claimBatch(
    body: { daemon_id: string; runtime_ids: readonly string[]; max_tasks: number },
    options: CallOptions = {},
  ): Promise<readonly ClaimedTask[]> {
    const path = "/api/daemon/tasks/claim";
    return tasksOf(
      await this.#call.post(
        path,
        body,
        schemas.claimBatchSchema,
        { ...options, once: true },
        LIMIT.batchClaim,
      ),
    );
  }

  async resolveSkills(
    runtimeId: string,
    taskId: string,
    refs: readonly SkillRef[],
    options: CallOptions & { limitMs?: number } = {},
  ): Promise<readonly Skill[]> {
    const path = `${runtime(runtimeId)}/tasks/${segment(taskId)}/skill-bundles/resolve`;
    const limitMs = options.limitMs ?? bundleLimitMs(refs.reduce((sum, ref) => sum + ref.size_bytes, 0));
    return (await this.#call.post(
      path,
      { skills: refs },
      schemas.bundlesSchema,
      { ...options, large: true },
      limitMs,
    )).bundles;
  }

  async extendLease(runtimeId: string, taskId: string, options: CallOptions = {}): Promise<void> {
    const path = `${runtime(runtimeId)}/tasks/${segment(taskId)}/prepare-lease`;
    return await this.#call.tell(path, {}, options, LIMIT.lease);
  }

  async waitLocalDirectory(taskId: string, reason: string, options: CallOptions = {}): Promise<void> {
    return await this.#call.tell(`${task(taskId)}/wait-local-directory`, { reason }, options);
  }

  async start(taskId: string, options: CallOptions = {}): Promise<TaskRow> {
    return await this.#call.post(`${task(taskId)}/start`, {}, schemas.taskRowSchema, options);
  }

  async progress(taskId: string, summary: string, step: number, total: number, options: CallOptions = {}) {
    return await this.#call.tell(`${task(taskId)}/progress`, { summary, step, total }, options);
  }

  async messages(taskId: string, messages: readonly TaskMessage[], options: CallOptions = {}) {
    if (messages.length === 0) return;
    await this.messagesEncoded(taskId, JSON.stringify({ messages }), options);
  }

  async messagesEncoded(
    taskId: string,
    body: string | Uint8Array<ArrayBuffer>,
    options: CallOptions = {},
  ): Promise<void> {
    await this.#transport.exchange({
      method: "POST",
      path: `${task(taskId)}/messages`,
      body: typeof body === "string" ? cleanJson(body) : body,
      once: true,
      limitMs: LIMIT.stream,
      signal: options.signal,
    });
  }

  async readMessages(taskId: string, since: number, options: CallOptions = {}) {
    return await this.#call.get(`${task(taskId)}/messages?since=${since}`, schemas.messagesSchema, {
      ...options,
      large: true,
    });
  }

  /** Sends only what is not empty; nothing at all when both are (spec 01 §4.16). */
  async pinSession(
    taskId: string,
    body: { session_id?: string; work_dir?: string },
    options: CallOptions = {},
  ): Promise<void> {
    const filled = Object.fromEntries(Object.entries(body).filter(([, value]) => (value ?? "") !== ""));
    if (Object.keys(filled).length === 0) return;
    await this.#call.tell(`${task(taskId)}/session`, filled, options, LIMIT.stream);
  }

  /** Drops entries whose counters are all zero; no call for none (spec 01 §4.17). */
  async usage(taskId: string, usage: readonly UsageEntry[], options: CallOptions = {}): Promise<void> {
    const used = usage.filter((entry) =>
      entry.input_tokens !== 0 || entry.output_tokens !== 0 || entry.cache_read_tokens !== 0 ||
      entry.cache_write_tokens !== 0
    );
    if (used.length === 0) return;
    await this.#call.tell(`${task(taskId)}/usage`, { usage: used }, options);
  }

  async taskStatus(taskId: string, options: CallOptions = {}): Promise<TaskStatus> {
    return (await this.#call.get(`${task(taskId)}/status`, schemas.taskStatusSchema, options)).status;
  }

  async complete(taskId: string, body: CompleteBody, options: CallOptions = {}): Promise<TaskRow> {
    return await this.#call.post(`${task(taskId)}/complete`, body, schemas.taskRowSchema, options);
  }

  async fail(taskId: string, body: FailBody, options: CallOptions = {}): Promise<TaskRow> {
    return await this.#call.post(`${task(taskId)}/fail`, body, schemas.taskRowSchema, options);
  }

  async cancelAck(taskId: string, body: CancelAckBody, options: CallOptions = {}): Promise<void> {
    return await this.#call.tell(`${task(taskId)}/cancel-ack`, body, options);
  }

  async report(
    runtimeId: string,
    requestId: string,
    report: AsyncReport,
    options: CallOptions = {},
  ): Promise<boolean> {
    const path = `${runtime(runtimeId)}/${report.kind}/${segment(requestId)}/result`;
    const fields = { kind: report.kind, runtime_id: runtimeId, request_id: requestId };
    let attempts = 0;
    try {
      await withSchedule({
        clock: this.options.clock,
        delaysMs: REPORT_DELAYS_MS,
        retryable: isReportRetryable,
        signal: options.signal,
        onRetry: (error, attempt, delayMs) =>
          log.warn("report failed, trying again", {
            ...fields,
            attempt,
            delay_ms: delayMs,
            error: errorText(error),
          }),
      }, (n) => {
        attempts = n;
        return this.#call.tell(path, report.body, options);
      });
    } catch (error) {
      const why = isAbort(error) || options.signal?.aborted
        ? "report cancelled"
        : isRequestError(error) && error.status < 500
        ? "report rejected"
        : "report given up";
      log.error(why, { ...fields, attempts, error: errorText(error) });
      return false;
    }
    if (attempts > 1) log.info("report delivered", { ...fields, attempts });
    return true;
  }

  async gcCheck(parent: GcParent, id: string, options: CallOptions = {}): Promise<GcCheck> {
    return await this.#call.get(
      `/api/daemon/${parent}/${segment(id)}/gc-check`,
      schemas.gcCheckSchema,
      options,
    );
  }

  async issuesGcCheck(workspaceId: string, issueIds: readonly string[], options: CallOptions = {}) {
    const path = `/api/daemon/workspaces/${segment(workspaceId)}/issues/gc-check`;
    const found: IssueGcCheck[] = [];
    try {
      for (let at = 0; at < issueIds.length; at += GC_ISSUES) {
        const body = { issue_ids: issueIds.slice(at, at + GC_ISSUES) };
        found.push(...(await this.#call.post(path, body, schemas.issuesGcSchema, options)).issues);
      }
    } catch (error) {
      if (isRouteMissing(error)) return undefined;
      throw error;
    }
    return found;
  }

  async pendingTasks(runtimeId: string, options: CallOptions = {}): Promise<readonly TaskRow[]> {
    return await this.#call.get(`${runtime(runtimeId)}/tasks/pending`, schemas.pendingTasksSchema, options);
  }
}

/** The tasks of a batch answer; one without an id cannot be run or failed and is only logged. */
export function tasksOf({ tasks }: { tasks?: readonly unknown[] | null | undefined }): ClaimedTask[] {
  return (tasks ?? []).flatMap((raw) => {
    const parsed = schemas.parseClaimedTask(raw);
    if (parsed === undefined) log.error("claimed task has no id; the server hands it out again later");
    return parsed === undefined ? [] : [parsed];
  });
}

function runtime(id: string): string {
  return `/api/daemon/runtimes/${segment(id)}`;
}

function task(id: string): string {
  return `/api/daemon/tasks/${segment(id)}`;
}
