/** What this host answers to model, skill and update requests (spec 01 §4.22, 11.9). */
import { modelCatalog, providerRow } from "../agents/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import { importLocalSkill, listLocalSkills } from "../workdir/mod.ts";
import type { ActionPorts } from "./actions.ts";
import type { ClaimGate } from "./claim_gate.ts";
import { UpdateRequests } from "./update_requests.ts";

/** The ports of {@link Actions} that are not the control plane's. */
export function actionAnswers(
  config: HostConfig,
  gate: ClaimGate,
): Pick<ActionPorts, "models" | "skills" | "importSkill" | "update"> {
  const updates = new UpdateRequests(gate, noUpdate, config.launchedBy === "desktop" ? MANAGED : "");
  const places = (provider: string) => ({ provider, home: config.paths.home, env: config.inheritedEnv });
  return {
    models: ({ provider }) => {
      if (providerRow(provider) === undefined) {
        throw new Error(`no agent configured for provider "${provider}"`);
      }
      return Promise.resolve(modelCatalog(provider));
    },
    skills: ({ provider }) => listLocalSkills(places(provider)),
    importSkill: ({ provider }, key) => importLocalSkill(places(provider), key),
    update: (target, started, signal) => updates.run(target, started, signal),
  };
}

const MANAGED = "CLI is managed by Multica Desktop — update the Desktop app to upgrade the CLI";

function noUpdate(): Promise<string> {
  return Promise.reject(
    new Error(
      "this host does not update itself yet: install the new version with your package manager and restart it",
    ),
  );
}
