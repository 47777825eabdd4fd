/** Discovery as the commands use it: the host's own, with the profile's settings. */
import { discoverableProviders } from "../agents/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import { DirectProcessControl, launch } from "../core/mod.ts";
import { AgentDiscovery, type LocateContext } from "../runtimes/finding/mod.ts";
import type { CliContext } from "./context.ts";

/** Where agents are looked for. */
export function locateContext(config: HostConfig): LocateContext {
  return { env: config.inheritedEnv, home: config.paths.home, os: Deno.build.os };
}

/** Discovery with the host's cache in the profile's directory. */
export function agentDiscovery(context: CliContext, config: HostConfig): AgentDiscovery {
  const { clock } = context.machine;
  return new AgentDiscovery({
    ...locateContext(config),
    catalog: discoverableProviders(),
    overrides: config.agentPaths,
    clock,
    launch,
    processes: new DirectProcessControl(clock),
  });
}
