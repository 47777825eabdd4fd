/** The real CLIs of npm as `tests/agents` runs them: their driver, their configuration for the scripted model, their shell tool. */
import { claudeDriver } from "../../lib/agents/claude.ts";
import { codexDriver } from "../../lib/agents/codex.ts";
import { copilotDriver } from "../../lib/agents/copilot.ts";
import type { Driver } from "../../lib/agents/mod.ts";
import { openCodeDriver } from "../../lib/agents/opencode.ts";
import { qwenDriver } from "../../lib/agents/qwen.ts";
import type { ToolCall } from "../fixtures/model_server/server.ts";
import { AGENT_CLIS, type AgentCliName, installCli } from "./agent_clis.ts";
import type { RealAgent } from "./real_agent.ts";

/** How a CLI is told where its model is. */
type Prepare = RealAgent["prepare"];

interface RealCli {
  readonly driver: Driver;
  readonly prepare: Prepare;
  /** Its `--version` line, for the version it is pinned to. */
  readonly version?: (pinned: string) => string;
  /** A call of its shell tool. */
  readonly shell: (command: string) => ToolCall;
}

const bash = (command: string): ToolCall => ({ name: "bash", input: { command, description: "run it" } });

/** Codex keeps its configuration in a file; `more` goes before its first table. */
export function codexHome(more = ""): Prepare {
  return async (home, url) => {
    await Deno.mkdir(`${home}/codex`);
    await Deno.writeTextFile(
      `${home}/codex/config.toml`,
      `model = "gpt-scripted"
model_provider = "scripted"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
${more}
[analytics]
enabled = false
[model_providers.scripted]
name = "scripted"
base_url = "${url}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
`,
    );
    return { CODEX_HOME: `${home}/codex`, SCRIPTED_KEY: "sk-scripted" };
  };
}

const openCodeHome: Prepare = async (home, url) => {
  await Deno.mkdir(`${home}/.config/opencode`, { recursive: true });
  const scripted = {
    npm: "@ai-sdk/openai-compatible",
    name: "Scripted",
    options: { baseURL: `${url}/v1`, apiKey: "sk-scripted" },
    models: { m1: { name: "M1" } },
  };
  const model = "scripted/m1";
  const config = { model, small_model: model, autoupdate: false, provider: { scripted } };
  await Deno.writeTextFile(`${home}/.config/opencode/opencode.json`, JSON.stringify(config));
  return { OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" };
};

/** For CLIs that are told by variables alone. */
function variables(of: (url: string) => Readonly<Record<string, string>>): Prepare {
  return (_home, url) => Promise.resolve(of(url));
}

const REAL_CLIS: Readonly<Record<AgentCliName, RealCli>> = {
  claude: {
    driver: claudeDriver,
    prepare: variables((url) => ({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: "sk-scripted",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_MAX_RETRIES: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
    })),
    shell: (command) => ({ name: "Bash", input: { command, description: "run it" } }),
  },
  codex: {
    driver: codexDriver,
    prepare: codexHome("allow_login_shell = false"),
    version: (pinned) => `codex-cli ${pinned}`,
    shell: (cmd) => ({ name: "exec_command", input: { cmd } }),
  },
  opencode: { driver: openCodeDriver, prepare: openCodeHome, shell: bash },
  copilot: {
    driver: copilotDriver,
    prepare: variables((url) => ({
      COPILOT_OFFLINE: "true",
      COPILOT_AUTO_UPDATE: "false",
      COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
      COPILOT_PROVIDER_API_KEY: "sk-scripted",
      COPILOT_MODEL: "gpt-5",
    })),
    shell: bash,
  },
  qwen: {
    driver: qwenDriver,
    prepare: variables((url) => ({
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_API_KEY: "sk-scripted",
      OPENAI_MODEL: "m1",
    })),
    shell: (command) => ({
      name: "run_shell_command",
      input: { command, description: "run it", is_background: false },
    }),
  },
};

/** A CLI, installed if it was not; what of it differs from the usual set-up can be given. */
export async function realCli(name: AgentCliName, more: Partial<RealAgent> = {}): Promise<RealAgent> {
  const { driver, prepare, version } = REAL_CLIS[name];
  const pinned = AGENT_CLIS[name].version;
  return {
    driver,
    provider: name,
    executable: await installCli(name),
    version: version?.(pinned) ?? pinned,
    prepare,
    ...more,
  };
}

/** A call of the CLI's shell tool. */
export function shellCall(name: AgentCliName, command: string): ToolCall {
  return REAL_CLIS[name].shell(command);
}
