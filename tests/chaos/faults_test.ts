/** Named faults on the whole host, with real agents' processes: what the unit tests prove piece by piece. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { alive, withWorld } from "../helpers/e2e_world.ts";
import { commandLines } from "../helpers/process_control.ts";

const DONE = ["completed", "failed", "cancelled"];
const MIB = 1024 * 1024;

Deno.test("a host whose connections are half-open notices within two heartbeats and goes on [f05]", () =>
  withWorld({ plane: { gate: true } }, async (world) => {
    const { plane } = world;
    const host = await world.running({ MULTICA_DAEMON_HEARTBEAT_INTERVAL: "1s" });
    await host.until((health) => sentence(health, "socket").startsWith("connected"));
    // The second beat says that the first was acknowledged: from then on a missing answer means something.
    const beat = (after: number) =>
      plane.waitForRequest((one) => one.method === "WS" && one.path === "daemon:heartbeat" && one.n > after);
    await beat((await beat(0)).n);
    const reopened = plane.waitForEvent((event) => event.type === "socket" && event.to === "open");
    plane.halfOpen({ all: true });
    await reopened;
    const task = await plane.taskState(world.task(), DONE);
    assert.equal(task.status, "completed", task.error);
    assert.equal((await host.stop()).code, 0, host.output);
  }));

const STUBBORN = String.raw`
init
say "Done already."
(trap "" TERM HUP; setsid sh -c 'trap "" TERM HUP; echo $$ > "$0"; while :; do sleep 300; done' "$STAGE/daemon") &
while [ ! -s "$STAGE/daemon" ]; do sleep 0.01; done
result "Done."`;

Deno.test("a stubborn agent's daemon that ignores TERM and holds stdout is gone before the slot is free [f08]", () =>
  withWorld({ play: STUBBORN }, async (world) => {
    const { plane, agent } = world;
    const host = await world.running({ MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "1" });
    const first = await plane.taskState(world.task(), DONE);
    assert.equal(first.status, "completed", first.error);
    const daemon = Number(await Deno.readTextFile(join(agent.stage, "daemon")));
    agent.play('init\nresult "Next."');
    const second = await plane.taskState(world.task(), DONE);
    assert.equal(second.status, "completed", second.error);
    assert.equal(alive(daemon), false, "it lives on beside the next task");
    assert.equal(alive(agent.starts()[0]!.pid), false);
    assert.equal((await host.stop()).code, 0, host.output);
  }));

/** 64 MiB for the program that is shipped (measured: 50). The sources run without its V8 flag (measured: 66–87). */
const LIMIT = ((Deno.env.get("MULTICA_HOST_BINARY") ?? "") === "" ? 128 : 64) * MIB;

const HOSTILE = String.raw`
init
printf '\377\376\000\001 no json\n'
printf '{"type":"assistant","session_id":"%s","message":{"role":"assistant","model":"m","content":[{"type":"text","text":"a\377b"}]}}\n' "$session"
head -c 67108864 /dev/zero | tr '\0' x
printf '\n'
line '{"type":'
say "Still here."
result "Survived."`;

Deno.test({
  name: "hostile output costs neither the task nor the host's memory [f09]",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withWorld({}, async (world) => {
      const { plane, agent } = world;
      const host = await world.running();
      assert.equal((await plane.taskState(world.task(), DONE)).status, "completed");
      const idle = peakMemory(host.child.pid);
      agent.play(HOSTILE);
      const id = world.task();
      const task = await plane.taskState(id, DONE);
      assert.equal(task.status, "completed", task.error);
      assert.equal(task.output, "Survived.");
      const told = plane.messages(id).map((row) => row.content ?? "").join("\n");
      assert.match(told, /a\ufffdb/);
      assert.match(told, /Still here\./);
      const cost = peakMemory(host.child.pid) - idle;
      assert.ok(cost < LIMIT, `${Math.round(cost / MIB)} MiB over idle`);
      assert.equal((await host.stop()).code, 0, host.output);
    }),
});

/**
 * Ten seconds of output as fast as the pipe takes it (`yes` offers gigabytes a second): words, a tool call with a
 * result of 100 KB, a line that is no JSON; then a line cut in its middle.
 */
const FLOOD = String.raw`
init
big=$(head -c 100000 /dev/zero | tr '\0' x)
turn=$(say "A word."; use t1 Bash '{"command":"cat big"}'; got t1 "$big"; line 'no json')
timeout 10 yes "$turn"
line ''
say "Still here."
result "Survived."`;

