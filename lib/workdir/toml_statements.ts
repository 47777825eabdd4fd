/** A TOML text as statements, so that single ones can be taken out and the rest stays byte for byte. Pure. */

/** One header, key, or line of anything else, with its line end. */
export interface TomlStatement {
  readonly text: string;
  readonly kind: "header" | "array-header" | "key" | "other";
  /** Dotted path as written: of the header, or of the key inside its table. */
  readonly path: readonly string[];
  /** Path of the table it stands in; of a header, its own. */
  readonly table: readonly string[];
}

/** Divides a text; joining the statements' texts gives it back. Text that is no TOML comes back as `other`. */
export function tomlStatements(text: string): TomlStatement[] {
  const found: TomlStatement[] = [];
  let table: readonly string[] = [];
  for (let at = 0; at < text.length;) {
    const end = endOfStatement(text, at);
    const statement = classify(text.slice(at, end), table);
    if (statement.kind !== "key" && statement.kind !== "other") table = statement.path;
    found.push(statement);
    at = end;
  }
  return found;
}

/** Index after the newline that ends the statement: newlines inside strings and brackets do not. */
function endOfStatement(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const char = text[at]!;
    if (char === "\n") {
      if (depth === 0) return at + 1;
      at++;
    } else if (char === "#") {
      const newline = text.indexOf("\n", at);
      at = newline < 0 ? text.length : newline;
    } else if (char === '"' || char === "'") at = endOfString(text, at, char);
    else {
      if (char === "[" || char === "{") depth++;
      if (char === "]" || char === "}") depth = Math.max(0, depth - 1);
      at++;
    }
  }
  return text.length;
}

function endOfString(text: string, start: number, quote: string): number {
  const long = text.startsWith(quote.repeat(3), start);
  const close = long ? quote.repeat(3) : quote;
  for (let at = start + close.length; at < text.length; at++) {
    if (quote === '"' && text[at] === "\\") at++;
    else if (!long && text[at] === "\n") return at; // not closed on its line: no string after all
    else if (text.startsWith(close, at)) return at + close.length;
  }
  return text.length;
}

const PART = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*/y;

function classify(text: string, table: readonly string[]): TomlStatement {
  const other: TomlStatement = { text, kind: "other", path: [], table };
  const line = text.trimStart();
  if (line === "" || line.startsWith("#")) return other;
  if (line.startsWith("[")) {
    const isArray = line.startsWith("[[");
    const parsed = dotted(line, isArray ? 2 : 1);
    if (parsed === undefined || !line.startsWith(isArray ? "]]" : "]", parsed.end)) return other;
    return { text, kind: isArray ? "array-header" : "header", path: parsed.path, table: parsed.path };
  }
  const parsed = dotted(line, 0);
  if (parsed === undefined || line[parsed.end] !== "=") return other;
  return { text, kind: "key", path: parsed.path, table };
}

function dotted(line: string, start: number): { path: string[]; end: number } | undefined {
  const path: string[] = [];
  for (let at = start;;) {
    PART.lastIndex = at;
    const match = PART.exec(line);
    if (match === null) return undefined;
    path.push(match[1] ?? match[2] ?? match[3]!);
    at = PART.lastIndex;
    if (line[at] !== ".") return { path, end: at };
    at++;
  }
}

/** Whole path of a key, table included. */
export function fullPath({ table, path, kind }: TomlStatement): readonly string[] {
  return kind === "key" ? [...table, ...path] : path;
}

/** True when `path` begins with `prefix`. */
export function startsWithPath(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => path[index] === part);
}
