/** The daemon endpoints of one task's life, and the collector's checks (spec 01 §4.12–4.21, 11.5, 11.10). */
import { canAccess, findRuntime, requireAccess, requireTask, requireUuid } from "./access.ts";
import {
  CancelAckBody,
  CompleteBody,
  FailBody,
  IssueChecksBody,
  jsonOf,
  parseBody,
  ProgressBody,
  ReasonBody,
  SessionBody,
  UsageBody,
} from "./requests.ts";
import { type Call, OK, ok, type Reply, type Router } from "./router.ts";
import { rfc3339, type Store } from "./store.ts";
import { LATER } from "./routes_daemon.ts";
import { pinSession, startTask, taskJson, waitLocalDirectory } from "./tasks.ts";
import { completeTask, failByHost } from "./terminal.ts";
import { addMessages, messageList, readMessages, setUsage } from "./transcript.ts";
import { Refusal, type TaskDb } from "./types.ts";

/** A completion time that does not exist (spec 01 §4.21). */
const ZERO_TIME = "0001-01-01T00:00:00Z";
const ISSUE_CHECK_CAP = 500;

/** Adds the routes. */
export function taskRoutes(router: Router, store: Store): void {
  const on: AddRoute = (name, handle) =>
    router.add(
      `POST /api/daemon/tasks/:id/${name}`,
      "D",
      (call) => handle(call, requireTask(store, call.who, call.params[0]!)),
    );
  stateRoutes(on, store);
  reportRoutes(on, store);
  router.add("POST /api/daemon/tasks/:id/cancel-ack", "D", (call) => cancelAck(store, call), LATER);
  router.add("POST /api/daemon/tasks/:id/messages", "D", (call) => storeMessages(store, call));
  router.add("GET /api/daemon/tasks/:id/messages", "D", (call) => {
    const task = requireTask(store, call.who, call.params[0]!);
    return ok(readMessages(store, task, sinceOf(call)));
  });
  router.add(
    "GET /api/daemon/tasks/:id/status",
    "D",
    (call) => ok({ status: requireTask(store, call.who, call.params[0]!).status }),
  );
  checkRoutes(router, store);
}

type AddRoute = (name: string, handle: (call: Call, task: TaskDb) => Reply) => void;

/** What moves a task from state to state. */
function stateRoutes(on: AddRoute, store: Store): void {
  on("wait-local-directory", (call, task) => {
    const { reason } = parseBody(ReasonBody, call.body);
    return ok(taskJson(waitLocalDirectory(store, task, reason)));
  });
  on("start", (_call, task) => ok(taskJson(startTask(store, task))));
  on("complete", (call, task) => {
    refuseNul(store, call.body);
    return ok(taskJson(completeTask(store, task, parseBody(CompleteBody, strip(store, call.body)))));
  });
  on("fail", (call, task) => {
    refuseNul(store, call.body);
    return ok(taskJson(failByHost(store, task, parseBody(FailBody, strip(store, call.body)))));
  });
}

/** What a host says about a run beside its state. */
function reportRoutes(on: AddRoute, store: Store): void {
  on("progress", (call, task) => {
    const { summary } = parseBody(ProgressBody, call.body);
    store.emit({ type: "progress", taskId: task.id, summary, at: store.now() });
    return OK;
  });
  on("session", (call, task) => {
    const body = parseBody(SessionBody, call.body);
    if (body.session_id === "" && body.work_dir === "") {
      throw new Refusal(400, "session_id or work_dir required");
    }
    pinSession(store, task, body.session_id, body.work_dir);
    return { status: 204 };
  });
  on("usage", (call, task) => {
    const provider = task.runtime_id === null ? "" : findRuntime(store, task.runtime_id)?.provider ?? "";
    setUsage(store, task, parseBody(UsageBody, call.body), provider);
    return OK;
  });
}

/** `since` of a messages read. */
export function sinceOf(call: Call): number {
  const text = new URLSearchParams(call.search).get("since") ?? "";
  if (text === "") return 0;
  if (!/^-?\d+$/.test(text)) throw new Refusal(400, "invalid since parameter");
  return Number(text);
}

