/** What a Codex patch shows in the transcript: its changes, bounded, and its result (spec 06 §11.9, patch tables). */
import { cutUtf8, utf8Length } from "../core/mod.ts";
import { isObject, type Json, list, obj, str } from "./stream_json.ts";

/** Most bytes of diffs and contents kept per patch. */
export const PATCH_MAX_BYTES = 64 * 1024;

/** Hides secrets in a text. */
export type Redact = (text: string) => string;

interface Change {
  readonly path: string;
  readonly kind: string;
  readonly movePath: string;
  readonly body: string;
}

/**
 * Tool input of a patch, or undefined when `changes` has no usable shape. Raw changes are an array, legacy ones a
 * map (sorted by path). Redaction runs before the cut.
 */
export function patchInput(changes: unknown, redact: Redact = (text) => text): Json | undefined {
  const read = Array.isArray(changes) ? changes.map(rawChange) : legacyChanges(changes);
  if (read === undefined || read.some((change) => change === undefined)) return undefined;
  return bounded(read as Change[], redact);
}

function rawChange(value: unknown): Change | undefined {
  if (!isObject(value) || str(value.path) === "") return undefined;
  const kind = obj(value.kind);
  const name = str(kind.type) || str(value.kind);
  return {
    path: str(value.path),
    kind: name,
    movePath: str(kind.move_path),
    body: body(name, str(value.diff)),
  };
}

function legacyChanges(changes: unknown): (Change | undefined)[] | undefined {
  if (!isObject(changes)) return undefined;
  return Object.keys(changes).sort().map((path) => {
    const entry = obj(changes[path]);
    const named = ["add", "delete", "update"].find((kind) => isObject(entry[kind]));
    const change = named === undefined ? entry : obj(entry[named]);
    const kind = named ?? str(entry.type);
    if (kind === "") return undefined;
    const text = kind === "update" ? body(kind, str(change.unified_diff)) : str(change.content);
    return { path, kind, movePath: str(change.move_path), body: text };
  });
}

/** A rename notice at the end of an update's diff says what `move_path` says already. */
function body(kind: string, diff: string): string {
  return kind === "update" ? diff.replace(/\n\nMoved to: [^\n]*\n?$/, "") : diff;
}

function bounded(changes: readonly Change[], redact: Redact): Json {
  let room = PATCH_MAX_BYTES;
  let original = 0;
  let cut = false;
  const shown = changes.map((change) => {
    const text = redact(change.body);
    const bytes = utf8Length(text);
    original += bytes;
    const kept = bytes <= room ? text : cutUtf8(text, room);
    room -= utf8Length(kept);
    const truncated = kept.length < text.length;
    cut ||= truncated;
    return {
      path: change.path,
      kind: change.kind,
      [change.kind === "update" ? "diff" : "content"]: kept,
      ...(change.movePath === "" ? {} : { move_path: change.movePath }),
      ...(truncated ? { truncated: true } : {}),
    };
  });
  return { changes: shown, ...(cut ? { truncated: true, original_bytes: original } : {}) };
}

/** `completed (2 files)`, then stdout and stderr where the event has them. */
export function patchResult(item: Json): string {
  const files = Array.isArray(item.changes) ? item.changes.length : Object.keys(obj(item.changes)).length;
  const counted = files === 1 ? "1 file" : `${files} files`;
  const status = statusOf(item);
  const headline = status === "" ? `${counted} changed` : `${status} (${counted})`;
  return [headline, str(item.stdout).trimEnd(), str(item.stderr).trimEnd()].filter((part) => part !== "")
    .join("\n");
}

function statusOf(item: Json): string {
  const status = str(item.status);
  if (status !== "") return status === "inProgress" ? "in_progress" : status;
  return typeof item.success === "boolean" ? (item.success ? "completed" : "failed") : "";
}

/** True when a value is a list or map of changes with at least one entry. */
export function hasChanges(changes: unknown): boolean {
  return list(changes).length > 0 || isObject(changes) && Object.keys(changes).length > 0;
}
