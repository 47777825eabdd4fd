/** The life of a whole host around a scripted engine: hang, death, second host, signals, refusals to start. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type HostError, openLogs, Redactor } from "../../lib/core/mod.ts";
import { FakeMachine } from "../helpers/fake_cli.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { moment } from "../helpers/moment.ts";
import { inRoot, startStubHost, type StubHost, type StubHostOptions } from "../helpers/stub_host.ts";

const SH = `${Deno.realPathSync("/bin")}/sh`;

async function onHost(options: StubHostOptions, work: (host: StubHost) => Promise<void>): Promise<void> {
  const machine = options.machine ?? new FakeMachine();
  const host = await startStubHost({ ...options, machine });
  try {
    await work(host);
  } finally {
    machine.dispose();
  }
}

/** Starts a tree of which one part ignores TERM in a session of its own; returns the pids of all. */
async function startTree(host: StubHost): Promise<number[]> {
  const marker = `MULTICA_RUN=${crypto.randomUUID()}`;
  const file = join(host.machine.home, "pids");
  const script =
    `setsid sh -c 'trap "" TERM; echo $$ >> ${file}; echo up; while :; do sleep 1000; done' & echo $$ >> ${file}; wait`;
  await host.act("start", { path: SH, args: JSON.stringify(["-c", script]), marker });
  for (;;) {
    const pids = Deno.readTextFileSync(file).trim().split("\n").map(Number);
    if (pids.length === 2) return pids;
    await moment();
  }
}

/** Pids of these that run (zombies do not). */
async function running(pids: readonly number[]): Promise<number[]> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", `for p in ${pids.join(" ")}; do cat /proc/$p/stat 2>/dev/null; done; true`],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => /\) [^ZX] /.test(line)).map((line) =>
    parseInt(line)
  );
}

Deno.test("host restarts an engine that throws, and its agents' trees are gone [f21]", () =>
  onHost({ config: { allowCommands: [SH] } }, async (host) => {
    const pids = await startTree(host);
    await host.end("fail");
    const { result } = await host.act("boot");
    assert.equal(result.restarts, 1);
    assert.deepEqual(await running(pids), []);
    assert.deepEqual((await host.health())["engine"], { state: "running", restarts: 1 });
    assert.equal(await host.stop(), 0);
  }));

Deno.test("host restarts an engine that hangs; /health answers all the while [f21]", async () => {
  const clock = new FakeClock();
  await onHost({ clock }, async (host) => {
    await host.act("boot");
    const hung = host.end("hang");
    const engine = async () => (await host.health())["engine"] as { state: string; restarts: number };
    assert.deepEqual(await engine(), { state: "running", restarts: 0 });
    for (let waited = 0; (await engine()).state !== "restarting"; waited += 5_000) {
      assert.ok(waited <= 60_000);
      await clock.advance(5_000, { io: true });
    }
    await hung;
    while ((await engine()).state === "restarting") await clock.advance(1_000, { io: true });
    assert.equal((await host.act("boot")).result.restarts, 1);
    assert.equal(await host.stop(), 0);
  });
});

Deno.test("host drains at the first signal and forces at the second: the tree is empty before it is over, exit code 1", () =>
  onHost(
    { config: { deviceName: "stubborn", allowCommands: [SH], drainTimeoutMs: 600_000 } },
    async (host) => {
      const pids = await startTree(host);
      assert.equal((await running(pids)).length, 2);
      host.signal("SIGTERM");
      assert.equal((await host.health())["status"], "stopping");
      host.signal("SIGTERM");
      assert.equal(await host.exit, 1);
      assert.deepEqual(await running(pids), []);
    },
  ));

