/** Reading Claude-shaped stream-json field by field, tolerant of foreign types (spec 06 §2.5, §3.4). */

/** A JSON object whose fields are not known. */
export type Json = Readonly<Record<string, unknown>>;

/** The object on a line, or undefined when it is no JSON object. */
export function parseLine(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True for a plain JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The string, or "". */
export function str(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The object, or an empty one. */
export function obj(value: unknown): Json {
  return isObject(value) ? value : EMPTY;
}

/** The array, or an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NONE;
}

const EMPTY: Json = {};
const NONE: readonly unknown[] = [];
