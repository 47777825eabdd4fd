/** Real CLIs whose tool calls look for `multica`, on a machine whose /etc/profile sets PATH anew. Needs root on Linux. */
import assert from "node:assert/strict";
import { installShim } from "../../lib/agentcli/mod.ts";
import { loginShellEnv } from "../../lib/workdir/login_shell.ts";
import type { AgentCliName } from "../helpers/agent_clis.ts";
import { type RealAgent, withRealAgent } from "../helpers/real_agent.ts";
import { codexHome, realCli, shellCall } from "../helpers/real_clis.ts";

/** A mount namespace of our own, in which /etc/profile can be another file. */
const ownMounts = Deno.build.os === "linux" &&
  (await new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).output().catch(() =>
      undefined
    ))
      ?.success === true;

/** As an older Codex, or one whose configuration is not ours: its own tools run in login shells. */
const codexInLoginShell = await realCli("codex", { prepare: codexHome() });

/**
 * Who, and the shell that starts it. A dash, as in pnpm's shims, drops the function bash would take from the environment;
 * `BASH_ENV` is left. Copilot hands `BASH_ENV` on to nobody; the function is left.
 */
const AGENTS: readonly (readonly [name: AgentCliName, agent: RealAgent, by: "bash" | "dash"])[] = [
  ["claude", await realCli("claude"), "dash"],
  ["codex", await realCli("codex"), "dash"],
  ["codex", codexInLoginShell, "dash"],
  ["opencode", await realCli("opencode"), "dash"],
  ["qwen", await realCli("qwen"), "dash"],
  ["copilot", await realCli("copilot"), "bash"],
];

/** Each way an agent's tool may look for it; a dash login shell has only the absolute path (docs/login_shells.md). */
const WAYS: Readonly<Record<string, (shim: string) => string>> = {
  "plain": () => "multica plain",
  "login-shell": () => "bash -lc 'multica login-shell'",
  "inner": () => "bash -c 'multica inner'",
  "below-dash": () => "dash -c \"bash -lc 'multica below-dash'\"",
  "by-path": (shim) => `dash -lc '${shim} by-path'`,
};

for (const [name, agent, by] of AGENTS) {
  const ways = Object.entries(WAYS).filter(([way]) => by === "dash" || way !== "below-dash");
  const where = agent === codexInLoginShell ? " in its login shell" : "";
  Deno.test({
    name: `${name}${where} (real) finds multica, in a login shell whose profile sets PATH anew as well`,
    ignore: !ownMounts,
    async fn() {
      await withRealAgent(agent, [], async (house) => {
        await Deno.writeTextFile(`${house.home}/host`, "#!/bin/sh\necho found $2\n", { mode: 0o755 });
        const shim = await installShim({ shimDir: `${house.home}/bin`, host: [`${house.home}/host`] });
        house.model.script(({ rounds }) =>
          rounds === 0
            ? { tools: [shellCall(name, ways.map(([, command]) => command(shim)).join("; "))] }
            : { text: "ok" }
        );
        await Deno.writeTextFile(`${house.home}/profile`, "PATH=/usr/bin:/bin\nexport PATH\n");
        await Deno.writeTextFile(
          `${house.home}/agent`,
          `#!/bin/${by}
[ -n "$AGENT_APART" ] || AGENT_APART=1 exec unshare -m "$0" "$@"
mount --bind ${house.home}/profile /etc/profile || exit 90
exec ${agent.executable} "$@"
`,
          { mode: 0o755 },
        );
        const { run, events } = await house.start({
          executable: `${house.home}/agent`,
          ...(name === "opencode" ? { model: "scripted/m1" } : {}),
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
        for (const [way] of ways) assert.match(output, new RegExp(`found ${way}`), output);
        await run.ended;
      });
    },
  });
}
