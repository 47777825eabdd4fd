import assert from "node:assert/strict";
import { join } from "node:path";
import { type Clock, DirectProcessControl, launch, systemClock } from "../../../lib/core/mod.ts";
import { AgentDiscovery, type DiscoverableAgent } from "../../../lib/runtimes/discovery.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { FakeMachine } from "../../helpers/fake_cli.ts";

const ROWS: readonly DiscoverableAgent[] = [
  {
    provider: "claude",
    command: "claude",
    minVersion: "2.0.0",
    install: "npm install -g @anthropic-ai/claude-code",
  },
  { provider: "codex", command: "codex", minVersion: "0.100.0", bundled: ["~/Applications/Codex.app/codex"] },
  { provider: "cursor", command: "cursor-agent" },
];

interface Setup {
  readonly env?: Record<string, string>;
  readonly overrides?: Record<string, string>;
  readonly clock?: Clock;
  readonly cacheFile?: string;
  readonly catalog?: readonly DiscoverableAgent[];
}

function discovery(machine: FakeMachine, setup: Setup = {}): AgentDiscovery {
  return new AgentDiscovery({
    catalog: setup.catalog ?? ROWS,
    overrides: setup.overrides ?? {},
    env: { HOME: machine.home, PATH: machine.path("bin1"), ...setup.env },
    home: machine.home,
    os: "linux",
    clock: setup.clock ?? systemClock,
    launch,
    processes: new DirectProcessControl(),
    ...(setup.cacheFile === undefined ? {} : { cacheFile: setup.cacheFile }),
  });
}

async function onMachine(work: (machine: FakeMachine) => Promise<void> | void): Promise<void> {
  const machine = new FakeMachine();
  try {
    await work(machine);
  } finally {
    machine.dispose();
  }
}

Deno.test("AgentDiscovery finds, probes and judges each agent apart", () =>
  onMachine(async (machine) => {
    const claude = machine.script("bin1/claude", "echo; echo '2.1.5 (Claude Code)'");
    machine.script("bin1/codex", "echo codex-cli 0.99.0");
    const agents = await discovery(machine).discover();
    assert.deepEqual(
      agents.map((agent) => [agent.provider, agent.path !== "", agent.version, agent.problem]),
      [
        ["claude", true, "2.1.5 (Claude Code)", ""],
        [
          "codex",
          true,
          "codex-cli 0.99.0",
          "codex version codex-cli 0.99.0 is below minimum required 0.100.0 - please upgrade",
        ],
        [
          "cursor",
          false,
          "",
          "cursor-agent was not found on PATH, by the login shell or in the usual directories",
        ],
      ],
    );
    assert.equal(agents[0]?.path, claude);
    assert.equal(agents[2]?.fix, "install cursor-agent, or set MULTICA_CURSOR_PATH");
  }));

Deno.test("AgentDiscovery: a hanging --version delays nobody and ends with its limit", () =>
  onMachine(async (machine) => {
    const clock = new FakeClock();
    machine.script("bin1/claude", "sleep 1000");
    machine.script("bin1/cursor-agent", "echo 1.0.0");
    const seen = Promise.withResolvers<string>();
    const all = discovery(machine, { clock }).discover({
      onAgent: (agent) => agent.provider === "cursor" && seen.resolve(agent.version),
    });
    assert.equal(await seen.promise, "1.0.0");
    await clock.advance(10_000, { io: true });
    const claude = (await all).find((agent) => agent.provider === "claude");
    assert.match(claude?.problem ?? "", /--version did not end within 10 s/);
  }));

Deno.test("AgentDiscovery: background children that hold the pipes cost at most the held limit and are ended", () =>
  onMachine(async (machine) => {
    const clock = new FakeClock();
    machine.script("bin1/claude", "sleep 1000 & echo 2.0.0");
    const all = discovery(machine, { clock, catalog: [ROWS[0]!] }).discover();
    while (clock.pending === 0 || clock.nextDue! < 2_000 || clock.nextDue! === 10_000) {
      await clock.advance(0, { io: true });
    }
    await clock.advance(2_000, { io: true });
    assert.equal((await all)[0]?.version, "2.0.0");
  }));

Deno.test("AgentDiscovery tries a second time after a quick failure", () =>
  onMachine(async (machine) => {
    machine.script(
      "bin1/claude",
      `[ -e ${machine.home}/once ] && echo 2.0.1 && exit 0; touch ${machine.home}/once; exit 3`,
    );
    const [claude] = await discovery(machine, { catalog: [ROWS[0]!] }).discover();
    assert.deepEqual([claude?.version, claude?.problem], ["2.0.1", ""]);
  }));