Deno.test({
  name:
    "an agent that offers 200 MB/s and more for ten seconds costs neither the task nor the host's memory [f09]",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withWorld({ patienceMs: 180_000 }, async (world) => {
      const { plane, agent } = world;
      const host = await world.running({ MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "1" });
      assert.equal((await plane.taskState(world.task(), DONE)).status, "completed");
      const idle = peakMemory(host.child.pid);
      agent.play(FLOOD);
      const id = world.task();
      const task = await plane.taskState(id, DONE);
      assert.equal(task.status, "completed", task.error);
      assert.equal(task.output, "Survived.");
      const rows = plane.messages(id);
      assert.deepEqual(rows.map((row) => row.seq), rows.map((_, at) => at + 1), "rows are missing");
      assert.match(rows.at(-1)!.content ?? "", /Still here\.$/);
      const results = rows.filter((row) => row.type === "tool_result");
      assert.ok(results.length > 0 && results.every((row) => row.output!.length === 8_192));
      const cost = peakMemory(host.child.pid) - idle;
      assert.ok(cost < LIMIT, `${Math.round(cost / MIB)} MiB over idle`);
      // The only slot is free only when the tree is proven gone.
      agent.play('init\nresult "Next."');
      assert.equal((await plane.taskState(world.task(), DONE)).status, "completed");
      assert.deepEqual(commandLines(`MULTICA_TASK_ID=${id}`), []);
      assert.equal((await host.stop()).code, 0, host.output);
    }),
});

Deno.test("a batch of which the server stored three rows is completed, not repeated [f20]", () =>
  withWorld({ play: sayings(10) }, async (world) => {
    const { plane } = world;
    const fault = plane.faults.script("POST /api/daemon/tasks/:id/messages", [{ partial: 3 }]);
    const host = await world.running();
    const id = world.task();
    const task = await plane.taskState(id, DONE);
    assert.equal(task.status, "completed", task.error);
    assert.equal(fault.used, 1);
    const rows = plane.messages(id);
    assert.deepEqual(rows.map((row) => row.seq), rows.map((_, at) => at + 1));
    assert.equal(rows.filter((row) => row.type === "tool_use").length, 10);
    assert.equal((await host.stop()).code, 0, host.output);
  }));

for (
  const [what, names, reused] of [
    ["in place of the brief", ["CLAUDE.md"], true],
    ["in place of the host's own directories", [".multica", ".claude", ".agent_context"], false],
  ] as const
) {
  Deno.test(`links an agent plants ${what} are not followed by the host [f22]`, () =>
    withWorld({}, async (world) => {
      const { plane, agent, home } = world;
      const host = await world.running();
      const outside = join(home.dir, "outside");
      await Deno.mkdir(outside);
      await Deno.writeTextFile(join(outside, "CLAUDE.md"), "untouched");
      const plant = names.map((name) =>
        `rm -rf ${name}; ln -s '${name === "CLAUDE.md" ? join(outside, name) : outside}' ${name}`
      );
      agent.play(["init", ...plant, 'result "Planted."'].join("\n"));
      const first = await plane.taskState(world.task(), DONE);
      assert.equal(first.status, "completed", first.error);
      agent.play('init\nresult "Again."');
      const second = await plane.taskState(world.task({ issueId: first.issue_id }), DONE);
      assert.equal(second.status, "completed", second.error);
      const [one, two] = agent.starts();
      assert.equal(one!.cwd === two!.cwd, reused, host.output);
      assert.equal(await Deno.readTextFile(join(outside, "CLAUDE.md")), "untouched");
      assert.deepEqual([...Deno.readDirSync(outside)].map((entry) => entry.name), ["CLAUDE.md"]);
      assert.equal((await host.stop()).code, 0, host.output);
      // The host gathers its log lines; all of them are out when it has ended.
      if (!reused) assert.match(host.output, /earlier directory not .*\blink\b/);
    }));
}

/** A play of `count` tool calls. */
function sayings(count: number): string {
  const calls = Array.from({ length: count }, (_, n) => `use t${n} Bash '{"n":${n}}'\ngot t${n} "done"`);
  return ["init", ...calls, 'result "Done."'].join("\n");
}

function sentence(health: Record<string, unknown>, name: string): string {
  return (health["status_sentences"] as Record<string, string>)[name] ?? "";
}

/** Highest resident memory of a process so far, bytes. */
function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]) * 1024;
}
