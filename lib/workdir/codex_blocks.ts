/** What the host sets in a task's Codex configuration, in marked blocks (spec 04 §7.4–7.8, 20.6). Pure text. */
import { fullPath, startsWithPath, type TomlStatement, tomlStatements } from "./toml_statements.ts";

/** Keys the host sets, all of one table. */
interface ManagedKeys {
  /** Between `# BEGIN multica-managed` and ` (do not edit; …)`: with a leading blank, or "". */
  readonly mark: string;
  /** "" = only at the root. */
  readonly table: string;
  readonly values: readonly (readonly [key: string, value: string])[];
  /** Blank lines that would follow a block inside its table are dropped. */
  readonly tight?: boolean;
}

const MULTI_AGENT: ManagedKeys = {
  mark: " multi-agent",
  table: "features",
  values: [["multi_agent", "false"]],
};
const MEMORY: readonly ManagedKeys[] = [
  { mark: " memory-feature", table: "features", values: [["memories", "false"]], tight: true },
  {
    mark: " memory-config",
    table: "memories",
    values: [["generate_memories", "false"], ["use_memories", "false"]],
    tight: true,
  },
];
const LOGIN_SHELL: ManagedKeys = {
  mark: " login-shell",
  table: "",
  values: [["allow_login_shell", "false"]],
};

/** What Codex may do to the machine. */
export type SandboxMode = "workspace-write" | "danger-full-access";

/** What the configuration is edited for. */
export interface CodexEdits {
  readonly sandbox: SandboxMode;
  /** Leave sub-agents to the user's own setting. */
  readonly keepMultiAgent: boolean;
  /** Leave Codex's own memory to the user's own setting. */
  readonly keepMemory: boolean;
  /** Names the shells of Codex see; undefined leaves the policy alone. */
  readonly shellNames: readonly string[] | undefined;
  /** Shells do not read the login files, which may set PATH anew (decisions: `multica` inside a login shell). */
  readonly noLoginShell: boolean;
}

/** The edited text. Repeating it changes nothing: what was ours or is overruled goes first, then the blocks come. */
export function editCodexConfig(text: string, edits: CodexEdits): string {
  const groups = [
    ...(edits.keepMultiAgent ? [] : [[MULTI_AGENT]]),
    ...(edits.keepMemory ? [] : [MEMORY]),
  ];
  const login = edits.noLoginShell ? [[LOGIN_SHELL]] : [];
  let result = withoutSkillsConfig(withoutBlocks(text));
  result = withoutOverruled(result, [...groups, ...login].flat(), edits);
  result = withSandbox(result, edits.sandbox);
  for (const group of groups) result = withKeys(result, group);
  if (edits.shellNames !== undefined) result = withShellPolicy(result, edits.shellNames);
  return login.reduce(withKeys, result);
}

/** Drops the user's own settings of what the host sets. */
function withoutOverruled(text: string, groups: readonly ManagedKeys[], edits: CodexEdits): string {
  const keys = groups.flatMap(({ table, values }) =>
    values.map(([key]) => table === "" ? [key] : [table, key])
  );
  keys.push(["sandbox_mode"]);
  if (edits.sandbox === "workspace-write") keys.push(["sandbox_workspace_write", "network_access"]);
  const shells = edits.shellNames !== undefined;
  return join(
    tomlStatements(text).filter((statement) =>
      !keys.some((key) => isKey(statement, key)) &&
      !(shells && statement.kind !== "other" && isShellPolicy(fullPath(statement)))
    ),
  );
}

/** Drops every `[[skills.config]]` table (spec 04 §7.4). */
export function withoutSkillsConfig(text: string): string {
  let dropping = false;
  let dropped = false;
  const kept = tomlStatements(text).filter(({ kind, path }) => {
    if (kind === "header" || kind === "array-header") {
      dropping = kind === "array-header" && path.join("\0") === "skills\0config";
    }
    dropped ||= dropping;
    return !dropping;
  });
  if (!dropped) return text;
  const rest = join(kept).replace(/\n+$/, "");
  return rest.trim() === "" ? "" : `${rest}\n`;
}

function withSandbox(text: string, mode: SandboxMode): string {
  const table = "sandbox_workspace_write";
  const open = mode === "workspace-write";
  let rest = text.replace(/^\n+/, "");
  const inTable = open && hasTable(rest, table);
  if (inTable) {
    rest = intoTable(rest, { mark: " sandbox-network", table, values: [["network_access", "true"]] });
  }
  const head = wrapped("", [
    `sandbox_mode = "${mode}"`,
    ...(open && !inTable ? [`${table}.network_access = true`] : []),
  ]);
  return rest === "" ? head : `${head}\n${rest}`;
}

