/**
 * agentcli: the `multica` commands an agent calls from inside its task, and the shim that brings them onto its PATH.
 * It acts with the task's token only and reads nothing of the user's own configuration.
 */
import type { AgentIo, Env } from "./types.ts";

export {
  installShim,
  launcherText,
  MULTICA_VERB,
  type ShimOptions,
  shimPath,
  writeLauncher,
} from "./shim.ts";
export type { AgentIo, Env } from "./types.ts";

/** Runs one `multica` command line and gives its exit code. Loaded with the first one: the host only installs the shim. */
export async function runAgentCli(args: readonly string[], env: Env, io: AgentIo): Promise<number> {
  return await (await import("./run.ts")).runAgentCli(args, env, io);
}
