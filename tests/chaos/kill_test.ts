/**
 * SIGKILL of the host at the points where a task could be lost or doubled. After a restart nothing is lost, nothing is doubled,
 * and nothing of the killed host's agents runs. Real processes throughout.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Hold } from "../../lib/plane/mod.ts";
import type { HostProcess } from "../helpers/host_process.ts";
import { alive, type E2eWorld, withWorld } from "../helpers/e2e_world.ts";
import { treeOf } from "../helpers/workdir_world.ts";

const DONE = ["completed", "failed", "cancelled"];
const HELD = `
init
say "Working."
use t1 Bash '{"command":"sleep"}'
(trap "" TERM HUP; exec setsid sleep 300) > /dev/null &
echo $! > "$STAGE/tool"
hold mid
got t1 "slept"
say "Ready."
result "All done."`;

/** The transcript has each row once, in order, without holes. */
function wholeTranscript(world: E2eWorld, id: string): string[] {
  const rows = world.plane.messages(id);
  assert.deepEqual(
    rows.map((row) => row.seq),
    rows.map((_, at) => at + 1),
    "rows lost, doubled or out of order",
  );
  return rows.map((row) => row.content ?? row.tool ?? "");
}

function accepted(world: E2eWorld, id: string, what: string): number {
  return world.calls(id, what).filter((one) => one.status >= 200 && one.status < 300).length;
}

/** The journal is empty and nothing runs. */
async function allDelivered(host: HostProcess): Promise<void> {
  await host.until((health) =>
    health["active_task_count"] === 0 &&
    (health["status_sentences"] as Record<string, string>)["reports"] === "everything delivered"
  );
}

/** The newest attempt of a task. */
function retryOf(world: E2eWorld, id: string): string {
  const retry = world.plane.tasks().find((task) => task.parent_task_id === id);
  assert.ok(retry !== undefined, "no new attempt");
  return retry.id;
}

Deno.test("SIGKILL after the claim: the attempt is reported, the next one runs, once", () =>
  withWorld({ plane: { gate: true } }, async (world) => {
    const { plane } = world;
    const starting = new Hold();
    const fault = plane.faults.script("POST /api/daemon/tasks/:id/start", [{
      hold: starting,
      reset: "before",
    }]);
    const host = await world.running();
    const id = world.task();
    await starting.reached;
    await host.kill();
    fault.clear();
    assert.equal(plane.task(id)!.status, "dispatched");

    await world.running();
    const first = await plane.taskState(id, DONE);
    assert.equal(first.failure_reason, "runtime_recovery");
    const next = await plane.taskState(retryOf(world, id), DONE);
    assert.equal(next.status, "completed", next.error);
    assert.equal(world.agent.starts().length, 1);
    assert.equal(accepted(world, next.id, "/complete"), 1);
  }));

Deno.test("SIGKILL after the claim of a task that is not retried: it is handed out again and runs once", () =>
  withWorld({ plane: { gate: true } }, async (world) => {
    const { plane } = world;
    const starting = new Hold();
    const fault = plane.faults.script("POST /api/daemon/tasks/:id/start", [{
      hold: starting,
      reset: "before",
    }]);
    const host = await world.running();
    const id = world.task({ kind: "autopilot", title: "Nightly" });
    await starting.reached;
    await host.kill();
    fault.clear();

    // The server hands a task out again when its lease is over: time passes there.
    plane.store.db.run("UPDATE tasks SET dispatched_at = 0, lease_until = NULL WHERE id = ?", id);
    await world.running();
    const task = await plane.taskState(id, DONE);
    assert.equal(task.status, "completed", task.error);
    assert.equal(world.agent.starts().length, 1);
    assert.equal(plane.tasks().length, 1);
  }));

Deno.test("SIGKILL in mid-run: what was said is kept, the agent's whole tree is gone, the next attempt goes on", () =>
  withWorld({ play: HELD }, async (world) => {
    const { plane, agent } = world;
    const mid = agent.hold("mid");
    const host = await world.running();
    const id = world.task();
    const told = plane.until(() => plane.messages(id).length >= 2);
    await Promise.all([mid.reached, told, plane.until(() => plane.task(id)!.session_id !== "")]);
    const [start] = agent.starts();
    const tool = Number(await Deno.readTextFile(`${agent.stage}/tool`));
    await host.kill();
    assert.ok(alive(tool), "the tool in a session of its own outlives the host");

    agent.play('init\nsay "Again."\nresult "Done."');
    const again = await world.running();
    const first = await plane.taskState(id, DONE);
    assert.equal(first.status, "failed");
    assert.equal(first.failure_reason, "runtime_recovery");
    assert.equal(first.session_id, start!.session);
    assert.equal(alive(start!.pid), false);
    assert.equal(alive(tool), false);
    assert.deepEqual(wholeTranscript(world, id), ["Working.", "Bash"]);
    const next = await plane.taskState(retryOf(world, id), DONE);
    assert.equal(next.status, "completed", next.error);
    assert.equal(agent.starts()[1]!.session, start!.session, "the session goes on");
    assert.equal(agent.starts().length, 2);
    assert.equal((await again.stop()).code, 0);
  }));

