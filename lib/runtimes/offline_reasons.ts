/** Why a runtime is taken offline, for servers that keep the reason (spec 01 §11.4). Pure. */
import type { OfflineReason } from "../control/mod.ts";
import type { KnownRuntime } from "./registry.ts";
import type { DiscoveredAgent } from "./types.ts";

/** What this machine knows at the time. */
export interface OfflineFacts {
  /** Every agent discovery looked for, usable or not. */
  readonly found: readonly DiscoveredAgent[];
  /** Profile ids that are still enabled → why their command cannot be launched here, "" for no known reason. */
  readonly profiles: ReadonlyMap<string, string>;
}

/** The host stops: its runtimes come back with it. */
export const HOST_STOPPED: OfflineReason = { code: "host_stopped", detail: "the host was stopped" };

/** The reason for one runtime that is not offered any more. */
export function offlineReason({ provider, profileId }: KnownRuntime, facts: OfflineFacts): OfflineReason {
  if (profileId !== "") {
    const why = facts.profiles.get(profileId);
    return why === undefined
      ? { code: "profile_disabled", detail: "the runtime profile was disabled or deleted" }
      : { code: "command_unavailable", detail: why || "the profile's command cannot be launched here" };
  }
  const agent = facts.found.find((candidate) => candidate.provider === provider);
  if (agent === undefined || agent.problem === "") {
    return { code: "not_found", detail: `${provider} is not installed on this machine any more` };
  }
  const { fault = "unavailable", problem, fix, repair } = agent;
  return {
    code: fault,
    detail: fix === "" ? problem : `${problem}; to do: ${fix}`,
    ...(repair === undefined
      ? {}
      : { repair: { package: repair.packageName, command: repair.command, shell: repair.shell } }),
  };
}
