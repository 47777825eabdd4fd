/** The task's Codex `config.toml`: the user's own text with the host's blocks in it (spec 04 §7.4–7.8, 20.6). Pure. */
import { posix, win32 } from "node:path";
import {
  expandInline,
  isTable,
  isUnder,
  parseToml,
  tomlParts,
  type TomlPath,
  tomlString,
  withoutPaths,
} from "./codex_home_config_toml.ts";

/** Values of `sandbox_mode` in use. */
export type SandboxMode = "workspace-write" | "danger-full-access";

/** What goes into the file besides the user's own settings. */
export interface CodexConfigOptions {
  readonly sandbox: SandboxMode;
  /** Leave the user's choice about sub-agents alone (`MULTICA_CODEX_MULTI_AGENT`). */
  readonly keepMultiAgent: boolean;
  /** Leave the user's choice about memories alone (`MULTICA_CODEX_MEMORY`). */
  readonly keepMemory: boolean;
  /** Variables that shells see, exact names. */
  readonly shellVariables: readonly string[];
  /** `SKILL.md` files of skills that Codex must not offer. */
  readonly disabledSkills: readonly string[];
  /** The run has a managed set of MCP servers: the user's tables go, the driver appends the set at launch (06 §5.4). */
  readonly isMcpManaged: boolean;
}

/** The whole file. Idempotent; the user's other settings stay byte for byte. */
export function codexConfig(text: string, options: CodexConfigOptions): string {
  let config = withoutSkillEntries(text.replace(/^\uFEFF/, ""));
  if (options.isMcpManaged) {
    config = withoutPaths(config, [["mcp_servers"], ["profiles", "*", "mcp_servers"]]);
  }
  config = withSettings(config, [LOGIN_SHELL]);
  config = withSandbox(config, options.sandbox);
  if (!options.keepMultiAgent) config = withoutMultiAgent(config);
  if (!options.keepMemory) config = withoutMemory(config);
  config = withDisabledSkills(config, options.disabledSkills);
  return withShellEnvironment(config, options.shellVariables);
}

/** Removes every `[[skills.config]]` entry: paths of the user's machine that the task home does not have (§7.4). */
export function withoutSkillEntries(text: string): string {
  const places = [["skills", "config"]];
  const parts = tomlParts(text);
  if (!parts.some(({ path }) => isUnder(path, places))) return text;
  const kept = parts.filter(({ path, table }) => !isUnder(path, places) && !isUnder(table, places));
  const rest = kept.map(({ text }) => text).join("").replace(/\n+$/, "");
  return rest.trim() === "" ? "" : `${rest}\n`;
}

/** Puts the sandbox block on top (§7.5). In a table of the user's own, its other keys stay. */
export function withSandbox(text: string, mode: SandboxMode): string {
  const block = (settings: Settings): Block => ({ name: "", table: "", settings });
  const sandboxMode: Settings = { sandbox_mode: tomlString(mode) };
  const network = { name: "sandbox-network", table: NETWORK, settings: { network_access: "true" } };
  const bare = withoutBlock(text, network.name);
  if (mode === "danger-full-access") return withSettings(bare, [block(sandboxMode)]);
  if (
    tomlParts(bare).some(({ kind, path }) => kind === "table" && path.length === 1 && path[0] === NETWORK)
  ) {
    return withSettings(withSettings(bare, [network]), [block(sandboxMode)]);
  }
  return withSettings(expandInline(bare, NETWORK), [
    block({ ...sandboxMode, [`${NETWORK}.network_access`]: "true" }),
  ]);
}

/** A turn's end is the task's end: sub-agents would be cut off (§7.6). */
export function withoutMultiAgent(text: string): string {
  return withSettings(text, [
    { name: "multi-agent", table: "features", settings: { multi_agent: "false" }, isOpen: true },
  ]);
}

