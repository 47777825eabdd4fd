import assert from "node:assert/strict";
import { Inventory } from "../../../lib/engine/inventory.ts";
import type { AgentFault, DiscoveredAgent } from "../../../lib/runtimes/mod.ts";
import { foundAgent } from "../../helpers/engine_stage.ts";

const PATHS = ["/opt/agents/claude", "/opt/agents/codex"];
const MINUTE = 60_000;

/** As a probe that went well leaves it. */
function probed(provider: string, more: Partial<DiscoveredAgent> = {}): DiscoveredAgent {
  return foundAgent(provider, { probedAt: 1, ...more });
}

function faulty(provider: string, fault: AgentFault, more: Partial<DiscoveredAgent> = {}): DiscoveredAgent {
  return foundAgent(provider, { version: "", problem: `${provider} is ${fault}`, fault, ...more });
}

const offered = (inventory: Inventory) =>
  inventory.usable().map(({ provider, version }) => `${provider} ${version}`);

Deno.test("Inventory [C11.4] a probe that fails takes nothing away, and brings nothing", () => {
  const inventory = new Inventory(PATHS, [probed("claude"), faulty("codex", "unavailable")]);
  const now = [faulty("claude", "unavailable"), faulty("codex", "unavailable")];
  const change = inventory.replace(now, MINUTE);
  assert.deepEqual(change, { offersChanged: false, waiting: [], doubtful: false });
  assert.deepEqual(offered(inventory), ["claude 1.0.0"]);
  assert.equal(inventory.builtin("claude")?.path, "/opt/agents/claude");
  assert.deepEqual(inventory.ailing(), { claude: "claude is unavailable" });
  assert.deepEqual(inventory.skipped(), { codex: "codex is unavailable" });
  assert.equal(inventory.replace([foundAgent("claude", { version: "2.0.0" })], MINUTE).offersChanged, true);
  assert.deepEqual([offered(inventory), inventory.ailing()], [["claude 2.0.0"], {}]);
});

Deno.test("Inventory [C11.4] a program that cannot be started is believed when it was seen so twice, a minute apart", () => {
  const inventory = new Inventory(PATHS, [probed("claude"), probed("codex")]);
  const look = (nowMs: number, fault: AgentFault = "not_executable") =>
    inventory.replace([faulty("claude", fault), probed("codex")], nowMs);
  assert.deepEqual(look(0), { offersChanged: false, waiting: [], doubtful: true });
  assert.equal(look(MINUTE - 1).offersChanged, false);
  assert.equal(look(MINUTE - 1, "unavailable").doubtful, false, "another fault begins anew");
  assert.equal(look(MINUTE).offersChanged, false);
  assert.equal(look(2 * MINUTE - 1).doubtful, true);
  assert.deepEqual(look(2 * MINUTE), { offersChanged: true, waiting: [], doubtful: false });
  assert.deepEqual(offered(inventory), ["codex 1.0.0"]);
  assert.deepEqual(inventory.skipped(), { claude: "claude is not_executable" });
  assert.equal(look(9 * MINUTE).offersChanged, false);
});

Deno.test("Inventory [C11.4] too old, gone, or broken at another place takes effect at once, as does a first probe", () => {
  const elsewhere = { path: "/usr/bin/claude" };
  for (
    const agent of [
      faulty("claude", "below_minimum"),
      faulty("claude", "not_found", { path: "" }),
      faulty("claude", "unavailable", elsewhere),
    ]
  ) {
    const inventory = new Inventory(PATHS, [probed("claude")]);
    assert.equal(inventory.replace([agent], 0).offersChanged, true, agent.problem);
    assert.deepEqual(offered(inventory), []);
  }
  for (const fault of ["unavailable", "not_executable"] as const) {
    const unprobed = new Inventory(PATHS, [foundAgent("claude", { version: "" })]);
    assert.equal(unprobed.replace([faulty("claude", fault)], 0).offersChanged, true, fault);
  }
});
