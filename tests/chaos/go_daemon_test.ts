/** What was seen in the Go daemon and must not happen here, one test each. Real hosts, real sockets, no clock to drive. */
import assert from "node:assert/strict";
import { Hold } from "../../lib/plane/mod.ts";
import { type E2eWorld, withWorld, type WorldOptions } from "../helpers/e2e_world.ts";
import type { HostProcess } from "../helpers/host_process.ts";

const DONE = ["completed", "failed", "cancelled"];
const HELD = 'init\nsay "Working."\nhold mid\nsay "Ready."\nresult "All done."';

/** The scripted agent once more, as another provider's program: a second runtime on the machine. */
function twoRuntimes(world: E2eWorld): Record<string, string> {
  return { MULTICA_CODEBUDDY_PATH: world.agent.path };
}

/** Runtime ids by provider, when both are registered. */
function runtimeIds(world: E2eWorld): Record<string, string> {
  return Object.fromEntries(world.plane.runtimes(world.workspaceId).map((row) => [row.provider, row.id]));
}

function sentence(health: Record<string, unknown>, name: string): string {
  return (health["status_sentences"] as Record<string, string>)[name] ?? "";
}

async function completed(world: E2eWorld, id: string): Promise<void> {
  const task = await world.plane.taskState(id, DONE);
  assert.equal(task.status, "completed", task.error);
}

async function inScene(
  options: WorldOptions & { readonly two?: boolean; readonly env?: Record<string, string> },
  work: (world: E2eWorld, host: HostProcess) => Promise<void>,
): Promise<void> {
  await withWorld(options, async (world) => {
    const host = await world.running({ ...(options.two ? twoRuntimes(world) : {}), ...options.env });
    await work(world, host);
    assert.equal((await host.stop()).code, 0, host.output);
  });
}

Deno.test("Go daemon: the first workspace list answered 5xx does not end the host", () =>
  withWorld({}, async (world) => {
    const fault = world.plane.faults.script("GET /api/daemon/workspaces", [{ status: 500 }, { status: 503 }]);
    const host = await world.running();
    assert.equal(fault.used, 2);
    await completed(world, world.task());
    assert.equal((await host.stop()).code, 0);
  }));

Deno.test("Go daemon: a profile disabled between fetch and register (409) does not end the host", () =>
  withWorld({}, async (world) => {
    const { plane, workspaceId } = world;
    const profileId = plane.createProfile({
      workspaceId,
      displayName: "Mine",
      protocolFamily: "claude",
      commandName: "claude",
    });
    const registering = new Hold();
    plane.faults.script("POST /api/daemon/register", [{ hold: registering }]);
    const host = world.start({ PATH: `${world.agent.stage}:/usr/bin:/bin` });
    await registering.reached;
    assert.match(plane.requests("POST /api/daemon/register")[0]!.body, new RegExp(profileId));
    plane.updateProfile(profileId, { enabled: false });
    registering.release();
    await host.ready();
    assert.deepEqual(plane.requests("POST /api/daemon/register").map((one) => one.status), [409, 200]);
    await completed(world, world.task());
    assert.equal((await host.stop()).code, 0);
  }));

Deno.test("Go daemon: recover-orphans does not fail a surviving sibling's running task", () =>
  inScene({ play: HELD, two: true, env: { MULTICA_DAEMON_POLL_INTERVAL: "1s" } }, async (world) => {
    const { plane } = world;
    const mid = world.agent.hold("mid");
    const id = world.task();
    await mid.reached;
    const before = runtimeIds(world);
    const back = plane.waitForEvent((event) => event.type === "runtime" && event.to === "registered");
    plane.deleteRuntime(before["codebuddy"]!);
    await back;
    const after = await plane.until(() => {
      const ids = runtimeIds(world);
      return ids["codebuddy"] !== undefined && ids;
    });
    assert.equal(after["claude"], before["claude"]);
    await plane.waitForRequest((one) => one.path.includes(`${after["codebuddy"]}/recover-orphans`));
    const started = world.calls(id, "/start")[0]!.n;
    const recovered = plane.requests(`${after["claude"]}/recover-orphans`).filter((one) => one.n > started);
    assert.deepEqual(recovered, []);
    assert.equal(plane.task(id)!.status, "running");
    await mid.release();
    await completed(world, id);
  }));

Deno.test("Go daemon: a task delivered twice is neither run twice nor failed", () =>
  inScene({ env: { MULTICA_DAEMON_POLL_INTERVAL: "1s" } }, async (world) => {
    const { plane } = world;
    const starting = new Hold();
    plane.faults.script("POST /api/daemon/tasks/:id/start", [{ hold: starting }]);
    const id = world.task();
    await starting.reached;
    // The server takes the attempt for lost (its clock, not ours) and hands the task out again.
    plane.store.db.run("UPDATE tasks SET dispatched_at = 0, lease_until = NULL WHERE id = ?", id);
    await plane.until(() => (plane.task(id)!.dispatched_at ?? 0) > 0);
    starting.release();
    await completed(world, id);
    assert.equal(world.agent.starts().length, 1);
    assert.equal(world.calls(id, "/fail").length, 0);
    assert.equal(plane.tasks().length, 1);
  }));

