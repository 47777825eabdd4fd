/** What goes wrong at a start: one clear sentence and the right exit code each (spec 03 §13.2; reliability §4). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type E2eWorld, withWorld, type WorldOptions } from "../helpers/e2e_world.ts";
import type { HostProcess } from "../helpers/host_process.ts";
import { TinyDisk } from "../helpers/e2e_disk.ts";

/** Waits for a host that cannot start; gives its error sentence. */
async function refusal(host: HostProcess, code: number): Promise<string> {
  const status = await host.ended;
  assert.equal(status.code, code, host.output);
  const errors = host.output.split("\n").filter((line) => line.startsWith("error: "));
  assert.equal(errors.length, 1, host.output);
  assert.doesNotMatch(host.output, /^ +at /m, "no stack for people");
  return host.output.slice(host.output.indexOf("error: "));
}

Deno.test("a wrong token ends the host with one sentence, the login command and exit code 3 [R8]", () =>
  withWorld({ home: { token: "mul_wrong" } }, async (world) => {
    const said = await refusal(world.start(), 3);
    assert.match(said, /token/i);
    assert.match(said, new RegExp(`multica-host login --profile ${world.profile}`));
    assert.doesNotMatch(said, /mul_wrong/);
  }));

Deno.test("a host without a token names the login command, exit code 3", () =>
  withWorld({ home: { token: "" } }, async (world) => {
    assert.match(await refusal(world.start(), 3), /not logged in/);
  }));

Deno.test("an unreachable server keeps the host `starting`, says so once, and a stop then is exit code 2", () =>
  withWorld({ home: { serverUrl: `http://127.0.0.1:${closedPort()}` } }, async (world) => {
    const host = world.start();
    const health = await host.until((health) => claiming(health).why.includes("cannot work with"));
    assert.equal(health["status"], "starting");
    assert.match(claiming(health).why, /^cannot work with http:\/\/127\.0\.0\.1:\d+ yet: .*refused/i);
    const status = await world.run("status");
    assert.match(status.stdout, /starting/);
    assert.match(status.stdout, /Claiming: +no: cannot work with/);
    assert.equal((await host.stop()).code, 2, host.output);
    const lines = host.output.split("\n").filter((line) => line.includes("server not ready"));
    assert.equal(lines.length, 1, host.output);
  }));

Deno.test("a server that comes back is taken up without a restart", () =>
  withWorld({ plane: { gate: true } }, async (world) => {
    const back = await world.plane.faults.outage({ mode: "refuse" });
    const host = world.start();
    await host.until((health) => claiming(health).why.includes("cannot work with"));
    await back();
    await host.ready();
    assert.equal((await host.stop()).code, 0);
  }));

Deno.test("a busy port ends the host with the port's number and exit code 1", () =>
  withWorld({}, async (world) => {
    const other = Deno.serve(
      { hostname: "127.0.0.1", port: world.port, onListen: () => {} },
      () => new Response("hello"),
    );
    try {
      assert.match(
        await refusal(world.start(), 1),
        new RegExp(`its port ${world.port} is in use by another program`),
      );
    } finally {
      await other.shutdown();
    }
  }));

Deno.test("a second host on the profile is refused with the pid of the first, which goes on [f10]", () =>
  withWorld({}, async (world) => {
    const first = await world.running();
    const said = await refusal(world.start(), 1);
    assert.match(said, new RegExp(`already runs \\(pid ${first.child.pid},`));
    assert.match(said, /multica-host stop --profile/);
    const task = await world.plane.taskState(world.task(), ["completed", "failed"]);
    assert.equal(task.status, "completed", task.error);
    assert.equal((await first.stop()).code, 0);
  }));

Deno.test("a host without any agent starts and says so", () =>
  withWorld({}, async (world) => {
    const host = world.start({ MULTICA_CLAUDE_PATH: "", SHELL: "" });
    const health = await host.ready();
    assert.deepEqual(health["agents"], []);
    assert.match(claiming(health).why, /no agent CLI is usable/);
    const status = await world.run("status");
    assert.match(status.stdout, /Claiming: +no: no runtime is registered: no agent CLI is usable/);
    assert.equal((await host.stop()).code, 0);
  }));

