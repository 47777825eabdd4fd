/** The server's sweeper: silent runtimes, stale tasks, expired queue entries (spec 01 §6.2, 11.11). One call is one tick. */
import type { Store } from "./store.ts";
import { failTask } from "./terminal.ts";
import { deleteRuntime } from "./runtimes.ts";
import type { RuntimeDb, TaskDb } from "./types.ts";

/** Period of the ticks. */
export const SWEEP_MS = 30_000;

const SILENCE_MS = 150_000;
const GRACE_LATER_MS = 3 * 3_600_000;
const DISPATCH_MS = 300_000;
const RUNNING_MS = 9_000_000;
const QUEUED_MS = 2 * 3_600_000;
const FORGOTTEN_MS = 7 * 86_400_000;
const EXPIRE_CAP = 500;

/** Runs one tick in a transaction. */
export function sweep(store: Store): void {
  store.db.tx(() => {
    const silent = markSilent(store);
    if (store.later) failLost(store, GRACE_LATER_MS, "runtime_reconnect_timeout");
    else if (silent > 0) failLost(store, 0, "runtime_offline");
    failStale(store);
    expireQueued(store);
    forgetRuntimes(store);
  });
}

function markSilent(store: Store): number {
  const rows = store.db.all<RuntimeDb>(
    "SELECT * FROM runtimes WHERE status = 'online' AND last_seen_at < ?",
    store.now() - SILENCE_MS,
  );
  for (const row of rows) {
    store.db.run("UPDATE runtimes SET status = 'offline' WHERE id = ?", row.id);
    store.emit({ type: "runtime", runtimeId: row.id, to: "offline", at: store.now() });
  }
  return rows.length;
}

/** Tasks of offline runtimes: all at once at baseline, after the reconnect grace later. */
function failLost(store: Store, graceMs: number, reason: string): void {
  const rows = store.db.all<TaskDb>(
    `SELECT t.* FROM tasks t JOIN runtimes r ON r.id = t.runtime_id WHERE r.status = 'offline' AND r.last_seen_at <= ?
       AND t.status IN ('dispatched', 'running', 'waiting_local_directory')`,
    store.now() - graceMs,
  );
  for (const task of rows) failTask(store, task, { error: "runtime went offline", reason });
}

function failStale(store: Store): void {
  const now = store.now();
  const dispatched = store.db.all<TaskDb>(
    "SELECT * FROM tasks WHERE status = 'dispatched' AND dispatched_at < ? AND (lease_until IS NULL OR lease_until < ?)",
    now - DISPATCH_MS,
    now,
  );
  const running = store.db.all<TaskDb>(
    "SELECT * FROM tasks WHERE status = 'running' AND started_at < ?",
    now - RUNNING_MS,
  );
  for (const task of dispatched) failTask(store, task, { error: "task timed out", reason: "timeout" });
  for (const task of running) {
    if (store.later && isAlive(store, task)) continue;
    failTask(store, task, {
      error: "task timed out",
      reason: store.later ? "runtime_cli_timeout" : "timeout",
    });
  }
}

function isAlive(store: Store, task: TaskDb): boolean {
  return store.db.get("SELECT 1 FROM runtimes WHERE id = ? AND status = 'online'", task.runtime_id) !==
    undefined;
}

function expireQueued(store: Store): void {
  const rows = store.db.all<TaskDb>(
    "SELECT * FROM tasks WHERE status = 'queued' AND runtime_id IS NOT NULL AND created_at < ? LIMIT ?",
    store.now() - QUEUED_MS,
    EXPIRE_CAP,
  );
  for (const task of rows) {
    failTask(store, task, { error: "task expired in queue", reason: "queued_expired" });
  }
}

function forgetRuntimes(store: Store): void {
  const rows = store.db.all<{ id: string }>(
    `SELECT id FROM runtimes WHERE status = 'offline' AND last_seen_at < ?
       AND NOT EXISTS (SELECT 1 FROM agents WHERE runtime_id = runtimes.id)`,
    store.now() - FORGOTTEN_MS,
  );
  for (const row of rows) deleteRuntime(store, row.id);
}
