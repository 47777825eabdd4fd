/** Asynchronous requests to a host: queued by users, popped by heartbeats, answered by reports (spec 01 §4.22). */
import { fromJson, type Store } from "./store.ts";
import { Refusal } from "./types.ts";

/** What a host can be asked for. */
export type ActionKind = "update" | "models" | "local-skills" | "local-skills/import";

/** A request with its outcome. */
export interface ActionView {
  readonly id: string;
  readonly runtime_id: string;
  readonly kind: ActionKind;
  /** `pending`, `running`, `completed`, `failed`, `timeout`. */
  readonly status: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>> | null;
}

interface ActionDb {
  readonly id: string;
  readonly runtime_id: string;
  readonly kind: ActionKind;
  readonly status: string;
  readonly payload: string;
  readonly result: string | null;
  readonly created_at: number;
  readonly started_at: number | null;
}

/** Most imports in one heartbeat answer. */
const IMPORT_CAP = 10;

/** Time limits of the requester: pending, running. */
const LIMITS: Readonly<Record<ActionKind, readonly [number, number]>> = {
  "update": [120_000, 150_000],
  "models": [30_000, 60_000],
  "local-skills": [180_000, 60_000],
  "local-skills/import": [180_000, 60_000],
};

/** Queues a request; later servers hint at once. Returns its id. */
export function requestAction(
  store: Store,
  runtimeId: string,
  kind: ActionKind,
  payload: Readonly<Record<string, unknown>> = {},
): string {
  const id = store.newId();
  store.db.run(
    "INSERT INTO actions (id, runtime_id, kind, status, payload, created_at) VALUES (?, ?, ?, 'pending', ?, ?)",
    id,
    runtimeId,
    kind,
    JSON.stringify(payload),
    store.now(),
  );
  store.emit({ type: "action", requestId: id, status: "pending", at: store.now() });
  if (store.later) {
    store.hint({ type: "pending_work", runtimeId, kind: kind === "models" ? "model_list" : kind });
  }
  return id;
}

/** A request by id, timed out if its requester has given up. */
export function action(store: Store, id: string): ActionView | undefined {
  const row = store.db.get<ActionDb>("SELECT * FROM actions WHERE id = ?", id);
  if (row === undefined) return undefined;
  return {
    id: row.id,
    runtime_id: row.runtime_id,
    kind: row.kind,
    status: expired(store, row) ? "timeout" : row.status,
    payload: fromJson(row.payload, {}),
    result: fromJson(row.result, null),
  };
}

/** Pops what waits for a runtime into the fields of a heartbeat answer; what is popped is not delivered twice. */
export function popActions(store: Store, runtimeId: string, batchImport: boolean): Record<string, unknown> {
  const rows = store.db.all<ActionDb>(
    "SELECT * FROM actions WHERE runtime_id = ? AND status = 'pending' ORDER BY created_at, rowid",
    runtimeId,
  ).filter((row) => !expired(store, row));
  if (rows.length === 0) return {};
  const first = (kind: ActionKind) => rows.find((row) => row.kind === kind);
  const imports = rows.filter((row) => row.kind === "local-skills/import").slice(
    0,
    batchImport ? IMPORT_CAP : 1,
  );
  const [update, models, skills] = [first("update"), first("models"), first("local-skills")];
  for (const row of [update, models, skills, ...imports]) {
    if (row === undefined) continue;
    store.db.run("UPDATE actions SET status = 'running', started_at = ? WHERE id = ?", store.now(), row.id);
    store.emit({ type: "action", requestId: row.id, status: "running", at: store.now() });
  }
  const items = imports.map((row) => ({ id: row.id, ...fromJson<Record<string, unknown>>(row.payload, {}) }));
  return {
    ...(update === undefined ? {} : { pending_update: { id: update.id, ...fromJson(update.payload, {}) } }),
    ...(models === undefined ? {} : { pending_model_list: { id: models.id } }),
    ...(skills === undefined ? {} : { pending_local_skills: { id: skills.id } }),
    ...(items.length === 0 ? {} : { pending_local_skill_import: items[0] }),
    ...(items.length === 0 || !batchImport ? {} : { pending_local_skill_imports: items }),
  };
}

/** A report; one for a request already ended is accepted and ignored. */
export function reportAction(
  store: Store,
  runtimeId: string,
  spec: { readonly id: string; readonly kind: ActionKind; readonly body: Readonly<Record<string, unknown>> },
): void {
  const row = store.db.get<ActionDb>("SELECT * FROM actions WHERE id = ?", spec.id);
  if (row === undefined || row.runtime_id !== runtimeId || row.kind !== spec.kind || expired(store, row)) {
    throw new Refusal(404, spec.kind === "update" ? "update not found" : "request not found");
  }
  if (row.status === "completed" || row.status === "failed") return;
  const allowed = spec.kind === "update" ? ["running", "completed", "failed"] : ["completed", "failed"];
  const status = String(spec.body.status ?? "");
  if (!allowed.includes(status)) throw new Refusal(400, `invalid status: ${status}`);
  const empty = spec.kind === "local-skills/import" && status === "completed" &&
    (spec.body.skill ?? null) === null;
  const final = empty ? "failed" : status;
  const result = empty ? { status: final, error: "daemon returned an empty skill bundle" } : spec.body;
  store.db.run(
    "UPDATE actions SET status = ?, result = ?, ended_at = ? WHERE id = ?",
    final,
    JSON.stringify(result),
    final === "running" ? null : store.now(),
    row.id,
  );
  store.emit({ type: "action", requestId: row.id, status: final, at: store.now() });
}

function expired(store: Store, row: ActionDb): boolean {
  const [pending, running] = LIMITS[row.kind];
  if (row.status === "pending") return store.now() - row.created_at > pending;
  return row.status === "running" && store.now() - (row.started_at ?? 0) > running;
}
