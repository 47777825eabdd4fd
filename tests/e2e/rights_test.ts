/** The engine's rights, tried from inside a real narrowed Worker through the real supervisor. */
import assert from "node:assert/strict";
import { profilePaths } from "../../lib/config/mod.ts";
import { FakeMachine } from "../helpers/fake_cli.ts";
import { inRoot, startStubHost, type StubHost } from "../helpers/stub_host.ts";

/** As discovery and the operator's list name programs: directories resolved, the last part as it is called. */
const SH = `${Deno.realPathSync("/bin")}/sh`;
const CATALOG = [{ provider: "claude", command: "claude", homes: [".claude"] }];

async function onHost(work: (host: StubHost) => Promise<void>, allowCommands: string[] = []): Promise<void> {
  const machine = new FakeMachine();
  machine.script("bin/claude", "echo 2.1.0");
  machine.script("bin/other", "echo other 1.2.3");
  machine.file(".ssh/id_ed25519", "private key");
  machine.file(".claude/settings.json", "{}");
  const host = await startStubHost({ machine, catalog: CATALOG, config: { allowCommands } });
  try {
    await work(host);
  } finally {
    assert.equal(await host.stop(), 0);
    machine.dispose();
  }
}

Deno.test("engine rights: ~/.ssh is refused, by its path and by a way around", () =>
  onHost(async (host) => {
    const key = `${host.machine.home}/.ssh/id_ed25519`;
    assert.equal((await host.act("read", { path: key })).error, "NotCapable");
    assert.equal((await host.act("read", { path: inRoot(host, "../.ssh/id_ed25519") })).error, "NotCapable");
    assert.equal((await host.act("write", { path: key, text: "x" })).error, "NotCapable");
    assert.equal((await host.act("read", { path: "/proc/self/environ" })).error, "NotCapable");
    assert.equal(
      (await host.act("read", { path: `${host.machine.home}/.claude/settings.json` })).result,
      "{}",
    );
    await host.act("write", { path: inRoot(host, "note"), text: "ours" });
    assert.equal((await host.act("read", { path: inRoot(host, "note") })).result, "ours");
  }));

Deno.test("engine rights: an unlisted executable is refused, also as a copy in a writable place", () =>
  onHost(async (host) => {
    const { home } = host.machine;
    assert.equal((await host.act("run", { path: `${home}/bin/claude` })).result, "2.1.0\n");
    assert.equal((await host.act("run", { path: `${home}/bin/other` })).error, "LaunchError");
    assert.equal((await host.act("run", { path: "/bin/sh" })).error, "LaunchError");
    Deno.copyFileSync("/bin/true", inRoot(host, "true"));
    assert.equal((await host.act("run", { path: inRoot(host, "true") })).error, "LaunchError");
  }));

Deno.test("engine rights: an unlisted host is refused, the server and loopback are not", () =>
  onHost(async (host) => {
    assert.equal((await host.act("connect", { hostname: "192.0.2.1", port: "80" })).error, "NotCapable");
    assert.match((await host.act("fetch", { url: "http://example.com/" })).message ?? "", /net access/);
    assert.equal(
      (await host.act("connect", { hostname: "127.0.0.1", port: String(host.port) })).error,
      undefined,
    );
  }));

Deno.test("engine rights: the host's environment is closed", () =>
  onHost(async (host) => {
    assert.equal((await host.act("env", { name: "HOME" })).error, "NotCapable");
  }));

Deno.test("engine rights: signals and links are refused directly and work by broker, after policy", () =>
  onHost(async (host) => {
    const { home } = host.machine;
    const marker = `MULTICA_RUN=${crypto.randomUUID()}`;
    const script = "setsid sh -c 'echo $$; exec sleep 1000' & wait";
    const { result: pid } = await host.act("start", {
      path: SH,
      args: JSON.stringify(["-c", script]),
      marker,
    });
    assert.equal((await host.act("kill", { pid: String(-pid), signal: "SIGTERM" })).error, "NotCapable");
    assert.equal((await host.act("kill", { pid: String(Deno.pid), signal: "SIGTERM" })).error, "NotCapable");
    const ended = await host.act("broker", {
      name: "process.end",
      arg: JSON.stringify({ group: { pid, marker }, options: { graceMs: 2000 } }),
    });
    assert.equal(ended.message, undefined);
    assert.deepEqual([ended.result?.empty, ended.result?.killed], [true, false]);

    const wild = { pid: Deno.pid, marker: `HOME=${home}` };
    const call = { name: "process.end", arg: JSON.stringify({ group: wild, options: { graceMs: 0 } }) };
    assert.match((await host.act("broker", call)).message ?? "", /malformed request/);

    const link = (path: string, target: string) =>
      host.act("broker", { name: "link", arg: JSON.stringify({ path, target }) });
    assert.equal(
      (await host.act("symlink", { path: inRoot(host, "l"), target: inRoot(host) })).error,
      "NotCapable",
    );
    assert.equal((await link(inRoot(host, "l"), `${home}/.claude`)).error, undefined);
    assert.match((await link(inRoot(host, "m"), `${home}/.ssh`)).message ?? "", /outside/);
  }, [SH]));

