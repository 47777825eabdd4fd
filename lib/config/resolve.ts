/** All sources made into one frozen {@link HostConfig}, or refused with everything that is wrong. */
import { agentSettings } from "./agent_settings.ts";
import { VERSION } from "../core/mod.ts";
import { deepFreeze } from "./freeze.ts";
import { hostnameOr, legacyDaemonIds, machineId, peekMachineId } from "./identity.ts";
import type { Machine } from "./machine.ts";
import { configFile, profilePaths } from "./paths.ts";
import { type SettingProblem, SettingsInvalid } from "./problems.ts";
import { type ProfileFile, readProfileFile } from "./profile_file.ts";
import { checkProfileName, healthPort } from "./profile_name.ts";
import { type Flags, resolveSettings } from "./resolve_settings.ts";
import type { SettingName, SettingValues } from "./settings.ts";
import type { AgentVariables, HostConfig, ResolvedSetting } from "./types.ts";

/** What a resolution starts from. */
export interface ResolveOptions {
  readonly profile: string;
  readonly flags: Flags;
  readonly machine: Machine;
  readonly agentVariables: AgentVariables;
  /** Values the command itself decides, above all others. */
  readonly fixed?: Partial<Readonly<Record<SettingName, string>>>;
  /** The token to use instead of the file's. */
  readonly token?: string;
  /** Make and write `daemon.id` when there is none; otherwise an unknown id stays "". */
  readonly createIdentity: boolean;
}

/** A resolution with its problems, for showing. */
export interface Resolution {
  readonly config: HostConfig;
  readonly settings: readonly ResolvedSetting[];
  readonly problems: readonly SettingProblem[];
}

/** Resolves and checks everything. @throws {SettingsInvalid} @throws {HostError} for files that cannot be used. */
export function resolveHost(options: ResolveOptions): Resolution {
  const resolution = inspectHost(options);
  if (resolution.problems.length > 0) throw new SettingsInvalid(resolution.problems);
  return resolution;
}

/** As {@link resolveHost}, but problems come back as values; what has one holds its default. */
export function inspectHost(options: ResolveOptions): Resolution {
  const profile = checkProfileName(options.profile);
  const { home, env, files, cwd, terminal } = options.machine;
  const path = configFile(home, profile);
  const file = readProfileFile(files, path);
  const hostname = hostnameOr(options.machine.hostname);
  const table = resolveSettings(
    { flags: options.flags, env, file, configFile: path, fixed: options.fixed ?? {} },
    { home, cwd, profile, hostname, terminal },
  );
  const agents = agentSettings(env, file, path, options.agentVariables);
  const token = readToken(options, file, path);
  const problems = [...table.problems, ...agents.problems, ...token.problems];
  const identity = identify(options, table.values, problems.length === 0);
  const config = assemble(profile, table.values, agents, token.token, identity, home);
  const settings = [
    ...fixedSettings(config),
    ...table.settings.map((setting) =>
      setting.name === "daemon_id" && setting.origin === "default" ? identity.setting : setting
    ),
    ...agents.settings,
    token.setting,
  ];
  return { config: deepFreeze(config), settings, problems };
}

interface Identity {
  readonly daemonId: string;
  readonly legacyDaemonIds: readonly string[];
  readonly setting: ResolvedSetting;
}

/** Spec 03 §4. The file is only written when the settings are good. */
function identify(options: ResolveOptions, values: SettingValues, good: boolean): Identity {
  const { home, files, clock, hostname } = options.machine;
  const base = { files, home, profile: options.profile, clock };
  const create = options.createIdentity && good;
  const daemonId = values.daemon_id || (create ? machineId(base) : peekMachineId(base));
  const { identityFile } = profilePaths(home, options.profile);
  return {
    daemonId,
    legacyDaemonIds: legacyDaemonIds({ ...base, hostname: hostnameOr(hostname), daemonId }),
    setting: {
      name: "daemon_id",
      value: daemonId || "(made at the first start)",
      origin: "default",
      source: identityFile,
    },
  };
}

