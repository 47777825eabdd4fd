/** Model lists in their plain form: what the host knows without asking a CLI (spec 08 §4, §17.7). */
import { openCodeTakesLevel } from "./models_parse.ts";

/** One reasoning level. */
export interface ThinkingLevel {
  readonly value: string;
  readonly label: string;
}

/** One model as the server shows it (spec 08 §1.1). */
export interface CatalogModel {
  readonly id: string;
  readonly label: string;
  readonly provider?: string;
  readonly default?: boolean;
  readonly thinking?: {
    readonly supported_levels: readonly ThinkingLevel[];
    readonly default_level?: string;
  };
}

const LABELS: Readonly<Record<string, string>> = {
  none: "None",
  minimal: "Minimal",
  low: "Low",
  medium: "Medium",
  high: "High",
  xhigh: "Extra high",
  max: "Max",
  ultra: "Ultra",
};

function levels(names: string, defaultLevel?: string): NonNullable<CatalogModel["thinking"]> {
  return {
    supported_levels: names.split(" ").map((value) => ({ value, label: LABELS[value] ?? value })),
    ...(defaultLevel === undefined ? {} : { default_level: defaultLevel }),
  };
}

const ALL_FIVE = "low medium high xhigh max";

function claude(id: string, label: string, effort: string, isDefault = false): CatalogModel {
  return {
    id,
    label,
    provider: "anthropic",
    ...(isDefault ? { default: true } : {}),
    thinking: levels(effort, "medium"),
  };
}

function codex(id: string, label: string, extra: string, level: string, isDefault = false): CatalogModel {
  const effort = `low medium high xhigh${extra === "" ? "" : ` ${extra}`}`;
  return {
    id,
    label,
    provider: "openai",
    ...(isDefault ? { default: true } : {}),
    thinking: levels(effort, level),
  };
}

function plain(
  provider: string,
  ...rows: readonly (readonly [id: string, label: string])[]
): readonly CatalogModel[] {
  return rows.map(([id, label]) => ({ id, label, provider }));
}

const CATALOGS: Readonly<Record<string, readonly CatalogModel[]>> = {
  claude: [
    claude("claude-sonnet-5", "Claude Sonnet 5", ALL_FIVE),
    claude("claude-sonnet-4-6", "Claude Sonnet 4.6", "low medium high max", true),
    claude("claude-fable-5", "Claude Fable 5", ALL_FIVE),
    claude("claude-opus-5", "Claude Opus 5", ALL_FIVE),
    claude("claude-opus-4-8", "Claude Opus 4.8", ALL_FIVE),
    claude("claude-opus-4-7", "Claude Opus 4.7", ALL_FIVE),
    claude("claude-haiku-4-5-20251001", "Claude Haiku 4.5", "low medium high"),
    claude("claude-opus-4-6", "Claude Opus 4.6", ALL_FIVE),
    claude("claude-sonnet-4-5", "Claude Sonnet 4.5", "low medium high max"),
  ],
  codex: [
    codex("gpt-5.6-sol", "GPT-5.6 Sol", "max ultra", "low", true),
    codex("gpt-5.6-terra", "GPT-5.6 Terra", "max ultra", "medium"),
    codex("gpt-5.6-luna", "GPT-5.6 Luna", "max", "medium"),
    codex("gpt-5.5", "GPT-5.5", "", "medium"),
    codex("gpt-5.4", "GPT-5.4", "", "medium"),
    codex("gpt-5.4-mini", "GPT-5.4-Mini", "", "medium"),
    codex("gpt-5.3-codex", "GPT-5.3-Codex", "", "medium"),
    codex("gpt-5.2", "GPT-5.2", "", "medium"),
  ],
  cursor: [{ id: "auto", label: "Auto", provider: "cursor", default: true }],
  copilot: [
    ...plain(
      "openai",
      ["gpt-5.5", "GPT-5.5"],
      ["gpt-5.4", "GPT-5.4"],
      ["gpt-5.4-mini", "GPT-5.4 mini"],
      ["gpt-5.3-codex", "GPT-5.3-Codex"],
      ["gpt-5.2-codex", "GPT-5.2-Codex"],
      ["gpt-5.2", "GPT-5.2"],
      ["gpt-5-mini", "GPT-5 mini"],
      ["gpt-4.1", "GPT-4.1"],
    ),
    ...plain(
      "anthropic",
      ["claude-opus-4.7", "Claude Opus 4.7"],
      ["claude-sonnet-4.6", "Claude Sonnet 4.6"],
      ["claude-sonnet-4.5", "Claude Sonnet 4.5"],
      ["claude-haiku-4.5", "Claude Haiku 4.5"],
    ),
  ],
  codebuddy: [
    { id: "claude-sonnet-4.6", label: "Claude Sonnet 4.6", provider: "anthropic", default: true },
    { id: "claude-opus-4.7", label: "Claude Opus 4.7", provider: "anthropic" },
    { id: "gemini-3.1-pro", label: "Gemini 3.1 Pro", provider: "google" },
    { id: "gpt-5.5", label: "GPT 5.5", provider: "openai" },
    { id: "deepseek-v3-2-volc-ioa", label: "Deepseek V3 2 Volc IOA", provider: "deepseek" },
  ],
};

/** The plain list of a provider; empty for those whose models only their CLI knows. At most one is the default. */
export function modelCatalog(provider: string): readonly CatalogModel[] {
  return CATALOGS[provider] ?? [];
}

/** What to do with an agent's reasoning level on a run (spec 08 §7.5). */
export type LevelVerdict = "send" | "drop" | "unknown";

const CONTEXT_TAG = /\[[1-9][0-9]*[km]\]$/;

/**
 * Whether a catalog, the plain one or what the CLI said, supports a level for a model: `send`, `drop`, or `unknown` where only the CLI could say
 * (the level is then passed through with a warning). A model's context tag is not part of its name.
 */
export function levelVerdict(
  provider: string,
  model: string,
  level: string,
  catalog: readonly CatalogModel[] = modelCatalog(provider),
): LevelVerdict {
  if (level === "") return "send";
  if (!catalog.some((entry) => entry.thinking !== undefined)) return "unknown";
  if (provider === "opencode") return openCodeTakesLevel(catalog, model, level) ? "send" : "drop";
  // Without a model Codex' default is the CLI's secret.
  if (model === "" && provider === "codex") return "drop";
  const name = model.replace(CONTEXT_TAG, "");
  const entry = catalog.find((row) => name === "" ? row.default === true : row.id === name);
  return entry?.thinking?.supported_levels.some((row) => row.value === level) ? "send" : "drop";
}
