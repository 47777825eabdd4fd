/** Real CLIs whose tool calls look for `multica`, on a machine whose /etc/profile sets PATH anew. Needs root on Linux. */
import assert from "node:assert/strict";
import { codexDriver } from "../../lib/agents/codex.ts";
import { claudeDriver } from "../../lib/agents/claude.ts";
import { openCodeDriver } from "../../lib/agents/opencode.ts";
import { loginShellEnv } from "../../lib/workdir/login_shell.ts";
import { AGENT_CLIS, installCli } from "../helpers/agent_clis.ts";
import { type RealAgent, withRealAgent } from "../helpers/real_agent.ts";

/** A mount namespace of our own, in which /etc/profile can be another file. */
const ownMounts = Deno.build.os === "linux" &&
  (await new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).output().catch(() =>
      undefined
    ))
      ?.success === true;

const claude: RealAgent = {
  driver: claudeDriver,
  provider: "claude",
  executable: await installCli("claude"),
  version: AGENT_CLIS.claude.version,
  prepare: (_home, url) =>
    Promise.resolve({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: "sk-scripted",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
    }),
};

const codex: RealAgent = {
  driver: codexDriver,
  provider: "codex",
  executable: await installCli("codex"),
  version: `codex-cli ${AGENT_CLIS.codex.version}`,
  async prepare(home, url) {
    await Deno.mkdir(`${home}/codex`);
    await Deno.writeTextFile(
      `${home}/codex/config.toml`,
      `model = "gpt-scripted"
model_provider = "scripted"
approval_policy = "never"
sandbox_mode = "danger-full-access"
allow_login_shell = false
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.scripted]
name = "scripted"
base_url = "${url}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
`,
    );
    return { CODEX_HOME: `${home}/codex`, SCRIPTED_KEY: "sk-scripted" };
  },
};

/** As an older Codex, or one whose configuration is not ours: its own tools run in login shells. */
const codexInLoginShell: RealAgent = {
  ...codex,
  async prepare(home, url) {
    const env = await codex.prepare(home, url);
    const path = `${home}/codex/config.toml`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("allow_login_shell = false\n", ""));
    return env;
  },
};

const opencode: RealAgent = {
  driver: openCodeDriver,
  provider: "opencode",
  executable: await installCli("opencode"),
  version: AGENT_CLIS.opencode.version,
  async prepare(home, url) {
    await Deno.mkdir(`${home}/.config/opencode`, { recursive: true });
    const scripted = {
      npm: "@ai-sdk/openai-compatible",
      name: "Scripted",
      options: { baseURL: `${url}/v1`, apiKey: "sk-scripted" },
      models: { m1: { name: "M1" } },
    };
    const config = {
      model: "scripted/m1",
      small_model: "scripted/m1",
      autoupdate: false,
      provider: { scripted },
    };
    await Deno.writeTextFile(`${home}/.config/opencode/opencode.json`, JSON.stringify(config));
    return { OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" };
  },
};

const COMMAND = "multica plain; bash -lc 'multica login-shell'; bash -c 'multica inner'; echo path=$PATH";

for (
  const [agent, tool] of [
    [claude, { name: "Bash", input: { command: COMMAND, description: "run it" } }],
    [codex, { name: "exec_command", input: { cmd: COMMAND } }],
    [codexInLoginShell, { name: "exec_command", input: { cmd: COMMAND } }],
    [opencode, { name: "bash", input: { command: COMMAND, description: "run it" } }],
  ] as const
) {
  Deno.test({
    name: `${agent.provider}${
      agent === codexInLoginShell ? " in its login shell" : ""
    } (real) finds multica, in a login shell whose profile sets PATH anew as well`,
    ignore: !ownMounts,
    async fn() {
      await withRealAgent(agent, [{ tools: [tool] }, { text: "ok" }], async (house) => {
        await Deno.mkdir(`${house.home}/bin`);
        const shim = `${house.home}/bin/multica`;
        await Deno.writeTextFile(shim, "#!/bin/sh\necho found $1\n", { mode: 0o755 });
        await Deno.writeTextFile(`${house.home}/profile`, "PATH=/usr/bin:/bin\nexport PATH\n");
        // bash, which hands the exported function on, as a start from the host itself does.
        await Deno.writeTextFile(
          `${house.home}/agent`,
          `#!/bin/bash
[ -n "$AGENT_APART" ] || AGENT_APART=1 exec unshare -m "$0" "$@"
mount --bind ${house.home}/profile /etc/profile || exit 90
exec ${agent.executable} "$@"
`,
          { mode: 0o755 },
        );
        const { run, events } = await house.start({
          executable: `${house.home}/agent`,
          ...(agent.provider === "opencode" ? { model: "scripted/m1" } : {}),
          env: {
            SHELL: "/bin/bash",
            IS_SANDBOX: "1",
            PATH: `${house.home}/bin:${Deno.env.get("PATH")}`,
            ...loginShellEnv(`${house.home}/bin`),
          },
        });
        const result = await run.result;
        assert.equal(result.status, "completed", result.error);
        const said = events.find((event) => event.type === "tool_result");
        const output = said?.type === "tool_result" ? said.output : "";
        for (const where of ["plain", "login-shell", "inner"]) {
          assert.match(output, new RegExp(`found ${where}`));
        }
        await run.ended;
      });
    },
  });
}