Deno.test("engine rights: a program comes in only as the operator said, and runs after a reload", () =>
  onHost(async (host) => {
    const { home } = host.machine;
    const add = (command: string) =>
      host.act("broker", {
        name: "executable.add",
        arg: JSON.stringify({ command, profileId: "p", prefixArgs: [] }),
      });
    const { result: agent } = await add("claude");
    assert.deepEqual([agent.allowed, agent.version, agent.effective], [true, "2.1.0", true]);
    const { result: refused } = await add("other");
    assert.equal(refused.allowed, false);
    assert.match(refused.reason, /multica-host allow other/);

    host.machine.script("bin/late", "echo late 3.0.0");
    const { result: late } = await add("late");
    assert.deepEqual([late.allowed, late.path, late.effective], [true, `${home}/bin/late`, false]);
    assert.equal((await host.act("run", { path: late.path })).error, "LaunchError");
    await host.end("reload");
    while (
      !(await host.act("boot")).result.executables.includes(late.path)
    ) { /* the old engine still answers */ }
    assert.equal((await host.act("run", { path: late.path })).result, "late 3.0.0\n");
  }, ["late"]));

Deno.test("engine rights: local directories are opened one by one and never followed out [f22]", () =>
  onHost(async (host) => {
    const { home } = host.machine;
    host.machine.file("code/app/README.md", "hello");
    Deno.symlinkSync(`${home}/.ssh`, `${home}/code/app/planted`);
    const root = `${home}/code/app`;
    const call = (name: string, arg: unknown) => host.act("broker", { name, arg: JSON.stringify(arg) });
    const read = (path: string) => call("local", { root, ops: [{ op: "read", path }] });
    assert.equal((await host.act("read", { path: `${root}/README.md` })).error, "NotCapable");
    assert.match((await read(`${root}/README.md`)).message ?? "", /is not opened/);
    assert.deepEqual((await call("local.open", { path: root })).result, { ok: true, path: root });
    assert.deepEqual((await read(`${root}/README.md`)).result, [{ text: "hello" }]);
    assert.match((await read(`${root}/planted/id_ed25519`)).message ?? "", /not below the opened directory/);
    assert.equal((await call("local.open", { path: `${home}/.ssh` })).result.ok, false);
    assert.equal((await call("local.open", { path: home })).result.ok, false);
  }));

Deno.test("two hosts of one machine, two profiles: one of them has a local directory at a time [R46]", async () => {
  const machine = new FakeMachine();
  machine.file("repo/sub/README.md", "hello");
  const root = Deno.realPathSync(`${machine.home}/repo`);
  const start = (profile: string) =>
    startStubHost({ machine, config: { profile, paths: profilePaths(machine.home, profile) } });
  const [one, two] = [await start("one"), await start("two")];
  const ask = (host: StubHost, name: string, arg: unknown) =>
    host.act("broker", { name, arg: JSON.stringify(arg) });
  const lock = async (host: StubHost, path: string, task: string) =>
    await ask(host, "local.lock", { path, task });
  try {
    assert.match((await lock(one, root, "t1")).message ?? "", /is not opened/);
    await ask(one, "local.open", { path: root });
    await ask(two, "local.open", { path: `${root}/sub` });
    assert.deepEqual((await lock(one, root, "t1")).result, { held: true, holder: "" });
    assert.deepEqual((await lock(two, `${root}/sub`, "t2")).result, { held: false, holder: "t1" });
    assert.equal(await one.stop(), 0);
    assert.deepEqual((await lock(two, `${root}/sub`, "t2")).result, { held: true, holder: "" });
  } finally {
    for (const host of [one, two]) assert.equal(await host.stop(), 0);
    machine.dispose();
  }
});
