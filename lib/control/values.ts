/**
 * Tolerant building blocks for the wire schemas: absent, null and foreign values become the zero value (spec 01 §1).
 * `default` beside `catch`: most fields of most answers are absent, and a caught error costs fifty times as much.
 */
import * as z from "zod";

export const text = z.string().default("").catch("");
export const int = z.number().default(0).catch(0);
export const flag = z.boolean().default(false).catch(false);

/** Strings of a list; everything else in it is dropped. */
export const texts = z.array(z.unknown()).default([]).catch([])
  .transform((items) => items.filter((item): item is string => typeof item === "string"));

/** Items of a list that fit `item`; others are dropped. */
export function list<T extends z.ZodType>(item: T) {
  return z.array(z.unknown()).default([]).catch([]).transform((items) =>
    items.flatMap((value): z.output<T>[] => {
      const parsed = item.safeParse(value);
      return parsed.success ? [parsed.data] : [];
    })
  );
}

/** A JSON object, or undefined for anything else. */
export const record = z.record(z.string(), z.unknown()).optional().catch(undefined);

/** A map of strings; values of other types are dropped. */
export const textMap = z.record(z.string(), z.unknown()).default({}).catch({}).transform((map) =>
  Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  )
);

/** An object of `shape`, or undefined for anything that is no object. */
export function maybe<T extends z.ZodType>(shape: T) {
  return shape.optional().catch(undefined);
}

/** The kind of a JSON value, for telling foreign types apart. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "none";
  return Array.isArray(value) ? "list" : typeof value;
}

/** Names of fields that were present with a type the parsed form does not have. */
export function foreignFields(raw: unknown, parsed: object, prefix = ""): string[] {
  if (typeof raw !== "object" || raw === null) return [];
  const found: string[] = [];
  for (const [key, value] of Object.entries(parsed)) {
    const kind = kindOf((raw as Record<string, unknown>)[key]);
    if (kind !== "none" && kind !== kindOf(value)) found.push(prefix + key);
  }
  return found;
}
