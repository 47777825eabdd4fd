/**
 * Every setting of the host, once: kind, flag, variable, key in `config.json`, default (spec 03 §5.3, §17.1).
 * The command line, the resolver and `multica-host config` are all made from this table.
 */
import { checked, choice, commands, duration, integer, type Kind, list, text, toggle } from "./kinds.ts";
import { absolutePath, defaultWorkspacesRoot } from "./paths.ts";
import { DEFAULT_SERVER_URL, isOfficialCloud, normaliseServerUrl } from "./server_url.ts";

/** What a default or a kind may depend on. */
export interface SettingContext {
  readonly home: string;
  readonly cwd: string;
  readonly profile: string;
  readonly hostname: string;
  readonly terminal: boolean;
  /** Normalised; known before all others are resolved. */
  readonly serverUrl: string;
}

/** One setting. */
export interface Setting<T> {
  readonly about: string;
  readonly kind: Kind<T> | ((context: SettingContext) => Kind<T>);
  readonly fallback: (context: SettingContext) => T;
  /** Flag name without dashes, and the word for its value; no word = the flag alone means `flagMeans`. */
  readonly flag?: {
    readonly name: string;
    readonly value?: string;
    readonly means?: string;
    /** Help text of a flag that means something else than the setting's. */
    readonly about?: string;
  };
  readonly env?: string;
  /** Dotted key in `config.json`. */
  readonly key?: string;
  /** For `disable_…` keys: true in the file means off, false means nothing. */
  readonly inverted?: boolean;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const ON_OFF = { on: ["true", "1", "yes", "on"], off: ["false", "0", "no", "off"] };

/** Keeps TypeScript's knowledge of each row's type. */
function row<T>(setting: Setting<T>): Setting<T> {
  return setting;
}

function interval(example: string): Kind<number> {
  return duration({ min: SECOND, example });
}

function age(example: string, zero?: string): Kind<number> {
  return duration({ min: SECOND, example, ...(zero === undefined ? {} : { zero }) });
}

/** The table. The keys are the names `multica-host config` shows. */
export const SETTINGS = {
  server_url: row({
    about: "API address of the Multica server",
    kind: checked("an address such as https://api.example.com or ws://localhost:8080/ws", normaliseServerUrl),
    fallback: () => normaliseServerUrl(DEFAULT_SERVER_URL),
    flag: { name: "server-url", value: "URL" },
    env: "MULTICA_SERVER_URL",
    key: "server_url",
  }),
  daemon_id: row({
    about: "identity of this machine",
    kind: text(),
    fallback: () => "",
    flag: { name: "daemon-id", value: "ID" },
    env: "MULTICA_DAEMON_ID",
  }),
  device_name: row({
    about: "name of this machine as others see it",
    kind: text(),
    fallback: (context) => context.hostname,
    flag: { name: "device-name", value: "NAME" },
    env: "MULTICA_DAEMON_DEVICE_NAME",
    key: "device_name",
  }),
  runtime_name: row({
    about: "accepted for old installations; servers never see it",
    kind: text(),
    fallback: () => "Local Agent",
    flag: { name: "runtime-name", value: "NAME" },
    env: "MULTICA_AGENT_RUNTIME_NAME",
    key: "runtime_name",
  }),
  workspaces_root: row({
    about: "directory of all task directories",
    kind: (context) => checked("a directory", (path) => absolutePath(path, context.cwd, context.home)),
    fallback: (context) => defaultWorkspacesRoot(context.home, context.profile),
    flag: { name: "workspaces-root", value: "DIR" },
    env: "MULTICA_WORKSPACES_ROOT",
    key: "workspaces_root",
  }),
  poll_interval: row({
    about: "time between asking for tasks (wake-ups come in between)",
    kind: interval("30s"),
    fallback: () => 30 * SECOND,
    flag: { name: "poll-interval", value: "DURATION" },
    env: "MULTICA_DAEMON_POLL_INTERVAL",
    key: "poll_interval",
  }),
  heartbeat_interval: row({
    about: "time between heartbeats",
    kind: duration({ min: SECOND, max: MINUTE, example: "15s", ignoreNonPositive: true }),
    fallback: () => 15 * SECOND,
    flag: { name: "heartbeat-interval", value: "DURATION" },
    env: "MULTICA_DAEMON_HEARTBEAT_INTERVAL",
    key: "heartbeat_interval",
  }),
  max_concurrent_tasks: row({
    about: "tasks that may run at the same time",
    kind: integer({ min: 1, max: 1000 }),
    fallback: () => 20,
    flag: { name: "max-concurrent-tasks", value: "N" },
    env: "MULTICA_DAEMON_MAX_CONCURRENT_TASKS",
    key: "max_concurrent_tasks",
  }),
  agent_timeout: row({
    about: "longest run of one task",
    kind: age("2h", "no limit"),
    fallback: () => 0,
    flag: { name: "agent-timeout", value: "DURATION" },
    env: "MULTICA_AGENT_TIMEOUT",
    key: "agent_timeout",
  }),
  drain_timeout: row({
    about: "time running tasks get when the host is stopped (30s under a terminal, 10m otherwise)",
    kind: age("10m", "none"),
    fallback: (context) => context.terminal ? 30 * SECOND : 10 * MINUTE,
    flag: { name: "drain-timeout", value: "DURATION" },
    env: "MULTICA_DRAIN_TIMEOUT",
    key: "drain_timeout",
  }),
  idle_watchdog: row({
    about: "silence after which a run counts as hung",
    kind: age("30m", "off"),
    fallback: () => 30 * MINUTE,
    env: "MULTICA_AGENT_IDLE_WATCHDOG",
  }),
  tool_watchdog: row({
    about: "the same while a tool runs",
    kind: age("2h", "off"),
    fallback: () => 2 * HOUR,
    env: "MULTICA_AGENT_TOOL_WATCHDOG",
  }),
  codex_semantic_inactivity_timeout: row({
    about: "time without progress after which a Codex turn counts as hung",
    kind: interval("10m"),
    fallback: () => 10 * MINUTE,
    flag: { name: "codex-semantic-inactivity-timeout", value: "DURATION" },
    env: "MULTICA_CODEX_SEMANTIC_INACTIVITY_TIMEOUT",
    key: "codex_semantic_inactivity_timeout",
  }),
  codex_handshake_timeout: row({
    about: "time Codex has to answer its first request",
    kind: interval("30s"),
    fallback: () => 30 * SECOND,
    flag: { name: "codex-handshake-timeout", value: "DURATION" },
    env: "MULTICA_CODEX_HANDSHAKE_TIMEOUT",
    key: "codex_handshake_timeout",
  }),
  codex_first_turn_timeout: row({
    about: "time a Codex turn has to show progress",
    kind: age("45s", "at most a minute"),
    fallback: () => 0,
    env: "MULTICA_CODEX_FIRST_TURN_TIMEOUT",
  }),
  opencode_idle_watchdog: row({
    about: "silence after which an OpenCode run counts as hung",
    kind: age("10m", "off"),
    fallback: () => 10 * MINUTE,
    env: "MULTICA_OPENCODE_IDLE_WATCHDOG",
  }),
  openclaw_cli_timeout: row({
    about: "time the OpenClaw command line has to answer",
    kind: interval("30s"),
    fallback: () => 30 * SECOND,
    env: "MULTICA_OPENCLAW_CLI_TIMEOUT",
    key: "backends.openclaw.cli_timeout",
  }),
  allow_commands: row({
    about: "programs the server may name for custom runtimes; * allows all",
    kind: commands(),
    fallback: () => [] as readonly string[],
    env: "MULTICA_ALLOW_COMMANDS",
    key: "allow_commands",
  }),
  keep_env_after_task: row({
    about: "keep task directories for inspection",
    kind: toggle({ on: ["true", "1"], off: [], other: false }),
    fallback: () => false,
    env: "MULTICA_KEEP_ENV_AFTER_TASK",
  }),
  gc_enabled: row({
    about: "remove old task directories",
    kind: toggle({ on: [], off: ["false", "0"], other: true }),
    fallback: () => true,
    env: "MULTICA_GC_ENABLED",
  }),
  gc_interval: row({
    about: "time between collections",
    kind: interval("1h"),
    fallback: () => HOUR,
    env: "MULTICA_GC_INTERVAL",
  }),
  gc_ttl: row({
    about: "age at which finished task directories go",
    kind: age("24h"),
    fallback: () => DAY,
    env: "MULTICA_GC_TTL",
  }),
  gc_orphan_ttl: row({
    about: "age at which directories of unknown tasks go",
    kind: age("72h"),
    fallback: () => 3 * DAY,
    env: "MULTICA_GC_ORPHAN_TTL",
  }),
  gc_artifact_ttl: row({
    about: "age at which build output goes",
    kind: age("12h", "never"),
    fallback: () => 12 * HOUR,
    env: "MULTICA_GC_ARTIFACT_TTL",
  }),
  gc_artifact_patterns: row({
    about: "directory names that are build output",
    kind: list("directory names, comma-separated", (item) => !/[/\\]/.test(item)),
    fallback: () => ["node_modules", ".next", ".turbo"] as readonly string[],
    env: "MULTICA_GC_ARTIFACT_PATTERNS",
  }),
  auto_update: row({
    about: "keep this program up to date (default: on with the official cloud)",
    kind: toggle(ON_OFF),
    fallback: (context) => isOfficialCloud(context.serverUrl),
    flag: { name: "no-auto-update", means: "false", about: "never replace this program by a newer one" },
    env: "MULTICA_DAEMON_AUTO_UPDATE",
    key: "disable_auto_update",
    inverted: true,
  }),
  auto_update_interval: row({
    about: "time between looking for updates",
    kind: duration({ min: MINUTE, example: "6h", ignoreNonPositive: true }),
    fallback: () => 6 * HOUR,
    flag: { name: "auto-update-interval", value: "DURATION" },
    env: "MULTICA_DAEMON_AUTO_UPDATE_INTERVAL",
    key: "auto_update_check_interval",
  }),
  auto_reload: row({
    about: "restart into a new version somebody else installed",
    kind: toggle(ON_OFF),
    fallback: () => true,
    flag: {
      name: "no-auto-reload",
      means: "false",
      about: "do not restart into a version somebody else installed",
    },
    env: "MULTICA_DAEMON_AUTO_RELOAD",
    key: "disable_auto_reload",
    inverted: true,
  }),
  launched_by: row({
    about: "who manages this host (desktop = the desktop application)",
    kind: text(),
    fallback: () => "",
    env: "MULTICA_LAUNCHED_BY",
  }),
  log_level: row({
    about: "debug, info, warn or error",
    kind: choice(
      { debug: "debug", info: "info", warn: "warning", warning: "warning", error: "error" } as const,
      "debug",
    ),
    fallback: () => "info" as const,
    flag: { name: "debug", means: "debug", about: "debug lines in the log and in errors" },
    env: "LOG_LEVEL",
  }),
  log_max_size_mb: row({
    about: "size of one log file in MB",
    kind: integer({ min: 1, max: 10_000, lenient: true }),
    fallback: () => 20,
    env: "MULTICA_DAEMON_LOG_MAX_SIZE_MB",
  }),
  log_max_backups: row({
    about: "log files kept",
    kind: integer({ min: 1, max: 1000, lenient: true }),
    fallback: () => 5,
    env: "MULTICA_DAEMON_LOG_MAX_BACKUPS",
  }),
};

/** Names of the settings. */
export type SettingName = keyof typeof SETTINGS;

/** The resolved values, by name. */
export type SettingValues = {
  readonly [K in SettingName]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
};
