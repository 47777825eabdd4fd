/** What this host answers to model, skill and update requests (spec 01 §4.22). */
import { modelCatalog, providerRow } from "../agents/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import { importLocalSkill, listLocalSkills } from "../workdir/mod.ts";
import type { ActionPorts } from "./actions.ts";

/** The ports of {@link Actions} that need nothing but the configuration. */
export function actionAnswers(
  config: HostConfig,
): Pick<ActionPorts, "models" | "skills" | "importSkill" | "update"> {
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
    update: () => {
      throw new Error(
        config.launchedBy === "desktop"
          ? "CLI is managed by Multica Desktop — update the Desktop app to upgrade the CLI"
          : "this host does not update itself yet: install the new version with your package manager and restart it",
      );
    },
  };
}
