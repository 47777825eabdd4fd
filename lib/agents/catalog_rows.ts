/** The providers, one row each (spec 06 §1.1, 03 §6.1 and 17.9, 04 §5 and 20, 05 §3 and 27.2, 07 §9–10). */
import type { DriverId } from "./catalog_drivers.ts";

/** What the host knows of one provider. Plain data: it crosses threads. */
export interface ProviderRow {
  /** Provider key on the wire. */
  readonly provider: string;
  /** Name for people. */
  readonly label: string;
  /** Default command name. `MULTICA_<X>_PATH` overrides it. */
  readonly command: string;
  /** Lowest version that works, "" = any. */
  readonly minVersion: string;
  /** Files inside applications, `~/` for home; looked at for the default command only. */
  readonly bundled: readonly string[];
  /** How it is installed; "" where the vendor names no command. */
  readonly install: string;
  /** Launch header shown in the UI. */
  readonly header: string;
  /** May be the protocol family of a custom runtime profile. */
  readonly profileBase: boolean;
  /** Brief file in the work directory. */
  readonly briefFile: string;
  /** Skill directory below the work directory, "" = provider home or none. */
  readonly skillDir: string;
  /** The brief also goes into the prompt (`systemPrompt`). */
  readonly inlineBrief: boolean;
  /** The CLI says when it refuses a resume; of the others a failed run without session may be a refusal (spec 06 §11.14). */
  readonly detectsRejection: boolean;
  /** `MULTICA_<X>_ARGS` exists. */
  readonly argsVariable: boolean;
  /** `MULTICA_<X>_MODEL` exists. */
  readonly modelVariable: boolean;
  /** The CLI's own files below the home directory, for the engine's rights. */
  readonly homes: readonly string[];
  /** Protocol driver; undefined = not supported by this version yet. */
  readonly driver: DriverId | undefined;
  /** Only offered by the demo and by `local`, never registered with a real server. */
  readonly rehearsal: boolean;
}

const USUAL: Omit<ProviderRow, "provider" | "label" | "command" | "header" | "driver"> = {
  minVersion: "",
  bundled: [],
  install: "",
  profileBase: true,
  briefFile: "AGENTS.md",
  skillDir: "",
  inlineBrief: false,
  detectsRejection: true,
  argsVariable: false,
  modelVariable: true,
  homes: [],
  rehearsal: false,
};