Deno.test("host stops by POST /shutdown with the credential of its file, and leaves no pid file or credential", () =>
  onHost({}, async (host) => {
    const { credentialFile, pidFile } = host.config.paths;
    assert.equal(Deno.readTextFileSync(pidFile), String(Deno.pid));
    assert.equal((Deno.statSync(credentialFile).mode ?? 0) & 0o777, 0o600);
    const post = async (credential: string) => {
      const headers = { authorization: `Bearer ${credential}` };
      const answer = await fetch(`http://127.0.0.1:${host.port}/shutdown`, { method: "POST", headers });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await post("wrong"), 401);
    assert.equal(await post(Deno.readTextFileSync(credentialFile)), 200);
    assert.equal(await host.exit, 0);
    assert.throws(() => Deno.statSync(pidFile), Deno.errors.NotFound);
    assert.throws(() => Deno.statSync(credentialFile), Deno.errors.NotFound);
  }));

Deno.test("a second host of the profile is refused with the pid of the first [f10]", () =>
  onHost({}, async (host) => {
    await assert.rejects(
      startStubHost({ machine: host.machine, config: { healthPort: host.port } }),
      (error: HostError) => error.message.includes(`pid ${Deno.pid}`) && error.exitCode === 1,
    );
    assert.equal(Deno.readTextFileSync(host.config.paths.credentialFile), host.credential);
    assert.equal(await host.stop(), 0);
  }));

Deno.test("a host without a token names the login command, with the profile", async () => {
  const machine = new FakeMachine();
  const start = (profile: string) => startStubHost({ machine, config: { token: "", profile } });
  await assert.rejects(
    start(""),
    (error: HostError) => error.hint === "multica-host login" && error.exitCode === 3,
  );
  await assert.rejects(
    start("staging"),
    (error: HostError) => error.hint === "multica-host login --profile staging",
  );
  machine.dispose();
});

Deno.test("a new login in the profile's file is masked in the logs before anybody can name it [03 §8]", async () => {
  const token = "neues-wort-77";
  const clock = new FakeClock();
  let said = "";
  let redactor = new Redactor();
  const logs = openLogs({
    level: "error",
    mask: (text) => redactor.text(text),
    stream: { write: (text) => said += text, pretty: false, colour: false },
  });
  const onToken = (found: string) => redactor = redactor.with([found]);
  try {
    await onHost({ clock, onToken }, async (host) => {
      await host.act("boot");
      Deno.writeTextFileSync(host.config.paths.configFile, JSON.stringify({ token }));
      while (said === "") {
        await clock.advance(2_000, { io: true });
        await host.health();
      }
      assert.match(said, /ERR taken over .*token=\[REDACTED\]/);
      assert.equal(await host.stop(), 0);
    });
  } finally {
    logs.close();
  }
});

Deno.test("a host whose workspaces root cannot be used says so in one sentence", async () => {
  const machine = new FakeMachine();
  machine.file("multica_workspaces", "a file");
  await assert.rejects(
    startStubHost({ machine }),
    new RegExp(`Cannot use the workspaces root "${machine.home}/multica_workspaces": it is not a directory`),
  );
  machine.dispose();
});

Deno.test("a pid file that names a stranger is taken over [f11]", async () => {
  const machine = new FakeMachine();
  machine.file(".multica/daemon.pid", "1");
  await onHost({ machine }, async (host) => {
    assert.equal(Deno.readTextFileSync(host.config.paths.pidFile), String(Deno.pid));
    assert.equal(await host.stop(), 0);
  });
});

Deno.test("a planted link in the workspaces root is not followed by the broker's own file layer [f22]", () =>
  onHost({}, async (host) => {
    host.machine.file(".ssh/id", "secret");
    Deno.symlinkSync(join(host.machine.home, ".ssh"), inRoot(host, "planted"));
    const call = {
      name: "link",
      arg: JSON.stringify({ path: inRoot(host, "planted/new"), target: inRoot(host) }),
    };
    assert.match((await host.act("broker", call)).message ?? "", /outside of this host's directories/);
    assert.equal(await host.stop(), 0);
  }));
