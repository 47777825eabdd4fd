/** Claims: pollers, slots, fairness, hints, redelivery (spec 01 §7.10, 02 §11). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { pollOffsetMs } from "../../../lib/control/mod.ts";
import { untilNext } from "../../../lib/engine/pollers.ts";
import { Hold } from "../../../lib/plane/mod.ts";
import { type EngineStage, onStage } from "../../helpers/engine_stage.ts";

const CLAIM = "/tasks/claim";
const POLL_ONLY = "GET /api/daemon/ws";

function runtimeOf(stage: EngineStage, provider: string): string {
  return stage.plane.runtimes().find((row) => row.provider === provider)!.id;
}

function claimPattern(runtimeId: string): string {
  return `POST /api/daemon/runtimes/${runtimeId}/tasks/claim`;
}

/** No socket: what is found, polling finds. */
async function pollOnly(
  options: Parameters<typeof onStage>[0],
  work: (stage: EngineStage) => Promise<void>,
): Promise<void> {
  await onStage({ ...options, start: false }, async (stage) => {
    stage.plane.faults.always(POLL_ONLY, { status: 403 });
    stage.start();
    await stage.running();
    await stage.advance(31_000);
    await work(stage);
  });
}

Deno.test("Pollers poll every 30 s, each at the offset of its id, when the socket is refused", async () => {
  await pollOnly({ providers: ["claude", "codex"] }, async (stage) => {
    const since = stage.mark();
    await stage.advance(90_000);
    for (const id of stage.runtimeIds()) {
      const at = since(CLAIM).filter((one) => one.path.includes(id)).map((one) => one.at);
      assert.equal(at.length, 3);
      assert.deepEqual(at.slice(1).map((time, n) => Math.round(time - at[n]!)), [30_000, 30_000]);
    }
    const sentence = () => stage.health?.status_sentences?.socket ?? "";
    await stage.until("said", () => /upgrade was refused with 403; polling/.test(sentence()));
    const task = stage.task(stage.agent());
    await stage.until("completed", () => stage.plane.task(task)?.status === "completed", 31_000);
  });
});

Deno.test("untilNext() keeps a poller to its own moments, never at once and never later than an interval and a bit", () => {
  fc.assert(fc.property(
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.integer({ min: 50, max: 60_000 }),
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    (firstAt, intervalMs, since) => {
      const now = firstAt + since;
      const wait = untilNext(firstAt, intervalMs, now);
      assert.ok(wait > 0 && wait <= intervalMs * 1.1 + 1e-3);
      const phase = (now + wait - firstAt) % intervalMs;
      assert.ok(Math.min(phase, intervalMs - phase) < 1e-3);
    },
  ));
});

Deno.test("Pollers the first claim of a runtime comes at once, the next at its offset's pace", async () => {
  await onStage({ start: false }, async (stage) => {
    stage.plane.faults.always(POLL_ONLY, { status: 403 });
    stage.start();
    await stage.running();
    assert.equal(stage.plane.requests(CLAIM).length, 1);
    assert.ok(pollOffsetMs(stage.runtimeIds()[0]!, 30_000) < 30_000);
  });
});

Deno.test("Pollers [R30] a blocked claim of one runtime delays neither another's claim nor its heartbeat", async () => {
  await onStage({ providers: ["claude", "codex"] }, async (stage) => {
    stage.plane.hub.dropFrame = (frame) => frame.type === "daemon:heartbeat";
    const slow = runtimeOf(stage, "claude");
    stage.plane.faults.always(claimPattern(slow), { delayMs: 29_000 });
    const blocked = stage.task(stage.agent({ provider: "claude" }));
    await stage.advance(1_000);
    const since = stage.mark();
    const quick = stage.task(stage.agent({ provider: "codex" }));
    await stage.until("quick one done", () => stage.plane.task(quick)?.status === "completed", 2_000);
    assert.equal(stage.plane.task(blocked)?.status, "queued");
    await stage.advance(45_000);
    assert.ok(since("POST /api/daemon/heartbeat").filter((one) => one.body.includes(slow)).length >= 1);
  });
});

Deno.test("Heartbeats [R30] a blocked heartbeat of one runtime delays neither another's nor a claim", async () => {
  await onStage({ providers: ["claude", "codex"] }, async (stage) => {
    stage.plane.hub.dropFrame = (frame) => frame.type === "daemon:heartbeat";
    const held = new Hold();
    const since = stage.mark();
    stage.plane.faults.script("POST /api/daemon/heartbeat", [{ hold: held }]);
    await stage.until(
      "one is held",
      () => held.waiting > 0 || since("POST /api/daemon/heartbeat").length > 0,
    );
    const id = stage.task(stage.agent());
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed", 2_000);
    await stage.advance(25_000);
    assert.ok(since("POST /api/daemon/heartbeat").some((one) => one.status === 200));
  });
});