Deno.test("AgentDiscovery: an explicit bad path does not silently become another program", () =>
  onMachine(async (machine) => {
    machine.script("bin1/claude", "echo 2.0.0");
    const [claude] = await discovery(machine, { overrides: { claude: "/nowhere/claude" } }).discover();
    assert.deepEqual([claude?.path, claude?.problem, claude?.fix], [
      "",
      'MULTICA_CLAUDE_PATH names "/nowhere/claude", which is not an executable on this machine',
      "correct or unset MULTICA_CLAUDE_PATH",
    ]);
  }));

Deno.test("AgentDiscovery takes a bare override from PATH and a path override as given", () =>
  onMachine(async (machine) => {
    const wrapper = machine.script("bin1/my-claude", "echo 2.0.0");
    const codex = machine.script("elsewhere/codex-dev", "echo 0.200.0");
    const agents = await discovery(machine, { overrides: { claude: "my-claude", codex } }).discover();
    assert.deepEqual(agents.slice(0, 2).map((agent) => agent.path), [wrapper, codex]);
  }));

Deno.test("AgentDiscovery passes over ~/.multica/hooks", () =>
  onMachine(async (machine) => {
    machine.script(".multica/hooks/claude", 'exec claude "$@"');
    const real = machine.script("bin1/claude", "echo 2.0.0");
    const env = { PATH: machine.path(".multica/hooks", "bin1") };
    assert.equal((await discovery(machine, { env }).discover())[0]?.path, real);
  }));

Deno.test("AgentDiscovery keeps the name of a shim but resolves its directory", () =>
  onMachine(async (machine) => {
    machine.script("manager/dispatch", 'echo "${0##*/} 2.3.4"');
    Deno.symlinkSync(join(machine.home, "manager/dispatch"), join(machine.home, "manager/claude"));
    Deno.symlinkSync(join(machine.home, "manager"), join(machine.home, "bin1"));
    const [claude] = await discovery(machine).discover();
    assert.deepEqual([claude?.path, claude?.version], [join(machine.home, "manager/claude"), "claude 2.3.4"]);
  }));

Deno.test("AgentDiscovery knows version managers' directories, and lets scripts find the interpreter beside them", () =>
  onMachine(async (machine) => {
    machine.script(".nvm/versions/node/v9.11.0/bin/claude", "echo 1.0.0");
    machine.script(".nvm/versions/node/v20.1.0/bin/my-node", "echo 2.5.0");
    const path = machine.file(".nvm/versions/node/v20.1.0/bin/claude", "#!/usr/bin/env my-node\n", 0o755);
    const [claude] = await discovery(machine).discover();
    assert.deepEqual([claude?.path, claude?.version, claude?.problem], [path, "2.5.0", ""]);
  }));

Deno.test("AgentDiscovery prefers nvm's default version", () =>
  onMachine((machine) => {
    const wanted = machine.script(".nvm/versions/node/v18.2.0/bin/claude", "echo 2.0.0");
    machine.script(".nvm/versions/node/v20.1.0/bin/claude", "echo 2.0.0");
    machine.file(".nvm/alias/default", "18\n");
    assert.equal(discovery(machine).locate()[0]?.path, wanted);
  }));

Deno.test("AgentDiscovery finds Codex inside its application, for the default command only", () =>
  onMachine(async (machine) => {
    const bundled = machine.script("Applications/Codex.app/codex", "echo codex-cli 0.120.0");
    assert.equal((await discovery(machine).discover())[1]?.path, bundled);
    const overridden = await discovery(machine, { overrides: { codex: "codex-nightly" } }).discover();
    assert.equal(overridden[1]?.path, "");
  }));

Deno.test("AgentDiscovery asks the login shell for what PATH lacks", () =>
  onMachine(async (machine) => {
    const hidden = machine.script("hidden/claude", "echo 2.0.0");
    machine.file(
      ".profile",
      `echo noise; PATH="${machine.home}/hidden:$PATH"; alias claude='echo alias'; cd() { echo no; }\n`,
    );
    const shell = machine.script("sh", 'HOME="$HOME" . "$HOME/.profile"; shift; eval "$1"');
    const env = { SHELL: shell, PATH: "/usr/bin:/bin" };
    const [claude] = await discovery(machine, { env, catalog: [ROWS[0]!] }).discover();
    assert.deepEqual([claude?.path, claude?.version], [hidden, "2.0.0"]);
  }));

