/**
 * supervisor: the thread that holds the rights given at compile time. It owns the profile's port, the engine's life, the table of
 * process groups and the broker, and answers signals. `runHost(options)` is the whole of it; `engineRights` and
 * `describeRights` say what an engine may do. The engine imports the types of the protocol from here, nothing else.
 */
export { agentHomes } from "./agent_homes.ts";
export { DirectoryUnusable } from "./directories.ts";
export { standingExecutables } from "./executable_policy.ts";
export { TokenMissing } from "./host.ts";
export * from "./protocol.ts";
export {
  describeRights,
  type EngineRights,
  engineRights,
  type RightsInput,
  workerPermissions,
} from "./rights.ts";
export { runHost, type RunHostOptions } from "./run_host.ts";
