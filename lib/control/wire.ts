/** Bodies and paths as they go onto the wire: NUL-free JSON, checked ids (spec 01 §1.1, 1.3). */
import { HostError, wireText } from "../core/mod.ts";

/** JSON of `value` without NUL and without lone surrogates. */
export function encodeBody(value: unknown): string {
  const json = JSON.stringify(value);
  return isCleanJson(json) ? json : JSON.stringify(cleaned(value));
}

/** An already encoded JSON text, cleaned the same way. */
export function cleanJson(json: string): string {
  return isCleanJson(json) ? json : JSON.stringify(cleaned(JSON.parse(json)));
}

/** JSON can hold NUL and lone surrogates only as escapes; a false alarm costs one more pass. */
function isCleanJson(json: string): boolean {
  return !json.includes("\\u0000") && !json.includes("\\ud") && !json.includes("\\uD");
}

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return wireText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  if ("toJSON" in value && typeof value.toJSON === "function") return cleaned(value.toJSON());
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [wireText(key), cleaned(entry)]));
}

/** An id as one path segment. @throws HostError `invalid_id` for one that would change the path. */
export function segment(id: string): string {
  if (id === "" || id === "." || id === "..") {
    throw new HostError(`Cannot address ${JSON.stringify(id)}: not an id`, { code: "invalid_id" });
  }
  return encodeURIComponent(id.toWellFormed());
}
