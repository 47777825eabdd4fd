/** The claim: redelivery, queue order, per-agent limits, serialisation, isolation, token (spec 01 §4.9, 11.2). */
import { canAccess, findRuntime } from "./access.ts";
import { findAgent } from "./agents.ts";
import { claimedTask, hasWorktreeResource } from "./claimed_task.ts";
import type { Store } from "./store.ts";
import { LEASE_MS, setStatus } from "./tasks.ts";
import { cancelTask, failTask } from "./terminal.ts";
import { mintTaskToken } from "./tokens.ts";
import { type Principal, Refusal, type RuntimeDb, type TaskDb } from "./types.ts";

/** A dispatched task older than this, without a live lease, is handed out again. */
export const REDELIVER_MS = 90_000;
/** Later servers hand out nothing to a runtime silent for longer. */
const CLAIM_SILENCE_MS = 150_000;
/** Most tasks of one batch claim. */
const BATCH_CAP = 32;
/** Pause before a task whose claim failed is offered again (later era). */
const REQUEUE_PAUSE_MS = 5_000;

/** What a claim came to; `refused` also means that the server has already acted on the task. */
export type ClaimOutcome =
  | { readonly kind: "none" }
  | { readonly kind: "task"; readonly task: Record<string, unknown> }
  | { readonly kind: "refused"; readonly status: number; readonly error: string };

/** Claims at most one task for a runtime. Must run in a transaction. */
export function claim(store: Store, runtime: RuntimeDb, capabilities: readonly string[]): ClaimOutcome {
  if (store.later && !ready(store, runtime)) return { kind: "none" };
  const old = redeliverable(store, runtime);
  for (let task = old ?? nextQueued(store, runtime); task !== undefined; task = nextQueued(store, runtime)) {
    if (hasWorktreeResource(store, task) && !capabilities.includes("local-worktree-v1")) {
      failTask(store, task, { error: "host does not support worktrees", reason: "local_directory_error" });
      continue;
    }
    return dispatch(store, runtime, task, capabilities);
  }
  return { kind: "none" };
}

/** Machine-wide claim: round robin over the runtimes until `max_tasks`, partial success returned. */
export function claimBatch(
  store: Store,
  who: Principal,
  body: { readonly daemon_id: string; readonly runtime_ids: readonly string[]; readonly max_tasks: number },
  capabilities: readonly string[],
): { tasks: Record<string, unknown>[] } {
  if (body.daemon_id.trim() === "") throw new Refusal(400, "daemon_id is required");
  if (body.max_tasks < 0) throw new Refusal(400, "max_tasks must not be negative");
  if (who.kind === "daemon" && who.daemonId !== body.daemon_id) {
    throw new Refusal(403, "daemon_id does not match token");
  }
  const tasks: Record<string, unknown>[] = [];
  const limit = Math.min(body.max_tasks, BATCH_CAP);
  let open = claimable(store, who, body);
  while (open.length > 0 && tasks.length < limit) {
    const again: RuntimeDb[] = [];
    for (const runtime of open) {
      if (tasks.length >= limit) break;
      const outcome = claim(store, runtime, capabilities);
      if (outcome.kind === "task") {
        tasks.push(outcome.task);
        again.push(runtime);
      }
    }
    open = again;
  }
  return { tasks };
}

function claimable(
  store: Store,
  who: Principal,
  body: { readonly daemon_id: string; readonly runtime_ids: readonly string[] },
): RuntimeDb[] {
  return [...new Set(body.runtime_ids.map((id) => id.toLowerCase()))]
    .map((id) => findRuntime(store, id))
    .filter((runtime) =>
      runtime !== undefined && canAccess(store, who, runtime.workspace_id) &&
      (runtime.daemon_id === null || runtime.daemon_id === body.daemon_id)
    ) as RuntimeDb[];
}

function ready(store: Store, runtime: RuntimeDb): boolean {
  return runtime.status === "online" && store.now() - (runtime.last_seen_at ?? 0) <= CLAIM_SILENCE_MS;
}

