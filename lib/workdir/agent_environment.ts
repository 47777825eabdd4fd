/** The whole environment of an agent's process, and what of it must not be seen (spec 04 §17, 20.16; 06 §2.2, 11.2). Pure. */
import { delimiter } from "node:path";
import type { ClaimedTask } from "../control/mod.ts";
import { secretValues } from "../core/mod.ts";
import { loginShellEnv } from "./login_shell.ts";

/** Used where the host itself has no PATH (decisions: empty PATH). */
export const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** What an agent's environment is made of. */
export interface AgentEnvironmentInput {
  readonly task: ClaimedTask;
  /** Trimmed task token. */
  readonly token: string;
  readonly serverUrl: string;
  readonly healthPort: number;
  readonly workspacesRoot: string;
  readonly slot: number;
  /** The host's own environment. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Directory of the agents' `multica`, "" for none. */
  readonly shimDir: string;
  readonly workDir: string;
  /** What the prepared directory adds; the agent's own values do not win over it. */
  readonly additions: Readonly<Record<string, string>>;
}

/** The environment and its side facts. */
export interface AgentEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Names of `custom_env` that were skipped, to be warned about: never their values. */
  readonly blockedKeys: readonly string[];
  /** Values to mask wherever text leaves the host. */
  readonly secrets: readonly string[];
}

const NESTED = new Set([
  "CLAUDECODE",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_EXECPATH",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_SSE_PORT",
]);

const BLOCKED = new Set([
  "HOME",
  "PATH",
  "USER",
  "SHELL",
  "TERM",
  "CODEX_HOME",
  "CURSOR_DATA_DIR",
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_INCLUDE_ROOTS",
  "TMPDIR",
  "TMP",
  "TEMP",
  "REASONIX_STATE_HOME",
  "CURSOR_MCP_AUTH_SOURCE",
]);

/** True for names an agent's own environment may not set, in any case. */
export function isBlockedName(name: string): boolean {
  const upper = name.toUpperCase();
  return upper.startsWith("MULTICA_") || BLOCKED.has(upper);
}

/** Builds it: inherited, the agent's own, the directory's, the task's; later ones win. */
export function agentEnvironment(input: AgentEnvironmentInput): AgentEnvironment {
  const { task, inherited, shimDir } = input;
  const custom = customEnvironment(task);
  const kept = Object.entries(inherited).filter(([name]) => isInheritable(name));
  const env: Record<string, string> = {
    ...Object.fromEntries(kept),
    ...custom.env,
    ...input.additions,
    ...taskVariables(input),
    ...loginShellEnv(shimDir, ownBashEnv(inherited, custom.env)),
    PWD: input.workDir,
  };
  const path = pathOf(inherited);
  env.PATH = shimDir === "" ? path : `${shimDir}${delimiter}${path}`;
  return {
    env,
    blockedKeys: custom.blocked,
    secrets: [input.token, ...secretValues(custom.env)].filter((secret) => secret !== ""),
  };
}

/** Names that shells opened by Codex may see (spec 04 §20.6): exact, without doubles in any case, sorted. */
export function shellVisibleNames(input: Omit<AgentEnvironmentInput, "token" | "workDir">): string[] {
  const custom = customEnvironment(input.task).env;
  const looksSecret = (name: string) => /KEY|SECRET|TOKEN/i.test(name);
  const inherited = Object.keys(input.inherited).filter((name) => isInheritable(name) && !looksSecret(name));
  const set = Object.keys({
    ...input.additions,
    ...taskVariables({ ...input, token: "-" }),
    ...loginShellEnv(input.shimDir, ownBashEnv(input.inherited, custom)),
    PATH: "",
    PWD: "",
  })
    .filter((name) => name.toUpperCase().startsWith("MULTICA_") || !looksSecret(name));
  const names = new Map<string, string>();
  for (const name of [...inherited, ...set, ...Object.keys(custom)]) names.set(name.toUpperCase(), name);
  return [...names].sort(([a], [b]) => a < b ? -1 : 1).map(([, name]) => name);
}

function isInheritable(name: string): boolean {
  const upper = name.toUpperCase();
  return !NESTED.has(name) && !name.startsWith("CLAUDECODE_") && !upper.startsWith("MULTICA_") &&
    upper !== "PATH";
}

function pathOf(inherited: Readonly<Record<string, string>>): string {
  const found = Object.entries(inherited).find(([name, value]) =>
    name.toUpperCase() === "PATH" && value !== ""
  );
  return found?.[1] ?? DEFAULT_PATH;
}

/** The agent's own, else the host's. */
function ownBashEnv(
  inherited: Readonly<Record<string, string>>,
  custom: Readonly<Record<string, string>>,
): string {
  return custom.BASH_ENV ?? inherited.BASH_ENV ?? "";
}

function customEnvironment(task: ClaimedTask): { env: Record<string, string>; blocked: string[] } {
  const env: Record<string, string> = {};
  const blocked: string[] = [];
  for (const [name, value] of Object.entries(task.agent?.custom_env ?? {})) {
    const usable = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !value.includes("\0");
    if (usable && !isBlockedName(name)) env[name] = value;
    else blocked.push(name);
  }
  return { env, blocked };
}

function taskVariables(input: Omit<AgentEnvironmentInput, "workDir">): Record<string, string> {
  const { task } = input;
  const given = (name: string, value: string) => value === "" ? {} : { [name]: value };
  return {
    MULTICA_TOKEN: input.token,
    MULTICA_SERVER_URL: input.serverUrl,
    MULTICA_DAEMON_PORT: String(input.healthPort),
    MULTICA_WORKSPACE_ID: task.workspace_id,
    MULTICA_AGENT_NAME: task.agent?.name || "agent",
    MULTICA_AGENT_ID: task.agent_id,
    MULTICA_TASK_ID: task.id,
    MULTICA_TASK_SLOT: String(input.slot),
    ...given("MULTICA_TASK_WORKSPACES_ROOT", input.workspacesRoot),
    ...given("MULTICA_AUTOPILOT_RUN_ID", task.autopilot_run_id),
    ...given("MULTICA_AUTOPILOT_ID", task.autopilot_id),
    ...(task.quick_create_prompt === "" ? {} : { MULTICA_QUICK_CREATE_TASK_ID: task.id }),
    ...(task.quick_create_prompt === "" || task.quick_create_attachment_ids.length === 0
      ? {}
      : { MULTICA_QUICK_CREATE_ATTACHMENT_IDS: JSON.stringify(task.quick_create_attachment_ids) }),
  };
}
