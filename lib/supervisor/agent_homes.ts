/** Where the agents' CLIs keep their own settings, credentials and sessions: part of the engine's file rights. */
import { isAbsolute, join } from "node:path";

/** What is needed of a provider's row. */
export interface HomesRow {
  readonly provider: string;
  /** Below the user's home directory. */
  readonly homes?: readonly string[];
}

/** Variables that move a provider's home elsewhere. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  claude: ["CLAUDE_CONFIG_DIR"],
  codebuddy: ["CODEBUDDY_CONFIG_DIR"],
  codex: ["CODEX_HOME"],
  copilot: ["COPILOT_HOME"],
  opencode: ["OPENCODE_CONFIG_DIR"],
  openclaw: ["OPENCLAW_HOME", "OPENCLAW_STATE_DIR"],
  hermes: ["HERMES_HOME"],
  pi: ["PI_CODING_AGENT_DIR"],
  kimi: ["KIMI_SHARE_DIR", "KIMI_CODE_HOME"],
  kiro: ["KIRO_HOME"],
  grok: ["GROK_HOME"],
  reasonix: ["REASONIX_STATE_HOME"],
};

/** Skills shared by several agents. */
const SHARED = [".agents"];

/** The homes of these providers, absolute. A variable that moves one adds its place. */
export function agentHomes(
  rows: readonly HomesRow[],
  home: string,
  env: Readonly<Record<string, string>>,
): string[] {
  const found = new Set<string>(SHARED.map((dir) => join(home, dir)));
  for (const row of rows) {
    for (const dir of row.homes ?? []) found.add(join(home, dir));
    for (const variable of VARIABLES[row.provider] ?? []) {
      const value = (env[variable] ?? "").trim();
      if (isAbsolute(value)) found.add(value);
    }
  }
  return [...found];
}