/** Codex's own memory would leak from one task and workspace into another (§7.7). */
export function withoutMemory(text: string): string {
  return withSettings(text, [
    { name: "memory-feature", table: "features", settings: { memories: "false" } },
    {
      name: "memory-config",
      table: "memories",
      settings: { generate_memories: "false", use_memories: "false" },
    },
  ]);
}

/** Appends what shells see; the user's own policy goes, also inside profiles (20.6). */
export function withShellEnvironment(text: string, names: readonly string[]): string {
  const policy = "shell_environment_policy";
  const rest = withoutPaths(withoutBlock(text, SHELL), [[policy], ["profiles", "*", policy]]);
  const list = names.map((name) => `  ${tomlString(name)},\n`).join("");
  const body = `[${policy}]\ninherit = "all"\nignore_default_excludes = true\ninclude_only = [\n${list}]\n`;
  return appended(rest, `${begin(SHELL)}\n${body}${end(SHELL)}\n`);
}

/**
 * Names a shell sees, sorted by their upper-case form, without doubles (20.6). `inherited` are the host's own: secrets and
 * `MULTICA_` stay out; of `custom` all are taken; `task` are those the host sets itself.
 */
export function shellVariables(
  inherited: readonly string[],
  custom: readonly string[],
  task: readonly string[],
): string[] {
  const chosen = new Map<string, string>();
  const add = (name: string) => {
    const upper = name.toUpperCase();
    if (!/[*?[\]=\s]/.test(name) && name !== "" && !chosen.has(upper)) chosen.set(upper, name);
  };
  const isOpen = (name: string) => !/^MULTICA_|KEY|SECRET|TOKEN/i.test(name);
  for (const name of task) if (/^MULTICA_/i.test(name) || isOpen(name)) add(name);
  for (const name of custom) add(name);
  for (const name of inherited) if (isOpen(name)) add(name);
  return [...chosen].sort(([a], [b]) => a < b ? -1 : 1).map(([, name]) => name);
}

