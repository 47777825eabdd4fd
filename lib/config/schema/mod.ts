/**
 * The shape of a whole configuration: a door of its own, because the supervisor's thread, which makes it setting by setting,
 * starts faster without zod. The engine's thread, which acts on it, checks it as one value when it arrives.
 */
import * as z from "zod";
import { HostError } from "../../core/mod.ts";
import { deepFreeze } from "../freeze.ts";
import type { HostConfig } from "../types.ts";

const ms = z.int().min(0);
const path = z.string().min(1);
const texts = z.array(z.string());
const textMap = z.record(z.string(), z.string());

const paths = z.strictObject({
  stateDir: path,
  configFile: path,
  pidFile: path,
  logFile: path,
  journalFile: path,
  credentialFile: path,
  planeFile: path,
  shimDir: z.string(),
  identityFile: path,
  workspacesRoot: path,
  home: path,
});

const gc = z.strictObject({
  enabled: z.boolean(),
  intervalMs: ms,
  ttlMs: ms,
  orphanTtlMs: ms,
  artifactTtlMs: ms,
  artifactPatterns: texts,
});

const hostConfig: z.ZodType<HostConfig> = z.strictObject({
  profile: z.string(),
  version: z.string().min(1),
  serverUrl: z.url({ protocol: /^https?$/ }).refine((url) => !url.endsWith("/"), "it ends with a slash"),
  token: z.string(),
  daemonId: z.string(),
  legacyDaemonIds: texts,
  deviceName: z.string(),
  launchedBy: z.string(),
  healthPort: z.int().min(1).max(65_535),
  paths,
  pollIntervalMs: ms,
  heartbeatIntervalMs: ms,
  syncIntervalMs: ms,
  renewIntervalMs: ms,
  maxConcurrentTasks: z.int().min(1),
  agentTimeoutMs: ms,
  codexSemanticInactivityMs: ms,
  codexHandshakeMs: ms,
  codexFirstTurnMs: ms,
  idleWatchdogMs: ms,
  toolWatchdogMs: ms,
  opencodeIdleMs: ms,
  openclawCliMs: ms.exactOptional(),
  drainTimeoutMs: ms,
  keepEnvAfterTask: z.boolean(),
  autoUpdate: z.boolean(),
  autoUpdateIntervalMs: ms,
  autoReload: z.boolean().exactOptional(),
  gc,
  agentArgs: z.record(z.string(), texts),
  agentPaths: textMap,
  agentModels: textMap,
  profileCommandOverrides: textMap,
  allowCommands: texts,
  logLevel: z.enum(["debug", "info", "warning", "error"]),
  logMaxBytes: z.int().min(1),
  logMaxFiles: z.int().min(1),
  inheritedEnv: textMap,
});

/**
 * The configuration, checked and frozen.
 * @throws {HostError} `config_malformed`, naming the first field that does not fit: the value was not made by `resolveHost`
 */
export function checkHostConfig(value: unknown): HostConfig {
  const parsed = hostConfig.safeParse(value);
  if (parsed.success) return deepFreeze(parsed.data);
  const [issue] = parsed.error.issues;
  throw new HostError(`Cannot use the configuration: ${issue?.path.join(".")}: ${issue?.message}`, {
    code: "config_malformed",
    hint: "multica-host config shows every value and where it came from",
  });
}
