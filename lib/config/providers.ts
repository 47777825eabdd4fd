/** Names of the agent CLIs that settings may speak of (spec 03 §6.1, §17.9). The catalog itself is the agents' room's. */

/** Every provider with a `MULTICA_<NAME>_PATH` and `MULTICA_<NAME>_MODEL` variable. */
export const PROVIDER_NAMES: readonly string[] = [
  "claude",
  "codex",
  "opencode",
  "openclaw",
  "hermes",
  "pi",
  "cursor",
  "copilot",
  "kimi",
  "kiro",
  "codebuddy",
  "antigravity",
  "qoder",
  "deveco",
  "omp",
  "reasonix",
  "dsh",
  "qoderclicn",
  "traecli",
  "grok",
  "qwen",
  "qwenpaw",
  "mcode",
  "dim",
];

/** Providers with a `MULTICA_<NAME>_ARGS` variable. */
export const PROVIDERS_WITH_ARGS: readonly string[] = ["claude", "codex", "codebuddy", "qwen", "qwenpaw"];
