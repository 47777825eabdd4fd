/** The engine of a whole host dies or hangs while an agent works: real Worker, real agent, real plane (f21). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Hold, type TaskSpec } from "../../lib/plane/mod.ts";
import { alive, type E2eWorld, withWorld } from "../helpers/e2e_world.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FaultyHost } from "../helpers/faulty_host.ts";
import { treeOf } from "../helpers/workdir_world.ts";

const DONE = ["completed", "failed", "cancelled"];
/** Works in two sessions of its own, one of which ignores TERM; says when it is asked to end. */
const HELD = `
trap 'echo asked >> "$STAGE/asked"; exit 143' TERM
init
say "Working."
use t1 Bash '{"command":"sleep"}'
(trap "" TERM HUP; exec setsid sleep 300) > /dev/null &
echo $! > "$STAGE/tool"
hold mid
result "Too late."`;
const AGAIN = 'init\nsay "Again."\nresult "Done."';

/** A task whose agent works, with everything it said so far at the server. */
async function working(
  world: E2eWorld,
  spec: Partial<TaskSpec> = {},
): Promise<{ id: string; pid: number; tool: number; session: string }> {
  const { plane, agent } = world;
  const mid = agent.hold("mid");
  const id = world.task(spec);
  const told = plane.until(() => plane.messages(id).length >= 2);
  await Promise.all([mid.reached, told, plane.until(() => plane.task(id)!.session_id !== "")]);
  const [start] = agent.starts();
  const tool = Number(await Deno.readTextFile(`${agent.stage}/tool`));
  agent.play(AGAIN);
  return { id, tool, pid: start!.pid, session: start!.session };
}

/** The first attempt is over with all it said, nothing of it runs, and one more attempt went on with its session. */
async function recovered(world: E2eWorld, run: Awaited<ReturnType<typeof working>>): Promise<void> {
  const { plane, agent } = world;
  const first = await plane.taskState(run.id, DONE);
  assert.equal(first.status, "failed");
  assert.equal(first.failure_reason, "runtime_recovery");
  assert.equal(first.session_id, run.session);
  assert.deepEqual(plane.messages(run.id).map((row) => [row.seq, row.content ?? row.tool]), [
    [1, "Working."],
    [2, "Bash"],
  ]);
  assert.deepEqual([alive(run.pid), alive(run.tool)], [false, false]);
  assert.equal(await Deno.readTextFile(`${agent.stage}/asked`), "asked\n", "it had its grace");
  const retry = plane.tasks().find((task) => task.parent_task_id === run.id);
  const next = await plane.taskState(retry!.id, DONE);
  assert.equal(next.status, "completed", next.error);
  assert.equal(next.output, "Done.");
  assert.deepEqual(agent.starts().map(({ session }) => session), [run.session, run.session]);
  assert.equal(plane.tasks().length, 2);
  const reports = ["/complete", "/fail"].map((what) => world.calls(run.id, what).length);
  assert.deepEqual(reports, [0, 1]);
}

Deno.test.beforeAll(FaultyHost.load);

Deno.test("the engine dies while an agent works: its tree ends, the attempt is reported, the next goes on once [f21]", () =>
  withWorld({ play: HELD }, async (world) => {
    await using host = await FaultyHost.start(world);
    const run = await working(world);
    host.fault("die");
    await host.engine("running", 1);
    await recovered(world, run);
    assert.equal(await host.stop(), 0);
  }));

Deno.test("the engine hangs while an agent works: it is replaced, its tree ends, the next goes on once [f21]", () =>
  withWorld({ play: HELD }, async (world) => {
    const clock = new FakeClock();
    await using host = await FaultyHost.start(world, clock);
    const run = await working(world);
    host.fault("hang");
    await host.engine("restarting", 1, () => clock.advance(5_000, { io: true }));
    await host.engine("running", 1, () => clock.advance(500, { io: true }));
    await recovered(world, run);
    assert.equal(await host.stop(), 0);
  }));

Deno.test("the engine dies between the agent's end and the server's answer: the result arrives once [f21]", () =>
  withWorld({ plane: { gate: true } }, async (world) => {
    const { plane, agent } = world;
    const reporting = new Hold();
    const fault = plane.faults.script("POST /api/daemon/tasks/:id/complete", [
      { hold: reporting, reset: "before" },
    ]);
    await using host = await FaultyHost.start(world);
    const id = world.task();
    await reporting.reached;
    fault.clear();
    host.fault("die");
    await host.engine("running", 1);
    const task = await plane.taskState(id, DONE);
    assert.deepEqual([task.status, task.output], ["completed", "Done."]);
    assert.deepEqual(plane.messages(id).map((row) => row.content), ["Working."]);
    assert.equal(world.calls(id, "/complete").filter((one) => one.status === 200).length, 1);
    assert.equal(world.calls(id, "/fail").length, 0);
    assert.deepEqual([agent.starts().length, plane.tasks().length, plane.usage(id).length], [1, 1, 1]);
    assert.equal(await host.stop(), 0);
  }));

Deno.test("the engine dies while an agent works in a user's own directory: the next engine gives it back [04.6, f21]", () =>
  withWorld({ play: HELD }, async (world) => {
    const { plane, home } = world;
    const localDir = join(home.dir, "project");
    await Deno.mkdir(localDir);
    await Deno.writeTextFile(join(localDir, "README.md"), "# mine");
    const before = treeOf(localDir);
    await using host = await FaultyHost.start(world);
    const { id } = await working(world, { localDir, maxAttempts: 1 });
    assert.notDeepEqual(treeOf(localDir), before);
    host.fault("die");
    await host.engine("running", 1);
    assert.equal((await plane.taskState(id, DONE)).failure_reason, "runtime_recovery");
    assert.deepEqual(treeOf(localDir), before);
    assert.equal(await host.stop(), 0);
  }));
