/** The environment of an agent's process (spec 04 §17, §20.16; 01 §5.7). */
import type { ClaimedTask } from "../control/mod.ts";
import { getLog } from "../core/mod.ts";
import type { TaskSettings } from "./ports.ts";

const log = getLog("tasks", "env");

/** Nested agents must not think they run inside the host's own Claude Code. */
const NESTED = new Set([
  "CLAUDECODE",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_EXECPATH",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_SSE_PORT",
]);

/** Keys an agent's own environment may not set, upper case (spec 04 §17.3, §20.16). */
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

/** Used when the host itself has none (decisions: empty PATH). */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** What an agent's environment is made of. */
export interface AgentEnvInput {
  readonly task: ClaimedTask;
  readonly settings: TaskSettings;
  readonly token: string;
  readonly slot: number;
  /** Of the work directory: the provider's homes, the private temporary directory. */
  readonly workdirEnv: Readonly<Record<string, string>>;
  readonly workdirDefaults: Readonly<Record<string, string>>;
}

/** True for keys of `custom_env` that are skipped (HD-11). */
export function isBlockedKey(key: string): boolean {
  const upper = key.toUpperCase();
  return upper.startsWith("MULTICA_") || BLOCKED.has(upper);
}

/** Complete environment: nothing else is inherited. Later entries win; the task's own variables always stand. */
export function agentEnv(input: AgentEnvInput): Record<string, string> {
  const { task, settings } = input;
  const env = inherited(settings.inheritedEnv);
  Object.assign(env, input.workdirDefaults, customEnv(task), input.workdirEnv, taskVariables(input));
  const path = settings.inheritedEnv["PATH"] || DEFAULT_PATH;
  env["PATH"] = settings.shimDir === "" ? path : `${settings.shimDir}${pathSeparator()}${path}`;
  return env;
}

function pathSeparator(): string {
  return Deno.build.os === "windows" ? ";" : ":";
}

function inherited(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([key]) =>
      !NESTED.has(key) && !key.startsWith("CLAUDECODE_") && !key.toUpperCase().startsWith("MULTICA_") &&
      key.toUpperCase() !== "PATH"
    ),
  );
}

function customEnv(task: ClaimedTask): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(task.agent?.custom_env ?? {})) {
    if (isBlockedKey(key)) log.warn("blocked environment key of the agent skipped", { task: task.id, key });
    else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) || value.includes("\0")) {
      log.warn("environment key of the agent is not usable, skipped", { task: task.id, key });
    } else kept[key] = value;
  }
  return kept;
}

function taskVariables({ task, settings, token, slot }: AgentEnvInput): Record<string, string> {
  const quickCreate = task.quick_create_prompt !== "";
  return {
    MULTICA_TOKEN: token,
    MULTICA_SERVER_URL: settings.serverUrl,
    MULTICA_DAEMON_PORT: String(settings.healthPort),
    MULTICA_WORKSPACE_ID: task.workspace_id,
    MULTICA_AGENT_NAME: task.agent?.name || "agent",
    MULTICA_AGENT_ID: task.agent_id,
    MULTICA_TASK_ID: task.id,
    MULTICA_TASK_SLOT: String(slot),
    ...(settings.workspacesRoot === "" ? {} : { MULTICA_TASK_WORKSPACES_ROOT: settings.workspacesRoot }),
    ...(task.autopilot_run_id === "" ? {} : { MULTICA_AUTOPILOT_RUN_ID: task.autopilot_run_id }),
    ...(task.autopilot_id === "" ? {} : { MULTICA_AUTOPILOT_ID: task.autopilot_id }),
    ...(quickCreate ? { MULTICA_QUICK_CREATE_TASK_ID: task.id } : {}),
    ...(quickCreate && task.quick_create_attachment_ids.length > 0
      ? { MULTICA_QUICK_CREATE_ATTACHMENT_IDS: JSON.stringify(task.quick_create_attachment_ids) }
      : {}),
  };
}

/** Names of inherited variables whose values are masked like the task's own. */
const INHERITED_SECRET = /(?:_KEY|TOKEN|SECRET|PASSWORD)$/i;

/** Secrets of the host's own environment that every agent sees. */
export function inheritedSecrets(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).filter(([key, value]) => INHERITED_SECRET.test(key) && value.length >= 8)
    .map(([, value]) => value);
}

/** The one variable that marks every process of a task's run. */
export function runMarker(taskId: string): string {
  return `MULTICA_TASK_ID=${taskId}`;
}