Deno.test("AgentDiscovery does not start the shell when PATH suffices", () =>
  onMachine(async (machine) => {
    machine.script("bin1/claude", "echo 2.0.0");
    const shell = machine.script("sh", `touch ${machine.home}/started`);
    await discovery(machine, { env: { SHELL: shell }, catalog: [ROWS[0]!] }).discover();
    assert.throws(() => Deno.statSync(join(machine.home, "started")), Deno.errors.NotFound);
  }));

Deno.test("AgentDiscovery explains an npm placeholder and how to repair it", () =>
  onMachine(async (machine) => {
    machine.file(
      "it's/package.json",
      JSON.stringify({ name: "tool", scripts: { postinstall: "node install.cjs" } }),
    );
    machine.file("it's/bin/claude", "placeholder\n", 0o755);
    const path = join(machine.home, "it's/bin/claude");
    const [claude] = await discovery(machine, { overrides: { claude: path }, catalog: [ROWS[0]!] })
      .discover();
    assert.match(claude?.problem ?? "", /placeholder, not a program/);
    const command = `cd '${machine.home}/it'\\''s' && node install.cjs`;
    assert.deepEqual([claude?.fix, claude?.fault, claude?.repair], [
      command,
      "not_executable",
      { packageName: "tool", command, shell: "sh" },
    ]);
  }));

Deno.test("AgentDiscovery [C11.4] tells a passing fault from one that takes the agent away", () =>
  onMachine(async (machine) => {
    const fault = async (body: string | undefined) => {
      if (body === undefined) Deno.removeSync(join(machine.home, "bin1/claude"));
      else machine.script("bin1/claude", body);
      return (await discovery(machine, { catalog: [ROWS[0]!] }).discover())[0]?.fault;
    };
    assert.equal(await fault("echo 2.0.0"), undefined);
    assert.equal(await fault("exit 3"), "unavailable");
    assert.equal(await fault("echo no version here"), "unavailable");
    assert.equal(await fault("echo 1.9.9"), "below_minimum");
    assert.equal(await fault(undefined), "not_found");
    machine.file("bin1/claude", "#!/bin/sh-that-is-not-there\n", 0o755);
    assert.equal((await discovery(machine, { catalog: [ROWS[0]!] }).discover())[0]?.fault, "unavailable");
  }));

Deno.test("AgentDiscovery.locate() starts nothing and remembers versions of unchanged files", () =>
  onMachine(async (machine) => {
    const path = machine.script("bin1/claude", `echo 2.0.0; echo run >> ${machine.home}/runs`);
    const cacheFile = join(machine.home, "agents.json");
    assert.deepEqual(
      discovery(machine, { cacheFile }).locate().slice(0, 1).map((
        agent,
      ) => [agent.path, agent.version, agent.problem]),
      [[path, "", ""]],
    );
    await discovery(machine, { cacheFile }).discover();
    assert.equal(discovery(machine, { cacheFile }).locate()[0]?.version, "2.0.0");
    assert.equal(Deno.readTextFileSync(join(machine.home, "runs")), "run\n");
    machine.script("bin1/claude", "echo 2.0.0 and longer");
    assert.equal(discovery(machine, { cacheFile }).locate()[0]?.version, "");
  }));

Deno.test("AgentDiscovery tells of an agent this version cannot drive, and starts nothing of it", () =>
  onMachine(async (machine) => {
    machine.script("bin1/kimi", 'touch "$0.started"; echo 1.0.0');
    const catalog = [{ provider: "kimi", command: "kimi", unsupported: true }];
    const finder = discovery(machine, { catalog });
    for (const [agent] of [finder.locate(), await finder.discover()]) {
      assert.equal(agent!.problem, "kimi is not supported by this version yet");
      assert.notEqual(agent!.path, "");
      assert.throws(() => Deno.statSync(`${agent!.path}.started`));
    }
  }));

Deno.test("AgentDiscovery says what a program said that does not tell its version", () =>
  onMachine(async (machine) => {
    machine.script("bin1/claude", "echo boom >&2; exit 3");
    const [agent] = await discovery(machine, { catalog: [ROWS[0]!] }).discover();
    assert.match(agent!.problem, /--version failed: exit status 3: boom$/);
  }));

Deno.test("AgentDiscovery finds what a version manager installed since the last look", () =>
  onMachine(async (machine) => {
    const finder = discovery(machine, { catalog: [ROWS[0]!] });
    assert.equal((await finder.discover())[0]!.path, "");
    const path = machine.script(".nvm/versions/node/v22.2.0/bin/claude", "echo 2.1.5");
    assert.equal((await finder.discover())[0]!.path, path);
  }));
