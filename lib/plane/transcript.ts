/** Messages and usage of a task (spec 01 §4.15, 4.17). The transcript is the plane's hottest path. */
import { redact } from "./redact.ts";
import { rfc3339, type Store } from "./store.ts";
import type { UsageBody } from "./requests.ts";
import { type MessageView, Refusal, type TaskDb, type UsageView } from "./types.ts";

interface Incoming {
  readonly seq?: unknown;
  readonly type?: unknown;
  readonly tool?: unknown;
  readonly content?: unknown;
  readonly input?: unknown;
  readonly output?: unknown;
}

const INSERT =
  "INSERT INTO messages (task_id, seq, type, tool, content, input, output, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/** The list of a messages body, or 400. */
export function messageList(body: unknown): readonly Incoming[] {
  const list = (body as { messages?: unknown } | null)?.messages ?? [];
  if (!Array.isArray(list)) throw new Refusal(400, "invalid request body");
  for (const one of list) {
    if (typeof one !== "object" || one === null) throw new Refusal(400, "invalid request body");
  }
  return list as Incoming[];
}

/** Stores rows in the given order; nothing is unique here. */
export function addMessages(store: Store, task: TaskDb, list: readonly Incoming[]): void {
  const now = store.now();
  for (const one of list) {
    store.db.run(
      INSERT,
      task.id,
      typeof one.seq === "number" ? Math.trunc(one.seq) : 0,
      text(one.type) ?? "",
      text(one.tool),
      clean(store, one.content),
      inputOf(store, one.input),
      clean(store, one.output),
      now,
    );
  }
  store.emit({ type: "messages", taskId: task.id, count: list.length, at: now });
}

/** Rows with `seq` above `since`, in order. */
export function readMessages(store: Store, task: TaskDb, since = 0): MessageView[] {
  const rows = store.db.all<MessageDb>(
    "SELECT * FROM messages WHERE task_id = ? AND seq > ? ORDER BY seq, rowid",
    task.id,
    since,
  );
  return rows.map((row) => ({
    task_id: row.task_id,
    ...(task.issue_id === null ? {} : { issue_id: task.issue_id }),
    seq: row.seq,
    type: row.type,
    ...(row.tool === null ? {} : { tool: row.tool }),
    ...(row.content === null ? {} : { content: row.content }),
    ...(row.input === null ? {} : { input: JSON.parse(row.input) }),
    ...(row.output === null ? {} : { output: row.output }),
    created_at: rfc3339(row.created_at) ?? "",
  }));
}

/** Replaces the totals per (task, provider, model). */
export function setUsage(store: Store, task: TaskDb, body: UsageBody, runtimeProvider: string): void {
  for (const row of body.usage) {
    store.db.run(
      `INSERT OR REPLACE INTO usage (task_id, provider, model, input_tokens, output_tokens, cache_read_tokens,
         cache_write_tokens, cost_usd_ticks) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      task.id,
      row.provider.trim().toLowerCase() || runtimeProvider,
      row.model,
      row.input_tokens,
      row.output_tokens,
      row.cache_read_tokens,
      row.cache_write_tokens,
      row.cost_usd_ticks,
    );
  }
  store.emit({ type: "usage", taskId: task.id, at: store.now() });
}

/** The usage rows of a task. */
export function readUsage(store: Store, taskId: string): UsageView[] {
  return store.db.all<UsageView>(
    `SELECT provider, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd_ticks
     FROM usage WHERE task_id = ? ORDER BY provider, model`,
    taskId,
  );
}

interface MessageDb {
  readonly task_id: string;
  readonly seq: number;
  readonly type: string;
  readonly tool: string | null;
  readonly content: string | null;
  readonly input: string | null;
  readonly output: string | null;
  readonly created_at: number;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** PostgreSQL takes no NUL: the baseline fails on it, later servers strip it (spec 01 §1.3, 11.5). */
function clean(store: Store, value: unknown): string | null {
  const found = text(value);
  if (found === null) return null;
  if (!found.includes("\0")) return redact(found);
  if (!store.later) throw new Refusal(500, "failed to persist task message");
  return redact(found.replaceAll("\0", ""));
}

function inputOf(store: Store, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object" || Array.isArray(value)) throw new Refusal(400, "invalid request body");
  const masked = Object.entries(value).map((
    [key, one],
  ) => [key, typeof one === "string" ? redact(one) : one]);
  const json = JSON.stringify(Object.fromEntries(masked));
  if (!json.includes("\\u0000")) return json;
  if (!store.later) throw new Refusal(500, "failed to persist task message");
  return json.replaceAll("\\u0000", "");
}
