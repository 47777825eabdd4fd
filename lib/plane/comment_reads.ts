/** `GET /api/issues/{id}/comments` with the selections agents use (spec 05 §21.2); folding of resolved threads is left out. */
import { commentJson, listComments } from "./issues.ts";
import type { Store } from "./store.ts";
import { type CommentDb, Refusal } from "./types.ts";

/** Most comments in one answer. */
const CAP = 2_000;
/** Code points of a body in a summary. */
const SUMMARY = 200;

/** The comments an issue read asks for, oldest first, in wire form. */
export function readComments(store: Store, issueId: string, search: string): Record<string, unknown>[] {
  const query = new URLSearchParams(search);
  const all = listComments(store, issueId);
  const since = sinceOf(query);
  const thread = query.get("thread");
  if (query.get("roots_only") === "true") return clip(query, rootsOf(all, since));
  const chosen = thread !== null
    ? threadOf(all, thread, tailOf(query))
    : query.has("recent")
    ? recentOf(all, countOf(query, "recent"))
    : all;
  const keepsRoot = thread !== null && query.has("tail");
  const rows = chosen.filter((row) => row.created_at > since || keepsRoot && row.parent_id === null);
  return clip(query, rows.slice(0, CAP).map((row) => commentJson(row)));
}

function sinceOf(query: URLSearchParams): number {
  const text = query.get("since");
  if (text === null || text === "") return -Infinity;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Refusal(400, "invalid since parameter");
  return ms;
}

function countOf(query: URLSearchParams, name: string): number {
  const value = Number(query.get(name));
  if (!Number.isInteger(value) || value < 0) throw new Refusal(400, `invalid ${name} parameter`);
  return value;
}

function tailOf(query: URLSearchParams): number | undefined {
  return query.has("tail") ? countOf(query, "tail") : undefined;
}

/** Each comment's root: parents are direct, threads may be deep. */
function roots(all: readonly CommentDb[]): Map<string, string> {
  const parents = new Map(all.map((row) => [row.id, row.parent_id]));
  const root = (id: string): string => {
    const parent = parents.get(id);
    return parent === null || parent === undefined ? id : root(parent);
  };
  return new Map(all.map((row) => [row.id, root(row.id)]));
}

function threadOf(all: readonly CommentDb[], anchor: string, tail: number | undefined): CommentDb[] {
  const byId = roots(all);
  const root = byId.get(anchor);
  if (root === undefined) throw new Refusal(404, "comment not found");
  const rows = all.filter((row) => byId.get(row.id) === root);
  if (tail === undefined) return rows;
  const replies = rows.filter((row) => row.id !== root);
  return [...rows.filter((row) => row.id === root), ...replies.slice(Math.max(0, replies.length - tail))];
}

/** The N most recently active threads, the least recent first, each complete. */
function recentOf(all: readonly CommentDb[], count: number): CommentDb[] {
  const byId = roots(all);
  const last = new Map<string, number>();
  all.forEach((row, at) => last.set(byId.get(row.id) ?? row.id, at));
  const order = [...last].sort(([, a], [, b]) => a - b).map(([root]) => root).slice(-count);
  return order.flatMap((root) => all.filter((row) => byId.get(row.id) === root));
}

function rootsOf(all: readonly CommentDb[], since: number): Record<string, unknown>[] {
  const byId = roots(all);
  return all.filter((row) => row.parent_id === null && row.created_at > since).map((row) => {
    const replies = all.filter((one) => one.id !== row.id && byId.get(one.id) === row.id);
    const last = replies.at(-1)?.created_at ?? row.created_at;
    return {
      ...commentJson(row),
      reply_count: replies.length,
      last_activity_at: new Date(last).toISOString(),
    };
  });
}

function clip(query: URLSearchParams, rows: Record<string, unknown>[]): Record<string, unknown>[] {
  if (query.get("summary") !== "true") return rows;
  return rows.map((row) => {
    const points = [...String(row.content)];
    if (points.length <= SUMMARY) return row;
    return { ...row, content: `${points.slice(0, SUMMARY).join("")}…`, content_truncated: true };
  });
}