/** Row by row at baseline, so a failure leaves the rows before it; one statement later (spec 01 §11.6). */
function storeMessages(store: Store, call: Call): Reply {
  const list = messageList(jsonOf(call.body));
  if (list.length === 0) return OK;
  const task = requireTask(store, call.who, call.params[0]!);
  if (call.partial !== undefined) {
    addMessages(store, task, list.slice(0, call.partial));
    return { status: 500, json: { error: "failed to persist task message" } };
  }
  if (store.later) {
    addMessages(store, task, list);
    return OK;
  }
  try {
    if (call.body.includes("\\u0000")) { for (const one of list) addMessages(store, task, [one]); }
    else addMessages(store, task, list);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, json: { error: error.message } };
  }
  return OK;
}

function cancelAck(store: Store, call: Call): Reply {
  const task = requireTask(store, call.who, call.params[0]!);
  const body = parseBody(CancelAckBody, call.body);
  if (task.status === "cancelled" && task.cancel_acked_at === null) {
    store.db.run(
      "UPDATE tasks SET cancel_acked_at = ?, branch_name = COALESCE(?, branch_name) WHERE id = ?",
      store.now(),
      body.branch_name || null,
      task.id,
    );
  }
  return OK;
}

/** At baseline PostgreSQL's refusal of NUL comes back as 400; later servers strip it. */
function refuseNul(store: Store, body: string): void {
  if (!store.later && body.includes("\\u0000")) {
    throw new Refusal(400, "unsupported Unicode escape sequence (SQLSTATE 22P05)");
  }
}

function strip(store: Store, body: string): string {
  return store.later && body.includes("\\u0000") ? body.replaceAll("\\u0000", "") : body;
}

function checkRoutes(router: Router, store: Store): void {
  const check = (
    path: string,
    table: string,
    texts: { id: string; gone: string },
    pick: (row: Checked) => unknown,
  ) =>
    router.add(`GET /api/daemon/${path}/:id/gc-check`, "D", (call) => {
      const row = store.db.get<Checked>(
        `SELECT * FROM ${table} WHERE id = ?`,
        requireUuid(call.params[0]!, texts.id),
      );
      if (row === undefined) throw new Refusal(404, texts.gone);
      requireAccess(store, call.who, row.workspace_id);
      return ok(pick(row));
    });
  const updated = (row: Checked) => ({ status: row.status, updated_at: rfc3339(row.updated_at ?? null) });
  const completed = (row: Checked) => ({
    status: row.status,
    completed_at: rfc3339(row.completed_at ?? null) ?? ZERO_TIME,
  });
  check("issues", "issues", { id: "issue_id", gone: "issue not found" }, updated);
  check("chat-sessions", "chat_sessions", { id: "session_id", gone: "chat session not found" }, updated);
  check("autopilot-runs", "autopilot_runs", { id: "run_id", gone: "autopilot run not found" }, completed);
  check("tasks", "tasks", { id: "task_id", gone: "task not found" }, completed);
  router.add(
    "POST /api/daemon/workspaces/:id/issues/gc-check",
    "D",
    (call) => batchCheck(store, call),
    LATER,
  );
}

interface Checked {
  readonly id: string;
  readonly workspace_id: string;
  readonly status: string;
  readonly updated_at?: number | null;
  readonly completed_at?: number | null;
}

function batchCheck(store: Store, call: Call): Reply {
  const workspaceId = requireUuid(call.params[0]!, "workspace_id");
  if (!canAccess(store, call.who, workspaceId)) throw new Refusal(404, "not found");
  const { issue_ids } = parseBody(IssueChecksBody, call.body);
  if (issue_ids.length > ISSUE_CHECK_CAP) throw new Refusal(400, "too many issue_ids");
  return ok({
    issues: issue_ids.map((id) => {
      const row = store.db.get<Checked>(
        "SELECT * FROM issues WHERE id = ? AND workspace_id = ?",
        id,
        workspaceId,
      );
      if (row === undefined) return { id, found: false };
      return { id, found: true, status: row.status, updated_at: rfc3339(row.updated_at ?? null) };
    }),
  });
}
