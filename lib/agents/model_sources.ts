/** How a CLI is asked which models it has (spec 08 §3, §5.1, §5.8, §7.4). Those not here have their plain list. */
import { type CatalogModel, modelCatalog } from "./model_catalog.ts";
import { parseCodebuddyLevels, parseCodebuddyModels, parseOpenCodeModels } from "./models_parse.ts";

/** Commands of one CLI, tried in order until one names a model. */
export interface ModelSource {
  readonly commands: readonly (readonly string[])[];
  /** All commands together, ms. */
  readonly limitMs: number;
  /** Reads stdout and stderr; whatever the exit code was. */
  readonly parse: (output: string) => readonly CatalogModel[];
}

const SOURCES: Readonly<Record<string, ModelSource>> = {
  opencode: {
    commands: [["models", "--verbose"], ["models"]],
    limitMs: 15_000,
    parse: parseOpenCodeModels,
  },
  codebuddy: { commands: [["--help"]], limitMs: 35_000, parse: codebuddyModels },
};

/** Undefined for a CLI that is not asked. */
export function modelSource(provider: string): ModelSource | undefined {
  return Object.hasOwn(SOURCES, provider) ? SOURCES[provider] : undefined;
}

/** Providers whose plain list is only a stand-in for what their CLI would say (spec 08 §17.7). */
const STAND_INS = new Set(["codex", "copilot", "cursor", "codebuddy"]);

/** The plain list, when nobody was asked or nobody answered. */
export function plainModels(provider: string): ModelList {
  return { models: modelCatalog(provider), fallback: STAND_INS.has(provider) };
}

/** A list, and whether it is only a stand-in. */
export interface ModelList {
  readonly models: readonly CatalogModel[];
  readonly fallback: boolean;
}

/** Every model takes the levels of the help text. */
function codebuddyModels(help: string): CatalogModel[] {
  const levels = parseCodebuddyLevels(help);
  const thinking = { supported_levels: levels, default_level: "medium" };
  return parseCodebuddyModels(help).map((model) => levels.length === 0 ? model : { ...model, thinking });
}