Deno.test("Go daemon: a lost answer to `start` does not fail the task", () =>
  inScene({ plane: { gate: true } }, async (world) => {
    const fault = world.plane.faults.script("POST /api/daemon/tasks/:id/start", [{ reset: "after" }]);
    const id = world.task();
    await completed(world, id);
    assert.equal(fault.used, 1);
    assert.equal(world.agent.starts().length, 1);
    assert.equal(world.plane.tasks().length, 1);
  }));

Deno.test("Go daemon: 200 on `complete` of a row that is not completed is not believed [f19]", () =>
  inScene({ play: HELD }, async (world) => {
    const { plane } = world;
    const mid = world.agent.hold("mid");
    const id = world.task({ maxAttempts: 1 });
    await mid.reached;
    plane.store.db.run("UPDATE tasks SET status = 'dispatched', started_at = NULL WHERE id = ?", id);
    await mid.release();
    const task = await plane.taskState(id, DONE);
    assert.equal(task.status, "failed");
    assert.equal(world.calls(id, "/complete").at(-1)!.status, 200);
    assert.equal(world.calls(id, "/fail").length, 1);
  }));

Deno.test("Go daemon: a slow claim of one runtime does not delay another's", () =>
  inScene({ two: true }, async (world) => {
    const { plane } = world;
    const ids = runtimeIds(world);
    const stuck = new Hold();
    const fault = plane.faults.always(`POST /api/daemon/runtimes/${ids["codebuddy"]}/tasks/claim`, {
      hold: stuck,
    });
    const other = plane.createAgent({ workspaceId: world.workspaceId, name: "buddy", provider: "codebuddy" });
    const late = world.task({ agentId: other });
    await stuck.reached;
    await completed(world, world.task());
    assert.equal(plane.task(late)!.status, "queued");
    fault.clear();
    await completed(world, late);
  }));

Deno.test("Go daemon: a hint for one runtime claims for that one alone", () =>
  inScene({ two: true }, async (world, host) => {
    const { plane } = world;
    const ids = runtimeIds(world);
    const claims = (provider: string) => plane.requests(`${ids[provider]}/tasks/claim`).length;
    await host.until((health) => sentence(health, "socket").startsWith("connected"));
    await completed(world, world.task());
    const before = claims("codebuddy");
    for (let n = 0; n < 5; n++) await completed(world, world.task());
    assert.ok(claims("claude") >= 5);
    assert.ok(claims("codebuddy") <= before + 1, "at most its own first poll");
  }));

Deno.test("Go daemon: usage is sent again until the server has it, and before the end", () =>
  inScene({}, async (world) => {
    const fault = world.plane.faults.script("POST /api/daemon/tasks/:id/usage", [{ status: 500 }, {
      status: 503,
    }]);
    const id = world.task();
    await completed(world, id);
    assert.equal(fault.used, 2);
    assert.equal(world.plane.usage(id).length, 1);
    const [usage] = world.calls(id, "/usage").filter((one) => one.status < 300);
    assert.ok(usage!.n < world.calls(id, "/complete")[0]!.n);
  }));

Deno.test("Go daemon: a server that is down when the agent ends costs no word of the transcript", () =>
  inScene({ play: HELD, plane: { gate: true } }, async (world, host) => {
    const { plane } = world;
    const mid = world.agent.hold("mid");
    const id = world.task();
    await mid.reached;
    const back = await plane.faults.outage({ mode: "refuse" });
    await mid.release();
    await host.until((health) => sentence(health, "reports").startsWith("retrying reports of 1 tasks"));
    assert.equal(plane.task(id)!.status, "running");
    await back();
    await completed(world, id);
    assert.equal(plane.messages(id).map((row) => row.content).join(""), "Working.Ready.");
    assert.equal(plane.task(id)!.output, "All done.");
    assert.equal(plane.usage(id).length, 1);
  }));

Deno.test("Go daemon: SIGTERM during a run does not leave the task `running` at the server", () =>
  withWorld({ play: HELD }, async (world) => {
    const mid = world.agent.hold("mid");
    const host = await world.running({ MULTICA_DRAIN_TIMEOUT: "1s" });
    const id = world.task();
    await mid.reached;
    assert.equal((await host.stop()).code, 0, host.output);
    assert.equal(world.plane.task(id)!.status, "failed");
    assert.equal(world.plane.tasks({ status: "queued" })[0]?.parent_task_id, id);
  }));