function redeliverable(store: Store, runtime: RuntimeDb): TaskDb | undefined {
  const now = store.now();
  return store.db.get<TaskDb>(
    `SELECT * FROM tasks WHERE runtime_id = ? AND status = 'dispatched' AND started_at IS NULL AND dispatched_at < ?
       AND (lease_until IS NULL OR lease_until < ?) ORDER BY dispatched_at LIMIT 1`,
    runtime.id,
    now - REDELIVER_MS,
    now,
  );
}

/** The first queued task that no limit holds back. */
function nextQueued(store: Store, runtime: RuntimeDb): TaskDb | undefined {
  const full = new Map<string, boolean>();
  for (const limit of [1, 8, 100_000]) {
    const rows = store.db.all<TaskDb>(
      `SELECT * FROM tasks WHERE runtime_id = ? AND status = 'queued' AND (run_after IS NULL OR run_after <= ?)
       ORDER BY priority DESC, created_at, rowid LIMIT ?`,
      runtime.id,
      store.now(),
      limit,
    );
    const found = rows.find((task) => !agentFull(store, task.agent_id, full) && !serialised(store, task));
    if (found !== undefined || rows.length < limit) return found;
  }
  return undefined;
}

const ACTIVE = "status IN ('dispatched', 'running', 'waiting_local_directory')";

function agentFull(store: Store, agentId: string, known: Map<string, boolean>): boolean {
  const seen = known.get(agentId);
  if (seen !== undefined) return seen;
  const limit = findAgent(store, agentId)?.max_concurrent_tasks ?? 0;
  const row = store.db.get<{ n: number }>(
    `SELECT COUNT(*) AS n FROM tasks WHERE agent_id = ? AND ${ACTIVE}`,
    agentId,
  );
  const full = (row?.n ?? 0) >= limit;
  known.set(agentId, full);
  return full;
}

/** One active task per (agent, issue), (agent, chat session), and one quick-create per agent. */
function serialised(store: Store, task: TaskDb): boolean {
  const { db } = store;
  if (task.issue_id !== null) {
    const sql = `SELECT 1 FROM tasks WHERE agent_id = ? AND issue_id = ? AND ${ACTIVE} LIMIT 1`;
    return db.get(sql, task.agent_id, task.issue_id) !== undefined;
  }
  if (task.chat_session_id !== null) {
    const sql = `SELECT 1 FROM tasks WHERE agent_id = ? AND chat_session_id = ? AND ${ACTIVE} LIMIT 1`;
    return db.get(sql, task.agent_id, task.chat_session_id) !== undefined;
  }
  if (task.quick_create === null) return false;
  const sql = `SELECT 1 FROM tasks WHERE agent_id = ? AND quick_create IS NOT NULL AND ${ACTIVE} LIMIT 1`;
  return db.get(sql, task.agent_id) !== undefined;
}

function dispatch(
  store: Store,
  runtime: RuntimeDb,
  task: TaskDb,
  capabilities: readonly string[],
): ClaimOutcome {
  const now = store.now();
  const row = setStatus(store, task, "dispatched", { dispatched_at: now, lease_until: now + LEASE_MS });
  const refusal = row.workspace_id !== runtime.workspace_id
    ? "task workspace isolation check failed"
    : runtime.owner_id === null
    ? "runtime owner required to mint task token"
    : undefined;
  if (refusal !== undefined || runtime.owner_id === null) {
    giveBack(store, row);
    return { kind: "refused", status: 500, error: refusal ?? "" };
  }
  const token = mintTaskToken(store, row, runtime.owner_id);
  const payload = claimedTask(store, row, runtime, { token, capabilities });
  return { kind: "task", task: store.editClaim?.(payload) ?? payload };
}

/** Baseline cancels a task it may not hand out; later servers queue it again. */
function giveBack(store: Store, task: TaskDb): void {
  if (!store.later) cancelTask(store, task, "claim refused");
  else {
    setStatus(store, task, "queued", {
      dispatched_at: null,
      lease_until: null,
      run_after: store.now() + REQUEUE_PAUSE_MS,
    });
  }
}
