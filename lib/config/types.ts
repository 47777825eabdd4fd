/** The resolved, frozen settings of one host (spec 03 §1–5), and where each value came from. */

/** Where a value came from, strongest first. */
export type Origin = "flag" | "environment" | "profile file" | "default" | "fixed";

export interface Paths {
  /** `~/.multica` or `~/.multica/profiles/<name>`. */
  readonly stateDir: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly logFile: string;
  /** SQLite journal of results not yet confirmed by the server. */
  readonly journalFile: string;
  /** 0600 credential of the local API, fresh at every start. */
  readonly credentialFile: string;
  /** Database of the embedded plane. */
  readonly planeFile: string;
  /** Directory holding the agents' `multica` command. */
  readonly shimDir: string;
  /** Machine identity, `~/.multica/daemon.id`. */
  readonly identityFile: string;
  readonly workspacesRoot: string;
  readonly home: string;
}

export interface GcSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
  readonly ttlMs: number;
  readonly orphanTtlMs: number;
  readonly artifactTtlMs: number;
  readonly artifactPatterns: readonly string[];
}

/** Everything a host start needs, checked once. Durations in ms. A plain value: it crosses to the engine's thread. */
export interface HostConfig {
  /** "" = default profile. */
  readonly profile: string;
  readonly version: string;
  /** Normalised base URL without trailing slash (spec 01 §1.1). */
  readonly serverUrl: string;
  /** Absolute; bearer of the host itself. "" = not logged in. Never leaves host code. */
  readonly token: string;
  readonly daemonId: string;
  readonly legacyDaemonIds: readonly string[];
  readonly deviceName: string;
  readonly launchedBy: string;
  readonly healthPort: number;
  readonly paths: Paths;
  readonly pollIntervalMs: number;
  readonly heartbeatIntervalMs: number;
  readonly syncIntervalMs: number;
  readonly renewIntervalMs: number;
  readonly maxConcurrentTasks: number;
  /** 0 = none. */
  readonly agentTimeoutMs: number;
  readonly codexSemanticInactivityMs: number;
  readonly codexHandshakeMs: number;
  /** 0 = derived from the inactivity limit, at most a minute. */
  readonly codexFirstTurnMs: number;
  /** 0 = off. */
  readonly idleWatchdogMs: number;
  /** 0 = a running tool never trips it. */
  readonly toolWatchdogMs: number;
  readonly opencodeIdleMs: number;
  /** Time the OpenClaw command line has to answer. Default 30 s. */
  readonly openclawCliMs?: number;
  readonly drainTimeoutMs: number;
  readonly keepEnvAfterTask: boolean;
  readonly autoUpdate: boolean;
  readonly autoUpdateIntervalMs: number;
  /** Restart into a new version somebody else installed (spec 03 §17.8). */
  readonly autoReload?: boolean;
  readonly gc: GcSettings;
  /** Provider → extra arguments (`MULTICA_CLAUDE_ARGS`, …). */
  readonly agentArgs: Readonly<Record<string, readonly string[]>>;
  /** Provider → explicit command or path (`MULTICA_<X>_PATH`). */
  readonly agentPaths: Readonly<Record<string, string>>;
  /** Provider → default model (`MULTICA_<X>_MODEL`). */
  readonly agentModels: Readonly<Record<string, string>>;
  /** Profile id → absolute path set on this machine. */
  readonly profileCommandOverrides: Readonly<Record<string, string>>;
  /** Executables the operator allows the server to name; `*` = any (decisions). */
  readonly allowCommands: readonly string[];
  readonly logLevel: "debug" | "info" | "warning" | "error";
  readonly logMaxBytes: number;
  readonly logMaxFiles: number;
  /** Environment the agents inherit, before any filter. */
  readonly inheritedEnv: Readonly<Record<string, string>>;
}

/** Providers the environment may speak of, by variable: `MULTICA_<X>_PATH`, `_MODEL`, `_ARGS`. The agents' catalog says which. */
export interface AgentVariables {
  readonly paths: readonly string[];
  readonly models: readonly string[];
  readonly args: readonly string[];
}

/** One line of `multica-host config`. */
export interface ResolvedSetting {
  readonly name: string;
  /** Printable; secrets masked. */
  readonly value: string;
  readonly origin: Origin;
  /** Variable, flag or file it was read from. */
  readonly source: string;
}
