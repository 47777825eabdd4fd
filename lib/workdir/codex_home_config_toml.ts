/** TOML text taken apart into its expressions, so that an edit leaves every other byte alone (spec 04 §7.8). Pure. */
import { parse, TomlDate } from "smol-toml";

/** One expression with its line end; a value over several lines is one part. */
export interface TomlPart {
  readonly kind: "blank" | "comment" | "table" | "tables" | "key" | "other";
  readonly text: string;
  /** Full path of a header or a key, the table it stands in included. */
  readonly path: readonly string[];
  /** The table the part stands in; of a header its own. */
  readonly table: readonly string[];
}

/** A path to look for; `*` stands for any one name. */
export type TomlPath = readonly string[];

/** Takes a text apart. Joined again, the parts give the very same text. Never throws: what it cannot read is "other". */
export function tomlParts(text: string): TomlPart[] {
  const parts: TomlPart[] = [];
  let table: readonly string[] = [];
  for (let at = 0; at < text.length;) {
    const part = readPart(text, at, table);
    table = part.table;
    at += part.text.length;
    parts.push(part);
  }
  return parts;
}

/** True when `path` is one of the places, or below one. */
export function isUnder(path: readonly string[], places: readonly TomlPath[]): boolean {
  return places.some((place) => place.length <= path.length && startsAlike(place, path));
}

/** Removes everything at or below the places, however it is written: tables, dotted keys, inline tables. */
export function withoutPaths(text: string, places: readonly TomlPath[]): string {
  return tomlParts(text).map((part) => {
    if (part.path.length > 0 && isUnder(part.path, places)) return "";
    return part.kind === "key" ? withoutInline(part, places) : part.text;
  }).join("");
}

/** A root key whose value is an inline table becomes dotted keys, so that more keys may be added beside it. */
export function expandInline(text: string, name: string): string {
  return tomlParts(text).map((part) => {
    if (part.kind !== "key" || part.table.length > 0 || part.path.length !== 1 || part.path[0] !== name) {
      return part.text;
    }
    const value = valueOf(part);
    if (!isTable(value)) return part.text;
    return Object.entries(value).map(([key, inner]) =>
      `${tomlKey(name)}.${tomlKey(key)} = ${inline(inner)}\n`
    )
      .join("");
  }).join("");
}

/** The whole text as a value, undefined when it is no TOML. */
export function parseToml(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parse(text);
  } catch {
    return undefined; // the CLI itself reports it, with the line
  }
}

/** True for a TOML table. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A string as a TOML basic string. */
export function tomlString(text: string): string {
  // JSON escapes everything TOML wants escaped, except DEL.
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}

function readPart(text: string, start: number, table: readonly string[]): TomlPart {
  const lineEnd = endOfLine(text, start);
  const line = text.slice(start, lineEnd);
  const trimmed = line.trim();
  if (trimmed === "") return { kind: "blank", text: line, path: [], table };
  if (trimmed.startsWith("#")) return { kind: "comment", text: line, path: [], table };
  const indent = line.length - line.trimStart().length;
  if (trimmed.startsWith("[")) {
    const isArray = trimmed.startsWith("[[");
    const path = readPath(line, indent + (isArray ? 2 : 1))?.path;
    if (path === undefined) return { kind: "other", text: line, path: [], table: [line] };
    return { kind: isArray ? "tables" : "table", text: line, path, table: path };
  }
  const key = readPath(line, indent);
  if (key === undefined || line[key.end] !== "=") return { kind: "other", text: line, path: [], table };
  const end = endOfValue(text, start + key.end + 1);
  return { kind: "key", text: text.slice(start, end), path: [...table, ...key.path], table };
}

function readPath(line: string, from: number): { path: string[]; end: number } | undefined {
  const name = /[ \t]*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')[ \t]*/y;
  const path: string[] = [];
  for (let at = from;; at++) {
    name.lastIndex = at;
    const found = name.exec(line);
    if (found === null) return undefined;
    path.push(found[1] ?? found[3] ?? unescaped(found[2]!));
    at = name.lastIndex;
    if (line[at] !== ".") return { path, end: at };
  }
}

function unescaped(body: string): string {
  try {
    return JSON.parse(`"${body}"`);
  } catch {
    return body; // `\UXXXXXXXX` and the like: no key that is looked for
  }
}

/** End of the line on which the value that begins at `from` is complete. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === "#") at = endOfComment(text, at) - 1;
    else if (char === '"' || char === "'") at = endOfString(text, at) - 1;
    else if (char === "[" || char === "{") depth++;
    else if (char === "]" || char === "}") depth--;
    else if (char === "\n" && depth <= 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, from: number): number {
  const quote = text[from]!;
  const isLong = text.startsWith(quote.repeat(3), from);
  const close = isLong ? quote.repeat(3) : quote;
  for (let at = from + close.length; at < text.length; at++) {
    if (text[at] === "\\" && quote === '"') at++;
    else if (text.startsWith(close, at)) {
      let end = at + close.length;
      while (isLong && text[end] === quote) end++; // up to two more quotes belong to the string
      return end;
    } else if (!isLong && text[at] === "\n") return at; // not closed: the line is all there is
  }
  return text.length;
}

function endOfComment(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at;
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at + 1;
}

function startsAlike(place: TomlPath, path: readonly string[]): boolean {
  return place.slice(0, path.length).every((name, index) => name === "*" || name === path[index]);
}

function withoutInline(part: TomlPart, places: readonly TomlPath[]): string {
  const inner = places.filter((place) => place.length > part.path.length && startsAlike(place, part.path))
    .map((place) => place.slice(part.path.length));
  const value = inner.length === 0 ? undefined : valueOf(part);
  if (!isTable(value) || !inner.map((place) => dropFrom(value, place)).includes(true)) return part.text;
  return `${part.path.slice(part.table.length).map(tomlKey).join(".")} = ${inline(value)}\n`;
}

function dropFrom(value: Record<string, unknown>, place: TomlPath): boolean {
  const [name, ...rest] = place;
  const keys = name === "*"
    ? Object.keys(value)
    : name !== undefined && Object.hasOwn(value, name)
    ? [name]
    : [];
  let dropped = false;
  for (const key of keys) {
    const inner = value[key];
    if (rest.length === 0) {
      delete value[key];
      dropped = true;
    } else if (isTable(inner)) dropped = dropFrom(inner, rest) || dropped;
  }
  return dropped;
}

function valueOf(part: TomlPart): unknown {
  let value: unknown = parseToml(part.text);
  for (const name of part.path.slice(part.table.length)) value = isTable(value) ? value[name] : undefined;
  return value;
}

function tomlKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : tomlString(name);
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (value instanceof TomlDate) return value.toISOString();
  if (isTable(value)) {
    const entries = Object.entries(value).map(([key, inner]) => `${tomlKey(key)} = ${inline(inner)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" ? tomlString(value) : number(value);
}

function number(value: unknown): string {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  return Number.isNaN(value) ? "nan" : String(value);
}