/** The sandbox of a platform (20.6, macOS 7.5). `args` are the user's own arguments to Codex. */
export function sandboxFor(os: string, configText: string, args: readonly string[] = []): SandboxMode {
  // macOS: Seatbelt ignores network access in workspace-write (openai/codex#10390), no version is known to be fixed.
  if (os !== "windows") return "danger-full-access";
  const wish =
    args.flatMap((arg) => /(?:^|=)\s*windows\s*\.\s*sandbox\s*=\s*["']?([^"'\s]*)/.exec(arg)?.slice(1) ?? [])
      .at(-1) ?? windowsWish(configText);
  return wish === "" || typeof wish === "string" && !["unelevated", "elevated"].includes(wish)
    ? "danger-full-access"
    : "workspace-write";
}

/** `windows.sandbox` of the configuration, "" when not set; what is no string cannot be decided. */
function windowsWish(configText: string): unknown {
  const config = parseToml(configText);
  if (config === undefined) return undefined;
  const windows = config["windows"] ?? {};
  return isTable(windows) ? windows["sandbox"] ?? "" : undefined;
}

/** Relative file names the configuration refers to, at the root and in profiles (20.6). */
export function referencedFiles(configText: string): string[] {
  const config = parseToml(configText) ?? {};
  const profiles = isTable(config["profiles"]) ? Object.values(config["profiles"]) : [];
  const names = [config, ...profiles.filter(isTable)].flatMap((table) => REFERENCES.map((key) => table[key]));
  const isRelative = (name: unknown): name is string =>
    typeof name === "string" && name !== "" && !name.startsWith("~") && !posix.isAbsolute(name) &&
    !win32.isAbsolute(name);
  return [...new Set(names.filter(isRelative))];
}

const REFERENCES = ["model_catalog_json", "model_instructions_file", "experimental_instructions_file"];

/** Raw TOML values by dotted key. */
type Settings = Readonly<Record<string, string>>;

interface Block {
  /** In the markers; "" = the first block there ever was. */
  readonly name: string;
  /** Table the keys belong to, "" = none. */
  readonly table: string;
  readonly settings: Settings;
  /** Blank lines after the block in a table stay. */
  readonly isOpen?: boolean;
}

const NETWORK = "sandbox_workspace_write";
const SHELL = "shell-environment";

/** `/etc/profile` may set PATH anew, and the shim of `multica` would be lost (decisions). */
const LOGIN_SHELL: Block = { name: "login-shell", table: "", settings: { allow_login_shell: "false" } };

/** Replaces the blocks: inside the user's own table where there is one, else on top of the file. */
function withSettings(text: string, blocks: readonly Block[]): string {
  let rest = blocks.reduce((text, { name }) => withoutBlock(text, name), text);
  rest = withoutPaths(rest, placesOf(blocks, activeProfile(rest)));
  const onTop: string[] = [];
  for (const block of blocks) {
    if (block.table !== "") rest = expandInline(rest, block.table);
    const inside = insertIntoTable(rest, block);
    if (inside === undefined) onTop.push(render(block, block.table === "" ? "" : `${block.table}.`));
    else rest = inside;
  }
  if (onTop.length === 0) return rest;
  const below = rest.replace(/^[\r\n]+/, "");
  return onTop.join("") + (below === "" ? "" : `\n${below}`);
}

/** A profile that is switched on would win over the settings on top. */
function placesOf(blocks: readonly Block[], profile: string): TomlPath[] {
  return blocks.flatMap(({ table, settings }) =>
    Object.keys(settings).flatMap((key) => {
      const place = [...(table === "" ? [] : [table]), ...key.split(".")];
      return profile === "" ? [place] : [place, ["profiles", profile, ...place]];
    })
  );
}

function activeProfile(text: string): string {
  const profile = parseToml(text)?.["profile"];
  return typeof profile === "string" && profile !== "*" ? profile : "";
}

function insertIntoTable(text: string, block: Block): string | undefined {
  if (block.table === "") return undefined;
  const parts = tomlParts(text);
  const at = parts.findIndex(({ kind, path }) =>
    kind === "table" && path.length === 1 && path[0] === block.table
  );
  if (at < 0) return undefined;
  let next = at + 1;
  while (block.isOpen !== true && parts[next]?.kind === "blank") next++;
  const header = parts.slice(0, at + 1).map(({ text }) => text).join("");
  const rest = parts.slice(next).map(({ text }) => text).join("");
  return `${header}${header.endsWith("\n") ? "" : "\n"}${render(block, "")}${rest}`;
}

function render({ name, settings }: Block, prefix: string): string {
  const lines = Object.entries(settings).map(([key, value]) => `${prefix}${key} = ${value}\n`).join("");
  return `${begin(name)}\n${lines}${end(name)}\n`;
}

function withDisabledSkills(text: string, paths: readonly string[]): string {
  if (paths.length === 0) return text;
  const entries = paths.map((path) => `[[skills.config]]\npath = ${tomlString(path)}\nenabled = false\n`);
  return appended(text, entries.join("\n"));
}

function appended(text: string, more: string): string {
  const rest = text.replace(/[\r\n]+$/, "");
  return rest === "" ? more : `${rest}\n\n${more}`;
}

function withoutBlock(text: string, name: string): string {
  for (let rest = text;;) {
    const start = rest.startsWith(begin(name)) ? 0 : rest.indexOf(`\n${begin(name)}`) + 1;
    if (start === 0 && !rest.startsWith(begin(name))) return rest;
    const close = rest.indexOf(end(name), start);
    if (close < 0) return rest; // no end: not ours to guess where it was
    rest = rest.slice(0, start) + rest.slice(close + end(name).length).replace(/^[\r\n]+/, "");
  }
}

function begin(name: string): string {
  return `# BEGIN multica-managed${name === "" ? "" : ` ${name}`} (do not edit; regenerated by daemon)`;
}

function end(name: string): string {
  return `# END multica-managed${name === "" ? "" : ` ${name}`}`;
}