function readToken(
  options: ResolveOptions,
  file: ProfileFile,
  path: string,
): { token: string; setting: ResolvedSetting; problems: SettingProblem[] } {
  const raw = options.token ?? file["token"] ?? "";
  const token = typeof raw === "string" ? raw.trim() : "";
  const source = `token in ${path}`;
  const good = typeof raw === "string" && /^[\x21-\x7e]*$/.test(token);
  return {
    token: good ? token : "",
    setting: {
      name: "token",
      value: maskToken(good ? token : ""),
      origin: options.token !== undefined ? "fixed" : token === "" ? "default" : "profile file",
      source: options.token !== undefined ? "this command" : token === "" ? "" : source,
    },
    problems: good ? [] : [{
      source,
      value: "***",
      reason: "it is no token",
      want: "multica-host login --token mul_… to write a good one",
    }],
  };
}

/** First characters of a token, for recognising it; never enough to use it. */
export function maskToken(token: string): string {
  if (token === "") return "(none: run multica-host login)";
  return token.length > 24 ? `${token.slice(0, 8)}…` : `${token.slice(0, 4)}…`;
}

function fixedSettings(config: HostConfig): ResolvedSetting[] {
  const fixed = (name: string, value: string): ResolvedSetting => ({
    name,
    value,
    origin: "fixed",
    source: "",
  });
  return [
    fixed("profile", config.profile === "" ? "(default)" : config.profile),
    fixed("state_dir", config.paths.stateDir),
    fixed("config_file", config.paths.configFile),
    fixed("log_file", config.paths.logFile),
    fixed("health_port", String(config.healthPort)),
  ];
}

function assemble(
  profile: string,
  values: SettingValues,
  agents: ReturnType<typeof agentSettings>,
  token: string,
  identity: Identity,
  home: string,
): HostConfig {
  return {
    profile,
    version: VERSION,
    serverUrl: values.server_url,
    token,
    daemonId: identity.daemonId,
    legacyDaemonIds: identity.legacyDaemonIds,
    deviceName: values.device_name,
    launchedBy: values.launched_by,
    healthPort: healthPort(profile),
    paths: profilePaths(home, profile, values.workspaces_root),
    pollIntervalMs: values.poll_interval,
    heartbeatIntervalMs: values.heartbeat_interval,
    syncIntervalMs: 30_000,
    renewIntervalMs: 72 * 3_600_000,
    maxConcurrentTasks: values.max_concurrent_tasks,
    agentTimeoutMs: values.agent_timeout,
    codexSemanticInactivityMs: values.codex_semantic_inactivity_timeout,
    codexHandshakeMs: values.codex_handshake_timeout,
    codexFirstTurnMs: values.codex_first_turn_timeout,
    idleWatchdogMs: values.idle_watchdog,
    toolWatchdogMs: values.tool_watchdog,
    opencodeIdleMs: values.opencode_idle_watchdog,
    openclawCliMs: values.openclaw_cli_timeout,
    drainTimeoutMs: values.drain_timeout,
    keepEnvAfterTask: values.keep_env_after_task,
    autoUpdate: values.auto_update,
    autoUpdateIntervalMs: values.auto_update_interval,
    autoReload: values.auto_reload,
    gc: {
      enabled: values.gc_enabled,
      intervalMs: values.gc_interval,
      ttlMs: values.gc_ttl,
      orphanTtlMs: values.gc_orphan_ttl,
      artifactTtlMs: values.gc_artifact_ttl,
      artifactPatterns: values.gc_artifact_patterns,
    },
    agentArgs: agents.agentArgs,
    agentPaths: agents.agentPaths,
    agentModels: agents.agentModels,
    profileCommandOverrides: agents.profileCommandOverrides,
    allowCommands: values.allow_commands,
    logLevel: values.log_level,
    logMaxBytes: values.log_max_size_mb * 1024 * 1024,
    logMaxFiles: values.log_max_backups,
    inheritedEnv: agents.inheritedEnv,
  };
}