Deno.test("an agent whose path is wrong is not offered, and /health says why", () =>
  withWorld({}, async (world) => {
    const host = world.start({ MULTICA_CLAUDE_PATH: "/nowhere/claude" });
    const health = await host.ready();
    const skipped = health["skipped_agents"] as Record<string, string>;
    assert.equal(
      skipped["claude"],
      'MULTICA_CLAUDE_PATH names "/nowhere/claude", which is not an executable on this machine',
    );
    const agents = await world.run("agents", { MULTICA_CLAUDE_PATH: "/nowhere/claude" });
    assert.match(agents.stdout, /^claude: MULTICA_CLAUDE_PATH names "\/nowhere\/claude"/m);
    assert.equal((await host.stop()).code, 0);
  }));

Deno.test("an unwritable workspaces root ends the host with its path and what to do, exit code 1", () =>
  withWorld({}, async (world) => {
    const root = await unwritable(world);
    const said = await refusal(world.start({ MULTICA_WORKSPACES_ROOT: root }), 1);
    assert.ok(said.startsWith(`error: Cannot use the workspaces root "${root}": `), said);
    assert.match(said, /may not write there|does not write into the system's own directories/);
    assert.match(said, /MULTICA_WORKSPACES_ROOT/);
  }));

Deno.test("a bad setting is refused by name, value and what would be right, exit code 1", () =>
  withWorld({}, async (world) => {
    const said = await refusal(world.start({ MULTICA_DAEMON_POLL_INTERVAL: "soon" }), 1);
    assert.match(said, /MULTICA_DAEMON_POLL_INTERVAL/);
    assert.match(said, /soon/);
    assert.match(said, /30s/);
  }));

/** A world whose state directory is a disk of its own with 1 MiB. */
async function onTinyDisk(work: (world: E2eWorld, disk: TinyDisk) => Promise<void>): Promise<void> {
  const disk = await TinyDisk.mount();
  const options: WorldOptions = { play: 'init\nsay "Working."\nhold mid\nsay "Still."\nresult "Done."' };
  try {
    await withWorld(options, async (world) => {
      await Deno.remove(world.home.stateDir, { recursive: true });
      await Deno.symlink(disk.dir, world.home.stateDir);
      const settings = { server_url: world.plane.url, token: world.plane.token };
      await Deno.writeTextFile(join(disk.dir, "config.json"), JSON.stringify(settings), { mode: 0o600 });
      await work(world, disk);
    });
  } finally {
    await disk.unmount();
  }
}

const noDisk = !await TinyDisk.possible();

Deno.test({
  name:
    "a full disk: claiming stops with a sentence, the running task finishes, and room brings it back [f07]",
  ignore: noDisk,
  fn: () =>
    onTinyDisk(async (world, disk) => {
      const { plane } = world;
      const mid = world.agent.hold("mid");
      const host = await world.running({ MULTICA_DAEMON_POLL_INTERVAL: "1s", MULTICA_LOG_MAX_SIZE: "1MB" });
      const first = world.task();
      await mid.reached;
      await disk.fill();
      const second = world.task();
      await mid.release();
      const task = await plane.taskState(first, ["completed", "failed"]);
      assert.equal(task.status, "completed", task.error);
      assert.equal(plane.messages(first).map((one) => one.content).join(""), "Working.Still.");
      const health = await host.until((health) => claiming(health).state === "paused");
      assert.match(claiming(health).why, /disk has no room/);
      const after = world.agent.hold("mid");
      await disk.empty();
      await after.reached;
      await after.release();
      assert.equal((await plane.taskState(second, ["completed", "failed"])).status, "completed");
      assert.equal((await host.stop()).code, 0);
    }),
});

Deno.test({
  name: "a disk that is full at the start ends the host with one sentence",
  ignore: noDisk,
  fn: () =>
    onTinyDisk(async (world, disk) => {
      await disk.fill();
      const host = world.start();
      const said = await refusal(host, 1);
      assert.match(said, /no space left|full|no room/i);
      assert.ok(said.includes(world.home.stateDir) || said.includes(disk.dir), said);
    }),
});

/** A directory that this user cannot make: below one without write rights; root, which needs none, below /sys. */
async function unwritable(world: E2eWorld): Promise<string> {
  if (Deno.build.os === "linux" && Deno.uid() === 0) return "/sys/multica";
  const closed = join(world.home.dir, "closed");
  await Deno.mkdir(closed, { mode: 0o555 });
  return join(closed, "root");
}

interface Claiming {
  readonly state: string;
  readonly why: string;
}

function claiming(health: Record<string, unknown>): Claiming {
  return health["claiming"] as Claiming;
}

function closedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
