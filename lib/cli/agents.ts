/** `multica-host agents`: the agent programs of this machine, and what is wrong with those that cannot be used. */
import type { HostConfig } from "../config/mod.ts";
import type { DiscoveredAgent } from "../runtimes/finding/mod.ts";
import { type CliContext, configOf } from "./context.ts";
import { agentDiscovery } from "./find_agents.ts";
import { ago, table } from "./table.ts";

/** After so long people are told what is waited for, ms. */
const SILENCE_MS = 2_000;

/** Probes all and prints a table. */
export async function agents(
  context: CliContext,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { config } = configOf(context);
  const found = await probed(context, config);
  if (options["output"] === "json") {
    context.out(JSON.stringify(found, null, 2));
    return 0;
  }
  const usable = found.filter((agent) => agent.path !== "" && agent.problem === "");
  const broken = found.filter((agent) =>
    agent.problem !== "" && (agent.path !== "" || agent.misnamed === true)
  );
  const absent = found.filter((agent) => agent.path === "" && agent.misnamed !== true);
  const now = context.machine.clock.now();
  const rows = usable.map((
    agent,
  ) => [agent.provider, agent.version || "?", ago(agent.probedAt, now), agent.path]);
  if (rows.length > 0) table(rows, ["AGENT", "VERSION", "CHECKED", "PATH"]).forEach(context.out);
  else context.out("No agent program was found on this machine");
  for (const agent of broken) explain(context, agent);
  if (absent.length > 0) {
    context.out(`\nNot on this machine: ${absent.map((agent) => agent.provider).join(", ")}`);
    if (usable.length === 0) {
      for (const agent of absent.filter(hasFix).slice(0, 3)) context.out(`  ${agent.fix}`);
    }
  }
  return 0;
}

/** Probes all; says who keeps it waiting. */
async function probed(context: CliContext, config: HostConfig): Promise<readonly DiscoveredAgent[]> {
  const discovery = agentDiscovery(context, config);
  const waiting = new Map(
    discovery.locate().filter((agent) => agent.path !== "").map((agent) => [agent.provider, agent.path]),
  );
  const timer = context.machine.clock.timer(SILENCE_MS, () => {
    for (const [provider, path] of waiting) {
      context.note(`${provider} has not answered yet (${path} --version)`);
    }
  });
  try {
    return await discovery.discover({ onAgent: (agent) => void waiting.delete(agent.provider) });
  } finally {
    timer.cancel();
  }
}

function hasFix(agent: DiscoveredAgent): boolean {
  return agent.fix !== "";
}

function explain(context: CliContext, agent: DiscoveredAgent): void {
  const where = agent.path === "" ? "" : ` (${agent.path})`;
  context.out(`\n${agent.provider}${where}: ${agent.problem}`);
  if (hasFix(agent)) context.out(`  → ${agent.fix}`);
}