/** All providers, in the order of the supported-list of spec 06 §1.1, newer ones after. */
export const PROVIDERS: readonly ProviderRow[] = [
  {
    ...USUAL,
    provider: "claude",
    label: "Claude Code",
    command: "claude",
    header: "claude (stream-json)",
    driver: "claude",
    minVersion: "2.0.0",
    install: "npm install -g @anthropic-ai/claude-code",
    briefFile: "CLAUDE.md",
    skillDir: ".claude/skills",
    argsVariable: true,
    homes: [".claude", ".claude.json"],
  },
  {
    ...USUAL,
    provider: "codebuddy",
    label: "CodeBuddy",
    command: "codebuddy",
    header: "codebuddy (stream-json)",
    driver: "codebuddy",
    install: "npm install -g @tencent-ai/codebuddy-code",
    briefFile: "CODEBUDDY.md",
    skillDir: ".codebuddy/skills",
    argsVariable: true,
    homes: [".codebuddy", ".codebuddy.json"],
  },
  {
    ...USUAL,
    provider: "codex",
    label: "Codex",
    command: "codex",
    header: "codex app-server",
    driver: "codex",
    minVersion: "0.100.0",
    install: "npm install -g @openai/codex",
    bundled: [
      "/Applications/Codex.app/Contents/Resources/codex",
      "~/Applications/Codex.app/Contents/Resources/codex",
    ],
    argsVariable: true,
    homes: [".codex"],
  },
  {
    ...USUAL,
    provider: "copilot",
    label: "GitHub Copilot",
    command: "copilot",
    header: "copilot (json)",
    driver: "copilot",
    minVersion: "1.0.0",
    install: "npm install -g @github/copilot",
    skillDir: ".github/skills",
    detectsRejection: false,
    homes: [".copilot"],
  },
  {
    ...USUAL,
    provider: "opencode",
    label: "OpenCode",
    command: "opencode",
    header: "opencode run (json)",
    driver: "opencode",
    install: "npm install -g opencode-ai",
    skillDir: ".opencode/skills",
    detectsRejection: false,
    homes: [".config/opencode", ".local/share/opencode", ".local/state/opencode", ".cache/opencode"],
  },
  {
    ...USUAL,
    provider: "openclaw",
    label: "OpenClaw",
    command: "openclaw",
    header: "openclaw agent (json)",
    driver: undefined,
    skillDir: "skills",
    inlineBrief: true,
    homes: [".openclaw"],
  },
  {
    ...USUAL,
    provider: "hermes",
    label: "Hermes",
    command: "hermes",
    header: "hermes acp",
    driver: undefined,
    homes: [".hermes"],
  },
  {
    ...USUAL,
    provider: "pi",
    label: "Pi",
    command: "pi",
    header: "pi (json mode)",
    driver: undefined,
    skillDir: ".pi/skills",
    homes: [".pi"],
  },
  {
    ...USUAL,
    provider: "cursor",
    label: "Cursor Agent",
    command: "cursor-agent",
    header: "cursor-agent (stream-json)",
    driver: "cursor",
    skillDir: ".cursor/skills",
    detectsRejection: false,
    homes: [".cursor", ".config/cursor"],
  },
  {
    ...USUAL,
    provider: "kimi",
    label: "Kimi",
    command: "kimi",
    header: "kimi acp",
    driver: undefined,
    skillDir: ".kimi/skills",
    inlineBrief: true,
    homes: [".kimi"],
  },
  {
    ...USUAL,
    provider: "kiro",
    label: "Kiro",
    command: "kiro-cli",
    header: "kiro-cli acp",
    driver: undefined,
    skillDir: ".kiro/skills",
    homes: [".kiro"],
  },
  {
    ...USUAL,
    provider: "antigravity",
    label: "Antigravity",
    command: "agy",
    header: "agy -p (print mode)",
    driver: undefined,
    skillDir: ".agents/skills",
    detectsRejection: false,
    homes: [".gemini"],
  },
  {
    ...USUAL,
    provider: "qoder",
    label: "Qoder",
    command: "qodercli",
    header: "qodercli --acp",
    driver: undefined,
    skillDir: ".qoder/skills",
    homes: [".qoder"],
  },
  {
    ...USUAL,
    provider: "deveco",
    label: "Deveco",
    command: "deveco",
    header: "deveco run (json)",
    driver: undefined,
    install: "npm install -g @deveco/deveco-code",
    skillDir: ".deveco/skills",
    detectsRejection: false,
    homes: [".config/deveco"],
  },
  {
    ...USUAL,
    provider: "qwen",
    label: "Qwen Code",
    command: "qwen",
    header: "qwen -p (stream-json)",
    driver: "qwen",
    minVersion: "0.20.0",
    briefFile: "QWEN.md",
    skillDir: ".qwen/skills",
    argsVariable: true,
    homes: [".qwen"],
  },
  {
    ...USUAL,
    provider: "omp",
    label: "Oh-My-Pi",
    command: "omp",
    header: "omp (json mode)",
    driver: undefined,
    profileBase: false,
    skillDir: ".omp/skills",
    homes: [".omp"],
  },
  {
    ...USUAL,
    provider: "reasonix",
    label: "Reasonix",
    command: "reasonix",
    header: "reasonix acp",
    driver: undefined,
    skillDir: ".reasonix/skills",
    homes: [".reasonix"],
  },
  {
    ...USUAL,
    provider: "dsh",
    label: "DeepSeek Harness",
    command: "dsh",
    header: "dsh --profile multica (stdio)",
    driver: undefined,
    install: "npm install -g @deepseek-ai/dsh",
    skillDir: ".dsh/skills",
    homes: [".dsh"],
  },
  {
    ...USUAL,
    provider: "qoderclicn",
    label: "Qoder CN",
    command: "qoderclicn",
    header: "qoderclicn --acp",
    driver: undefined,
    skillDir: ".qoder/skills",
    homes: [".qoder-cn"],
  },
  {
    ...USUAL,
    provider: "traecli",
    label: "Trae",
    command: "traecli",
    header: "traecli acp serve",
    driver: undefined,
    skillDir: ".traecli/skills",
    inlineBrief: true,
    homes: [".traecli"],
  },
  {
    ...USUAL,
    provider: "grok",
    label: "Grok",
    command: "grok",
    header: "grok agent stdio",
    driver: undefined,
    minVersion: "0.2.89",
    skillDir: ".grok/skills",
    homes: [".grok"],
  },
  {
    ...USUAL,
    provider: "qwenpaw",
    label: "QwenPaw",
    command: "qwenpaw",
    header: "qwenpaw acp",
    driver: undefined,
    inlineBrief: true,
    argsVariable: true,
    modelVariable: false,
    homes: [".qwenpaw", ".copaw"],
  },
  {
    ...USUAL,
    provider: "mcode",
    label: "MiniMax Code",
    command: "mcode",
    header: "mcode acp",
    driver: undefined,
    minVersion: "0.1.2",
    install: "npm install -g @minimax-ai/code",
    skillDir: ".minimax/skills",
    modelVariable: false,
    homes: [".minimax"],
  },
  {
    ...USUAL,
    provider: "dim",
    label: "Dim",
    command: "dim",
    header: "dim acp",
    driver: undefined,
    minVersion: "0.3.10",
    homes: [".dim"],
  },
  {
    ...USUAL,
    provider: "rehearsal",
    label: "Rehearsal (no model)",
    command: "multica-host",
    header: "multica-host __rehearsal",
    driver: "claude",
    profileBase: false,
    briefFile: "CLAUDE.md",
    skillDir: ".claude/skills",
    modelVariable: false,
    rehearsal: true,
  },
];