function withKeys(text: string, groups: readonly ManagedKeys[]): string {
  let rest = text;
  const atRoot: ManagedKeys[] = [];
  for (const group of groups) {
    if (group.table !== "" && hasTable(rest, group.table)) rest = intoTable(rest, group);
    else atRoot.push(group);
  }
  if (atRoot.length === 0) return rest;
  const head = atRoot.map(({ mark, table, values }) =>
    wrapped(mark, values.map(([key, value]) => `${table === "" ? "" : `${table}.`}${key} = ${value}`))
  ).join("");
  rest = rest.replace(/^\n+/, "");
  return rest === "" ? head : `${head}\n${rest}`;
}

function intoTable(text: string, { mark, table, values, tight }: ManagedKeys): string {
  const statements = tomlStatements(text);
  const at = statements.findIndex((statement) => isHeader(statement, table));
  const header = statements[at]!;
  const before = join(statements.slice(0, at)) +
    (header.text.endsWith("\n") ? header.text : `${header.text}\n`);
  let after = join(statements.slice(at + 1));
  if (tight) after = after.replace(/^(?:[ \t]*\n)+(?=[^\n])/, "");
  return before + wrapped(mark, values.map(([key, value]) => `${key} = ${value}`)) + after;
}

/** Replaces every policy of the user's, also those of profiles, by ours at the end (spec 04 §20.6). */
function withShellPolicy(text: string, names: readonly string[]): string {
  const rest = text.replace(/\n+$/, "");
  const block = wrapped(" shell-environment", [
    "[shell_environment_policy]",
    'inherit = "all"',
    "ignore_default_excludes = true",
    `include_only = [${names.map((name) => JSON.stringify(name)).join(", ")}]`,
  ]);
  return rest === "" ? block : `${rest}\n\n${block}`;
}

function isShellPolicy(path: readonly string[]): boolean {
  const policy = "shell_environment_policy";
  return path[0] === policy || path[0] === "profiles" && path[2] === policy;
}

function isKey(statement: TomlStatement, path: readonly string[]): boolean {
  const own = fullPath(statement);
  return statement.kind === "key" && own.length === path.length && startsWithPath(own, path);
}

function isHeader({ kind, path }: TomlStatement, table: string): boolean {
  return kind === "header" && path.length === 1 && path[0] === table;
}

function hasTable(text: string, table: string): boolean {
  return tomlStatements(text).some((statement) => isHeader(statement, table));
}

function begin(mark: string): string {
  return `# BEGIN multica-managed${mark} (do not edit; regenerated by daemon)`;
}

function end(mark: string): string {
  return `# END multica-managed${mark}`;
}

function wrapped(mark: string, lines: readonly string[]): string {
  return [begin(mark), ...lines, end(mark), ""].join("\n");
}

/** The text without a managed block, wherever it stands, and the newlines after it. */
function withoutBlock(text: string, mark: string): string {
  const start = text.indexOf(`${begin(mark)}\n`);
  if (start < 0) return text;
  const last = `\n${end(mark)}`;
  const stop = text.indexOf(last, start);
  if (stop < 0) return text;
  const after = text.slice(stop + last.length).replace(/^\n+/, "");
  return text.slice(0, start) + after;
}

/** The text as it was before any edit of ours: that is what makes repetition harmless. */
function withoutBlocks(text: string): string {
  const marks = [LOGIN_SHELL, ...MEMORY, MULTI_AGENT].map(({ mark }) => mark);
  return ["", " sandbox-network", " shell-environment", ...marks].reduce(withoutBlock, text);
}

function join(statements: readonly TomlStatement[]): string {
  return statements.map(({ text }) => text).join("");
}

/** Facts of {@link sandboxMode}. */
export interface SandboxFacts {
  /** As `Deno.build.os`. */
  readonly os: string;
  /** `windows.sandbox` of the configuration or of the arguments: "" when not set, undefined when it cannot be told. */
  readonly windowsSandbox: string | undefined;
}

/** macOS ignores network access in workspace-write; Linux leaves isolation to the machine (spec 04 §7.5, 20.6). */
export function sandboxMode({ os, windowsSandbox }: SandboxFacts): SandboxMode {
  if (os !== "windows" || windowsSandbox === "") return "danger-full-access";
  const keeps = windowsSandbox === undefined || windowsSandbox === "unelevated" ||
    windowsSandbox === "elevated";
  return keeps ? "workspace-write" : "danger-full-access";
}