Deno.test("Pollers [R31] make no claim without a slot, and claim at once when one is free", async () => {
  await onStage({ config: { maxConcurrentTasks: 2 } }, async (stage) => {
    const works = [0, 1, 2].map(() => Promise.withResolvers<void>());
    let n = 0;
    stage.script = () => works[n++]!.promise;
    const agent = stage.agent();
    const ids = works.map(() => stage.task(agent));
    await stage.until(
      "two run",
      () => ids.filter((id) => stage.plane.task(id)?.status === "running").length === 2,
    );
    const since = stage.mark();
    await stage.advance(120_000);
    assert.equal(since(CLAIM).length, 0);
    assert.equal(stage.health?.claiming?.state, "full");
    assert.match(stage.health!.claiming!.why, /all 2 task slots/);
    const freed = stage.clock.monotonic();
    works[0]!.resolve();
    await stage.until("third runs", () => ids.every((id) => stage.plane.task(id)?.status !== "queued"));
    assert.ok(stage.clock.monotonic() - freed < 1_000);
    works.forEach((work) => work.resolve());
    await stage.until("all done", () => ids.every((id) => stage.plane.task(id)?.status === "completed"));
  });
});

Deno.test("Pollers [R32] a hint for one runtime claims for that one alone", async () => {
  await onStage({ providers: ["claude", "codex", "gemini"] }, async (stage) => {
    await stage.advance(1_000);
    const since = stage.mark();
    const id = stage.task(stage.agent({ provider: "codex" }));
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed", 1_000);
    const codex = runtimeOf(stage, "codex");
    assert.ok(since(CLAIM).length > 0);
    assert.deepEqual(since(CLAIM).filter((one) => !one.path.includes(codex)), []);
    stage.plane.hub.broadcast({
      type: "daemon:task_available",
      payload: { runtime_id: crypto.randomUUID() },
    });
    const before = since(CLAIM).length;
    await stage.settle();
    assert.equal(since(CLAIM).length, before, "an unknown id wakes nobody");
  });
});

Deno.test("Pollers fairness: with one slot every runtime gets its turn", async () => {
  const providers = ["claude", "codex", "gemini", "opencode"];
  await onStage({ providers, config: { maxConcurrentTasks: 1 } }, async (stage) => {
    const order: string[] = [];
    stage.script = ({ request }) => void order.push(request.provider);
    const agents = providers.map((provider) => stage.agent({ provider }));
    const ids = agents.flatMap((agent) => [0, 1, 2].map(() => stage.task(agent)));
    await stage.until(
      "all done",
      () => ids.every((id) => stage.plane.task(id)?.status === "completed"),
      300_000,
    );
    assert.deepEqual(new Set(order.slice(0, 8)), new Set(providers), `order ${order.join(" ")}`);
  });
});

Deno.test("engine an ended task makes room for the next of its agent without waiting for the poll [W17.8]", async () => {
  await onStage({}, async (stage) => {
    const agent = stage.agent({ max: 1 });
    const ids = [0, 1, 2, 3].map(() => stage.task(agent));
    const before = stage.clock.monotonic();
    await stage.until("all done", () => ids.every((id) => stage.plane.task(id)?.status === "completed"));
    assert.ok(stage.clock.monotonic() - before < 10_000);
  });
});

Deno.test("engine a task handed out twice is run once", async () => {
  await onStage({}, async (stage) => {
    let runs = 0;
    const work = Promise.withResolvers<void>();
    stage.script = () => {
      runs++;
      return work.promise;
    };
    const id = stage.task(stage.agent());
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    const claimed = stage.plane.requests(CLAIM).length;
    // The server forgets that it was started and hands it out again.
    stage.plane.store.db.run(
      "UPDATE tasks SET status = 'dispatched', started_at = NULL, lease_until = NULL, dispatched_at = ? WHERE id = ?",
      stage.clock.now() - 100_000,
      id,
    );
    await stage.until("claimed again", () => stage.plane.requests(CLAIM).length > claimed + 1, 70_000);
    await stage.settle();
    stage.plane.store.db.run("UPDATE tasks SET status = 'running' WHERE id = ?", id);
    work.resolve();
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
    assert.equal(runs, 1);
    await stage.advance(5_000);
    assert.equal(stage.health?.active_task_count, 0);
    assert.match(stage.health!.claiming!.why, /20 of 20/);
  });
});

Deno.test("engine a task whose runtime left between claim and run is failed with a reason the server retries [C11.2]", async () => {
  await onStage({ providers: ["claude", "codex"] }, async (stage) => {
    const id = stage.task(stage.agent());
    stage.plane.faults.script(claimPattern(runtimeOf(stage, "claude")), [{ lateMs: 10_000 }]);
    stage.plane.hub.broadcast({
      type: "daemon:task_available",
      payload: { runtime_id: runtimeOf(stage, "claude") },
    });
    await stage.until("dispatched", () => stage.plane.task(id)?.status === "dispatched");
    stage.handle.agents(stage.agents().filter((agent) => agent.provider === "codex"));
    await stage.until("settled", () => stage.plane.task(id)?.status === "failed");
    assert.equal(stage.plane.task(id)?.failure_reason, "runtime_offline");
  });
});
