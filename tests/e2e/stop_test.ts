/** The end of a host over real processes: drain, report, deregister last, force, guarded shutdown. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { alive, type E2eWorld, withWorld } from "../helpers/e2e_world.ts";
import type { HostProcess } from "../helpers/host_process.ts";

const HELD = 'init\nsay "Working."\nhold mid\nresult "Done."';

/** A host with one task whose agent waits in mid-run. */
async function midRun(world: E2eWorld, env: Record<string, string> = {}) {
  const mid = world.agent.hold("mid");
  const host = await world.running(env);
  const sessionKnown = world.plane.waitForEvent((event) => event.type === "session");
  const id = world.task();
  await Promise.all([mid.reached, sessionKnown]);
  return { host, id, mid, pid: world.agent.starts().at(-1)!.pid };
}

function stopping(host: HostProcess): Promise<Record<string, unknown>> {
  return host.until((health) => health["status"] === "stopping");
}

Deno.test("SIGTERM waits for the running task, claims nothing new, reports it and deregisters last [N-27]", () =>
  withWorld({ play: HELD }, async (world) => {
    const { plane } = world;
    const { host, id, mid } = await midRun(world);
    host.signal("SIGTERM");
    const health = await stopping(host);
    assert.match((health["claiming"] as { why: string }).why, /the host is stopping/);
    const late = world.task();
    await mid.release();
    assert.equal((await host.ended).code, 0, host.output);
    assert.equal(plane.task(id)!.status, "completed");
    assert.equal(plane.task(late)!.status, "queued");
    assert.equal(world.agent.starts().length, 1);
    assert.equal(plane.requests().at(-1)!.path, "/api/daemon/deregister");
  }));

Deno.test("SIGTERM stops and reports a task that does not end in the drain time: it is not left running", () =>
  withWorld({ play: HELD }, async (world) => {
    const { plane } = world;
    const { host, id, pid } = await midRun(world, { MULTICA_DRAIN_TIMEOUT: "1s" });
    host.signal("SIGTERM");
    assert.equal((await host.ended).code, 0, host.output);
    const task = plane.task(id)!;
    assert.equal(task.status, "failed");
    assert.equal(task.failure_reason, "runtime_recovery");
    assert.match(task.error, /host stopped while the task was running/);
    assert.equal(task.session_id, world.agent.starts()[0]!.session);
    assert.equal(alive(pid), false);
    assert.deepEqual(plane.messages(id).map((one) => one.content), ["Working."]);
    assert.equal(plane.requests().at(-1)!.path, "/api/daemon/deregister");
    const [retry] = plane.tasks({ status: "queued" });
    assert.equal(retry?.parent_task_id, id, "the server makes a new attempt");
  }));

Deno.test("a second signal forces: exit code 1, nothing of the agent runs, the next host reports the task", () =>
  withWorld({ play: HELD }, async (world) => {
    const { plane } = world;
    const { host, id, pid } = await midRun(world, { MULTICA_DRAIN_TIMEOUT: "10m" });
    host.signal("SIGTERM");
    await stopping(host);
    host.signal("SIGTERM");
    assert.equal((await host.ended).code, 1, host.output);
    assert.equal(alive(pid), false);
    world.agent.play('init\nresult "Done."');
    await world.running();
    const task = await plane.taskState(id, ["failed", "completed"]);
    assert.equal(task.failure_reason, "runtime_recovery");
  }));

Deno.test("POST /shutdown wants the credential of the profile's file, no web page and the right host name", () =>
  withWorld({}, async (world) => {
    const host = await world.running();
    const credential = await Deno.readTextFile(join(world.home.stateDir, "host.credential"));
    const post = async (headers: Record<string, string>) => {
      const answer = await fetch(`http://127.0.0.1:${world.port}/shutdown`, { method: "POST", headers });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await post({}), 401);
    assert.equal(await post({ authorization: "Bearer wrong" }), 401);
    const right = { authorization: `Bearer ${credential.trim()}` };
    assert.equal(await post({ ...right, origin: "https://example.com" }), 403);
    assert.equal((await host.health())!["status"], "running");
    assert.equal(await post(right), 200);
    assert.equal((await host.ended).code, 0, host.output);
  }));

Deno.test("multica-host stop drains the host of its profile", () =>
  withWorld({}, async (world) => {
    const host = await world.running();
    const stop = await world.run("stop");
    assert.equal(stop.code, 0, stop.stderr);
    assert.match(stop.stdout + stop.stderr, new RegExp(`stop(ped|ping).*pid ${host.child.pid}`));
    assert.equal((await host.ended).code, 0);
  }));
