/**
 * agentcli: the `multica` commands an agent calls from inside its task, and the shim that brings them onto its PATH.
 * It acts with the task's token only and reads nothing of the user's own configuration.
 */
export { runAgentCli } from "./run.ts";
export {
  installShim,
  launcherText,
  MULTICA_VERB,
  type ShimOptions,
  shimPath,
  writeLauncher,
} from "./shim.ts";
export type { AgentIo, Env } from "./types.ts";
