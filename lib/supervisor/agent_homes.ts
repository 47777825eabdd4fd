/** Where the agents' CLIs keep their own settings, credentials and sessions: part of the engine's file rights. */
import { join } from "node:path";

/** Provider → paths below home, and the variables that move them. */
const HOMES: Readonly<
  Record<string, { readonly dirs: readonly string[]; readonly variables?: readonly string[] }>
> = {
  claude: { dirs: [".claude", ".claude.json"], variables: ["CLAUDE_CONFIG_DIR"] },
  codebuddy: { dirs: [".codebuddy", ".codebuddy.json"], variables: ["CODEBUDDY_CONFIG_DIR"] },
  codex: { dirs: [".codex"], variables: ["CODEX_HOME"] },
  copilot: { dirs: [".copilot", ".config/github-copilot"], variables: ["COPILOT_HOME"] },
  cursor: { dirs: [".cursor", ".config/cursor"] },
  opencode: {
    dirs: [".opencode", ".config/opencode", ".local/share/opencode", ".local/state/opencode"],
    variables: ["OPENCODE_CONFIG_DIR"],
  },
  openclaw: { dirs: [".openclaw"], variables: ["OPENCLAW_HOME", "OPENCLAW_STATE_DIR"] },
  hermes: { dirs: [".hermes"], variables: ["HERMES_HOME"] },
  pi: { dirs: [".pi"], variables: ["PI_CODING_AGENT_DIR"] },
  omp: { dirs: [".omp"] },
  kimi: { dirs: [".kimi", ".kimi-code"], variables: ["KIMI_SHARE_DIR", "KIMI_CODE_HOME"] },
  kiro: { dirs: [".kiro", ".local/share/kiro-cli"], variables: ["KIRO_HOME"] },
  antigravity: { dirs: [".gemini", ".antigravity"] },
  qoder: { dirs: [".qoder"] },
  qoderclicn: { dirs: [".qoder", ".qoder-cn"] },
  grok: { dirs: [".grok"], variables: ["GROK_HOME"] },
  qwen: { dirs: [".qwen"] },
  qwenpaw: { dirs: [".qwenpaw", ".copaw"] },
  traecli: { dirs: [".trae"] },
  reasonix: { dirs: [".reasonix"], variables: ["REASONIX_STATE_HOME"] },
  deveco: { dirs: [".deveco"] },
  dsh: { dirs: [".dsh"] },
  mcode: { dirs: [".mcode"] },
  dim: { dirs: [".dim"] },
};

/** Skills shared by several agents. */
const SHARED = [".agents"];

/** The homes of these providers, absolute. A variable that moves one adds its place. */
export function agentHomes(
  providers: readonly string[],
  home: string,
  env: Readonly<Record<string, string>>,
): string[] {
  const found = new Set<string>(SHARED.map((dir) => join(home, dir)));
  for (const provider of providers) {
    const row = HOMES[provider];
    for (const dir of row?.dirs ?? []) found.add(join(home, dir));
    for (const variable of row?.variables ?? []) {
      const value = (env[variable] ?? "").trim();
      if (value.startsWith("/") || /^[a-z]:[\\/]/i.test(value)) found.add(value);
    }
  }
  return [...found];
}
