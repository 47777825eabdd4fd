/** What this host answers to model, skill and update requests (spec 01 §4.22, 11.9). */
import { providerRow } from "../agents/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import { launch } from "../core/mod.ts";
import { type LaunchTarget, ModelLists } from "../runtimes/mod.ts";
import type { EngineBoot } from "../supervisor/mod.ts";
import { importLocalSkill, listLocalSkills } from "../workdir/mod.ts";
import type { ActionPorts } from "./actions.ts";
import type { ClaimGate } from "./claim_gate.ts";
import { startProgram } from "./start_program.ts";
import { UpdateRequests } from "./update_requests.ts";
import type { EnginePorts } from "./worker_scope.ts";

/** The ports of {@link Actions} beside server and registry. */
export function actionAnswers(
  config: HostConfig,
  gate: ClaimGate,
  lists: ModelLists,
  targetOf: (runtimeId: string) => LaunchTarget,
): Pick<ActionPorts, "models" | "skills" | "importSkill" | "update"> {
  const updates = new UpdateRequests(gate, noUpdate, config.launchedBy === "desktop" ? MANAGED : "");
  const places = (provider: string) => ({ provider, home: config.paths.home, env: config.inheritedEnv });
  return {
    models: async ({ id, provider }) => {
      const row = providerRow(provider);
      if (row === undefined) throw new Error(`no agent configured for provider "${provider}"`);
      return row.modelVariable ? await lists.list(targetOf(id)) : undefined;
    },
    skills: ({ provider }) => listLocalSkills(places(provider)),
    importSkill: ({ provider }, key) => importLocalSkill(places(provider), key),
    update: (target, started, signal) => updates.run(target, started, signal),
  };
}

/** Asks the agents this engine may start. */
export function modelLists(boot: EngineBoot, { clock, processes }: EnginePorts): ModelLists {
  return new ModelLists({
    clock,
    processes,
    launch: (spec) => launch(startProgram(spec, boot)),
    env: boot.config.inheritedEnv,
    home: boot.config.paths.home,
  });
}

const MANAGED = "CLI is managed by Multica Desktop — update the Desktop app to upgrade the CLI";

function noUpdate(): Promise<string> {
  return Promise.reject(
    new Error(
      "this host does not update itself yet: install the new version with your package manager and restart it",
    ),
  );
}
