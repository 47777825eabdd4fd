/** Is this a process group as the engine may announce it? Plain code: needed before any call of the engine is read. */
import type { ProcessGroup } from "../core/mod.ts";

/**
 * `NAME=value` with a UUID in the value. A marker that many processes share (`HOME=/root`) would turn *end this
 * tree* into *end everything of this user*.
 */
export const MARKER =
  /^MULTICA_[A-Z0-9_]{1,64}=[\x21-\x7e]{0,64}[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}[\x21-\x7e]{0,64}$/i;
export const MARKER_FORM = "a marker is MULTICA_NAME=value with a UUID in the value";

/** The group, or why it is refused. */
export function checkGroup(
  value: unknown,
): { readonly group: ProcessGroup; readonly refused?: never } | {
  readonly group?: never;
  readonly refused: string;
} {
  const { pid, marker } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 2) {
    return { refused: "a process id is a whole number from 2" };
  }
  if (typeof marker !== "string" || !MARKER.test(marker)) return { refused: MARKER_FORM };
  return { group: { pid, marker } };
}
