/** How results look: JSON as the server's own tools print it, and plain tables (spec 05 §17.1, §17.2). Pure. */
import { byteOrder } from "../control/mod.ts";
import type { Call } from "./types.ts";

/** JSON with two blanks, keys sorted bytewise (a `Map` keeps its own order), `<`, `>`, `&` escaped, final newline. */
export function jsonText(value: unknown): string {
  return `${written(value, "\n")}\n`;
}

/** Header and rows, columns as wide as their widest cell plus two blanks; cells on one line each. */
export function tableText(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const all = [head, ...rows.map((row) => row.map(cell))];
  const widths = head.map((_, i) => Math.max(...all.map((row) => width(row[i] ?? ""))));
  return all.map((row) =>
    row.map((text, i) => i === row.length - 1 ? text : text + " ".repeat(widths[i]! - width(text) + 2)).join(
      "",
    )
  ).join("\n") + "\n";
}

/** A cell: absent → empty, numbers plain, control characters as blanks. */
export function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, (run) => /[^ ]/.test(run) ? " " : run);
}

/** At most `most` code points: longer text ends in `...` and is as long as `most`. */
export function clipped(text: unknown, most: number): string {
  const points = [...cell(text)];
  return points.length > most ? `${points.slice(0, most - 3).join("")}...` : points.join("");
}

/** The first `count` code points. */
export function head(text: unknown, count: number): string {
  return [...cell(text)].slice(0, count).join("");
}

/**
 * True when the result is to be JSON. Only the other format's name switches away from a command's default, as in the
 * server's own tool (spec 05 §17.2).
 */
export function wantsJson({ given }: Pick<Call, "given">, otherwise: "json" | "table"): boolean {
  const asked = given.has("output") ? given.text("output") : otherwise;
  return otherwise === "json" ? asked !== "table" : asked === "json";
}

/** `JSON.stringify` would put keys that look like numbers first. */
function written(value: unknown, newline: string): string {
  const inner = `${newline}  `;
  if (Array.isArray(value)) {
    return value.length === 0
      ? "[]"
      : `[${inner}${value.map((one) => written(one, inner)).join(`,${inner}`)}${newline}]`;
  }
  if (typeof value !== "object" || value === null) return scalar(value);
  const entries = value instanceof Map
    ? [...value].map(([key, one]) => [String(key), one] as const)
    : Object.entries(value).filter(([, one]) => one !== undefined).sort(([a], [b]) => byteOrder(a, b));
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, one]) => `${scalar(key)}: ${written(one, inner)}`);
  return `{${inner}${lines.join(`,${inner}`)}${newline}}`;
}

function scalar(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  const text = JSON.stringify(typeof value === "string" ? value.toWellFormed() : value) ?? "null";
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Columns a text takes: wide characters take two. */
function width(text: string): number {
  let columns = 0;
  for (const point of text) columns += WIDE.test(point) ? 2 : 1;
  return columns;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