Deno.test("SIGKILL while a batch's answer is on its way: read back, no row lost or doubled [f20]", () =>
  withWorld({ play: HELD, plane: { gate: true } }, async (world) => {
    const { plane, agent } = world;
    const answering = new Hold();
    const fault = plane.faults.script("POST /api/daemon/tasks/:id/messages", [
      { lateHold: answering, reset: "after" },
    ]);
    agent.hold("mid");
    const host = await world.running();
    const id = world.task({ maxAttempts: 1 });
    await answering.reached;
    await host.kill();
    fault.clear();
    const stored = plane.messages(id).length;
    assert.ok(stored > 0);

    await world.running();
    const task = await plane.taskState(id, DONE);
    assert.equal(task.failure_reason, "runtime_recovery");
    assert.deepEqual(wholeTranscript(world, id), ["Working.", "Bash"]);
  }));

for (const report of ["usage", "complete"]) {
  Deno.test(`SIGKILL between agent exit and ${report}: delivered after the restart, once [f01]`, () =>
    withWorld({ plane: { gate: true } }, async (world) => {
      const { plane, agent } = world;
      const reporting = new Hold();
      const fault = plane.faults.script(`POST /api/daemon/tasks/:id/${report}`, [
        { hold: reporting, reset: "before" },
      ]);
      const host = await world.running();
      const id = world.task();
      await reporting.reached;
      assert.equal(alive(agent.starts()[0]!.pid), false, "the agent has ended");
      await host.kill();
      fault.clear();
      assert.equal(plane.task(id)!.status, "running");

      const again = await world.running();
      const task = await plane.taskState(id, DONE);
      assert.equal(task.status, "completed", task.error);
      assert.equal(task.output, "Done.");
      assert.equal(accepted(world, id, "/complete"), 1);
      assert.ok(accepted(world, id, "/usage") >= 1, "usage is an upsert: it may come twice");
      assert.equal(world.calls(id, "/fail").length, 0);
      assert.equal(
        plane.requests("recover-orphans").some((one) => one.n > world.calls(id, "/complete")[0]!.n),
        true,
      );
      assert.deepEqual(wholeTranscript(world, id), ["Working."]);
      assert.equal(plane.usage(id).length, 1);
      assert.equal(agent.starts().length, 1);
      assert.equal((await again.stop()).code, 0);
    }));
}

Deno.test("SIGKILL after the server committed and before its answer: the replay is harmless and the record closes [f03]", () =>
  withWorld({ plane: { gate: true } }, async (world) => {
    const { plane, agent } = world;
    const answering = new Hold();
    const fault = plane.faults.script("POST /api/daemon/tasks/:id/complete", [
      { lateHold: answering, reset: "after" },
    ]);
    const host = await world.running();
    const id = world.task();
    await answering.reached;
    assert.equal(plane.task(id)!.status, "completed");
    await host.kill();
    fault.clear();

    const again = await world.running();
    await again.until(() => world.calls(id, "/complete")[1]?.status === 200);
    await allDelivered(again);
    assert.equal(plane.task(id)!.status, "completed");
    assert.equal(plane.tasks().length, 1);
    assert.deepEqual(wholeTranscript(world, id), ["Working."]);
    assert.equal(plane.usage(id).length, 1);
    assert.equal(agent.starts().length, 1);
    assert.equal((await again.stop()).code, 0);
    const third = await world.running();
    assert.ok(world.calls(id, "/complete").length <= 2, "a closed record is not sent a third time");
    assert.equal((await third.stop()).code, 0);
  }));

Deno.test("a connection that breaks after the commit of `complete` costs nothing [f03]", () =>
  withWorld({ plane: { gate: true } }, async (world) => {
    const { plane } = world;
    plane.faults.script("POST /api/daemon/tasks/:id/complete", [{ reset: "after" }]);
    const host = await world.running();
    const id = world.task();
    await host.until(() => world.calls(id, "/complete")[1]?.status === 200);
    await allDelivered(host);
    assert.deepEqual(world.calls(id, "/complete").map((one) => one.status), [0, 200]);
    assert.equal(plane.task(id)!.status, "completed");
    assert.equal(world.calls(id, "/fail").length, 0);
    assert.equal(plane.tasks().length, 1);
    assert.equal((await host.stop()).code, 0);
  }));

Deno.test("SIGKILL while an agent works in a user's own directory: the next start gives it back as it was [04.6]", () =>
  withWorld({ play: HELD }, async (world) => {
    const { plane, agent, home } = world;
    const localDir = join(home.dir, "project");
    await Deno.mkdir(localDir);
    await Deno.writeTextFile(join(localDir, "CLAUDE.md"), "# mine");
    const before = treeOf(localDir);
    const mid = agent.hold("mid");
    const host = await world.running();
    const id = world.task({ localDir, maxAttempts: 1 });
    await mid.reached;
    assert.equal(agent.starts()[0]!.cwd, localDir);
    assert.notDeepEqual(treeOf(localDir), before);
    await host.kill();

    const again = await world.running();
    assert.equal((await plane.taskState(id, DONE)).failure_reason, "runtime_recovery");
    assert.deepEqual(treeOf(localDir), before);
    assert.equal(agent.starts().length, 1);
    assert.equal((await again.stop()).code, 0);
  }));
