/** `multica-host rights`: the set of rights the engine of this profile gets (ARCHITECTURE.md, "Two threads"). */
import { discoverableProviders } from "../agents/mod.ts";
import { join } from "node:path";
import { findCommand } from "../runtimes/finding/mod.ts";
import { agentHomes, describeRights, engineRights, standingExecutables } from "../supervisor/mod.ts";
import { type CliContext, configOf } from "./context.ts";
import { agentDiscovery, locateContext } from "./find_agents.ts";

/** Prints the rights; nothing is started. */
export function rights(context: CliContext): number {
  const { config } = configOf(context);
  const where = locateContext(config);
  const found = agentDiscovery(context, config).locate().filter((agent) => agent.path !== "");
  const providers = new Set(found.map((agent) => agent.provider));
  const standing = standingExecutables({
    ...where,
    overrides: config.profileCommandOverrides,
    allowCommands: config.allowCommands,
  });
  const set = engineRights({
    config,
    executables: [...found.map((agent) => agent.path), ...standing],
    git: findCommand("git", where) ?? "",
    agentHomes: agentHomes(
      discoverableProviders().filter((row) => providers.has(row.provider)),
      where.home,
      where.env,
    ),
    tempBase: join(where.env["TMPDIR"] || "/tmp", "multica-host-… (new at every start)"),
  });
  context.out("The engine, which talks to the server and runs tasks, may touch this and nothing else:\n");
  for (const line of describeRights(set)) context.out(line);
  return 0;
}
