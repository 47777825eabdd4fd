import assert from "node:assert/strict";
import type { ClaimFacts } from "../../../lib/tasks/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { Traffic } from "../../helpers/traffic.ts";
import { inWorld, type TaskWorld } from "../../helpers/task_world.ts";

/** A claimed and started task with its journal entry, as a run would leave it. */
async function running(world: TaskWorld): Promise<{ taskId: string; claimId: number; facts: ClaimFacts }> {
  const task = await world.claimed();
  await world.control.start(task.id);
  const facts = {
    taskId: task.id,
    fence: task.dispatched_at,
    runtimeId: world.runtimeId,
    workspaceId: task.workspace_id,
    provider: "claude",
    retryable: true,
  };
  return { taskId: task.id, claimId: world.journal.claim(facts).id, facts };
}

function batch(first: number, count: number, text = "row") {
  const messages = Array.from(
    { length: count },
    (_, i) => ({ seq: first + i, type: "text", content: `${text} ${first + i}` }),
  );
  return {
    body: new TextEncoder().encode(JSON.stringify({ messages })),
    firstSeq: first,
    lastSeq: first + count - 1,
  };
}

const COMPLETE = { kind: "complete" as const, body: JSON.stringify({ output: "done", session_id: "s" }) };

async function deliver(world: TaskWorld, claimId: number, clock?: FakeClock): Promise<void> {
  world.outbox.wake(claimId);
  const idle = world.outbox.idle();
  if (clock) await drive(clock, idle);
  else await idle;
}

/** Moves time until `done`, leaving real I/O its turns. */
async function drive(
  clock: FakeClock,
  done: Promise<unknown>,
  stepMs = 1_000,
  limit = 10_000,
): Promise<number> {
  let finished = false;
  void done.then(() => finished = true);
  const from = clock.monotonic();
  for (let i = 0; i < limit && !finished; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (finished) break;
    await clock.advance(stepMs, { io: true });
  }
  assert.ok(finished, "not done in time");
  return clock.monotonic() - from;
}

Deno.test("Outbox [f01] delivers what an earlier process left, once", () =>
  inWorld({}, async (world) => {
    const { taskId, claimId } = await running(world);
    await world.stopHost();
    world.start();
    // The host died right after the commit: nothing was sent.
    world.journal.finish(claimId, { batches: [batch(1, 3)], usage: "", terminal: COMPLETE });
    await world.stopHost();
    world.start();
    assert.equal(world.outbox.hasLive(world.runtimeId), true);
    await world.outbox.replay();
    assert.equal(world.plane.task(taskId)!.status, "completed");
    assert.equal(world.plane.messages(taskId).length, 3);
    assert.equal(world.outbox.hasLive(world.runtimeId), false);
    assert.equal(world.plane.requests("/complete").length, 1);
  }));

Deno.test("Outbox [f02] survives an hour of 500, 429 and time-outs and delivers within one retry", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    using traffic = new Traffic();
    traffic.watch(world.plane, clock);
    const quiet = { io: () => traffic.quiet() };
    const { taskId, claimId } = await running(world);
    const away = world.plane.faults.always("POST /api/daemon/tasks/*", { status: 500 });
    world.journal.finish(claimId, {
      batches: [batch(1, 10)],
      usage: JSON.stringify({
        usage: [{
          provider: "claude",
          model: "m",
          input_tokens: 1,
          output_tokens: 2,
          cache_read_tokens: 0,
          cache_write_tokens: 0,
        }],
      }),
      terminal: COMPLETE,
    });
    world.outbox.wake(claimId);
    let delivered = false;
    void world.outbox.idle().then(() => delivered = true);
    await clock.advance(3_600_000, quiet);
    assert.match(world.outbox.status().sentence, /retrying reports of 1 tasks/);
    assert.equal(world.journal.parkedCount, 0);
    away.clear();
    await clock.advance(73_000, quiet);
    assert.ok(delivered, world.outbox.status().sentence);
    assert.equal(world.plane.task(taskId)!.status, "completed");
    assert.deepEqual(world.plane.messages(taskId).map((row) => row.seq), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(world.plane.usage(taskId).length, 1);
  });
});

Deno.test("Outbox [f02] kick() ends every wait at once", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    const { taskId, claimId } = await running(world);
    world.plane.faults.script("POST /api/daemon/tasks/:id/complete", [{ status: 503 }]);
    world.journal.finish(claimId, { batches: [], usage: "", terminal: COMPLETE });
    world.outbox.wake(claimId);
    while (!world.outbox.status().sentence.startsWith("retrying")) await new Promise((r) => setTimeout(r, 0));
    world.outbox.kick();
    await world.outbox.idle();
    assert.equal(world.plane.task(taskId)!.status, "completed");
  });
});

Deno.test("Outbox [f02] Retry-After wins over its own pace", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    const { claimId } = await running(world);
    world.plane.faults.script("POST /api/daemon/tasks/:id/complete", [{
      status: 429,
      headers: { "retry-after": "20" },
    }]);
    world.journal.finish(claimId, { batches: [], usage: "", terminal: COMPLETE });
    world.outbox.wake(claimId);
    const idle = world.outbox.idle();
    const took = await drive(clock, idle);
    assert.ok(took >= 19_000 && took <= 30_000, `${took}`);
  });
});

Deno.test("Outbox [f03] closes the record after the response was lost", () =>
  inWorld({ plane: { gate: true } }, async (world) => {
    const { taskId, claimId } = await running(world);
    world.plane.faults.script("POST /api/daemon/tasks/:id/complete", [{ reset: "after" }]);
    world.plane.faults.script("POST /api/daemon/tasks/:id/messages", [{ reset: "after" }]);
    world.journal.finish(claimId, { batches: [batch(1, 5)], usage: "", terminal: COMPLETE });
    world.outbox.wake(claimId);
    const idle = world.outbox.idle();
    world.outbox.kick();
    await idle;
    assert.equal(world.plane.task(taskId)!.status, "completed");
    assert.deepEqual(world.plane.messages(taskId).map((row) => row.seq), [1, 2, 3, 4, 5]);
    assert.equal(world.journal.open().length, 0);
    assert.equal(world.journal.parkedCount, 0);
  }));

Deno.test("Outbox [f04] parks the old report when the task is claimed again, the new run is untouched", () =>
  inWorld({}, async (world) => {
    const { claimId, facts, taskId } = await running(world);
    world.journal.finish(claimId, {
      batches: [batch(1, 2)],
      usage: "",
      terminal: { kind: "fail", body: '{"error":"old"}' },
    });
    const newer = world.journal.claim({ ...facts, fence: "2026-01-01T00:10:00Z" });
    assert.equal(newer.lastSeq, 2);
    await deliver(world, claimId);
    assert.equal(world.plane.task(taskId)!.status, "running");
    assert.equal(world.plane.messages(taskId).length, 2);
    assert.deepEqual(world.journal.parked().map((r) => [r.taskId, r.reason]), [[
      taskId,
      "superseded by a newer claim of the task",
    ]]);
    world.journal.finish(newer.id, { batches: [batch(3, 1)], usage: "", terminal: COMPLETE });
    await deliver(world, newer.id);
    assert.equal(world.plane.task(taskId)!.status, "completed");
    assert.equal(world.journal.dropParked(), 1);
  }));

Deno.test("Outbox [f14] holds the whole queue while the server refuses the login, and loses nothing", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    const one = await running(world);
    const two = await running(world);
    const refusal = world.plane.faults.always("POST /api/daemon/tasks/*", {
      status: 401,
      body: { error: "invalid token" },
    });
    for (const { claimId } of [one, two]) {
      world.journal.finish(claimId, { batches: [batch(1, 1)], usage: "", terminal: COMPLETE });
      world.outbox.wake(claimId);
    }
    while (world.outbox.status().held === "") await new Promise((r) => setTimeout(r, 0));
    assert.match(world.outbox.status().sentence, /holding 2 reports/);
    refusal.clear();
    world.outbox.kick();
    const idle = world.outbox.idle();
    await drive(clock, idle);
    for (const { taskId } of [one, two]) assert.equal(world.plane.task(taskId)!.status, "completed");
  });
});

Deno.test("Outbox [f19] does not believe 200 on complete of a task that never started: it reports fail", () =>
  inWorld({}, async (world) => {
    const task = await world.claimed();
    const { id } = world.journal.claim({
      taskId: task.id,
      fence: "",
      runtimeId: world.runtimeId,
      workspaceId: "",
      provider: "claude",
      retryable: true,
    });
    world.journal.finish(id, { batches: [], usage: "", terminal: COMPLETE });
    await deliver(world, id);
    const view = world.plane.task(task.id)!;
    assert.equal(view.status, "failed");
    assert.match(view.error, /^complete task failed: the server never saw the task start/);
    assert.equal(view.session_id, "s");
  }));

Deno.test("Outbox [f20] reads back after half a batch was stored: no duplicate, no hole", () =>
  inWorld({}, async (world) => {
    const { taskId, claimId } = await running(world);
    world.plane.faults.script("POST /api/daemon/tasks/:id/messages", [{ partial: 3 }]);
    world.journal.finish(claimId, { batches: [batch(1, 10)], usage: "", terminal: COMPLETE });
    world.outbox.wake(claimId);
    const idle = world.outbox.idle();
    await world.plane.waitForRequest((r) => r.method === "POST" && r.path.endsWith("/messages"));
    while (!world.outbox.status().sentence.startsWith("retrying")) await new Promise((r) => setTimeout(r, 0));
    world.outbox.kick();
    await idle;
    assert.deepEqual(world.plane.messages(taskId).map((row) => row.seq), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const posts = world.plane.requests((r) => r.method === "POST" && r.path.endsWith("/messages"));
    assert.equal(JSON.parse(posts[1]!.body).messages.length, 7);
  }));

Deno.test("Outbox parks a row the server refuses, declares the gap, and delivers the rest and the result", () =>
  inWorld({}, async (world) => {
    const { taskId, claimId } = await running(world);
    const rows = [1, 2, 3, 4, 5].map((seq) => ({
      seq,
      type: "text",
      content: `row ${seq}`,
      ...(seq === 3 ? { input: ["no object"] } : {}),
    }));
    world.journal.finish(claimId, {
      batches: [{
        body: new TextEncoder().encode(JSON.stringify({ messages: rows })),
        firstSeq: 1,
        lastSeq: 5,
      }],
      usage: "",
      terminal: COMPLETE,
    });
    await deliver(world, claimId);
    const stored = world.plane.messages(taskId);
    assert.deepEqual(stored.map((row) => row.seq), [1, 2, 3, 4, 5]);
    assert.match(stored[2]!.content ?? "", /transcript gap: 1 entries \(3–3\)/);
    assert.equal(world.plane.task(taskId)!.status, "completed");
    assert.equal(world.journal.parkedCount, 1);
  }));

Deno.test("Outbox steps over a record the server fails on for ever, and parks it once the result is delivered", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    const { taskId, claimId } = await running(world);
    world.plane.faults.always("POST /api/daemon/tasks/:id/messages", { status: 500 });
    world.journal.finish(claimId, { batches: [batch(1, 2)], usage: "", terminal: COMPLETE });
    world.outbox.wake(claimId);
    const idle = world.outbox.idle();
    await drive(clock, idle);
    assert.equal(world.plane.task(taskId)!.status, "completed");
    assert.equal(world.journal.parkedCount, 1);
  });
});

Deno.test("Outbox [R42][HD-8] one 502 then 200 on complete: two attempts, no fail; 400 while running: kept, no fail", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    const one = await running(world);
    world.plane.faults.script("POST /api/daemon/tasks/:id/complete", [{ status: 502 }]);
    world.journal.finish(one.claimId, { batches: [], usage: "", terminal: COMPLETE });
    await deliver(world, one.claimId, clock);
    assert.equal(world.plane.requests("/complete").length, 2);
    const two = await running(world);
    world.plane.faults.script("POST /api/daemon/tasks/:id/complete", [{
      status: 400,
      body: { error: "complete task: db" },
    }]);
    world.journal.finish(two.claimId, { batches: [], usage: "", terminal: COMPLETE });
    await deliver(world, two.claimId, clock);
    assert.equal(world.plane.task(two.taskId)!.status, "completed");
    assert.equal(world.plane.requests("/fail").length, 0);
  });
});

Deno.test("Outbox [R42] a permanent refusal of complete becomes one fail with session and reason", () =>
  inWorld({}, async (world) => {
    const { taskId, claimId } = await running(world);
    world.plane.faults.always("POST /api/daemon/tasks/:id/complete", {
      status: 413,
      body: { error: "too large" },
    });
    world.journal.finish(claimId, { batches: [], usage: "", terminal: COMPLETE });
    await deliver(world, claimId);
    const view = world.plane.task(taskId)!;
    assert.equal(view.status, "failed");
    assert.match(view.error, /^complete task failed: /);
    assert.equal(view.session_id, "s");
    assert.equal(world.plane.requests("/fail").length, 1);
  }));

Deno.test("Outbox parks the report of a task that was settled otherwise or is gone", () =>
  inWorld({}, async (world) => {
    const one = await running(world);
    const two = await running(world);
    world.plane.cancelTask(one.taskId);
    world.plane.deleteTask(two.taskId);
    for (const { claimId } of [one, two]) {
      world.journal.finish(claimId, { batches: [], usage: "", terminal: COMPLETE });
      await deliver(world, claimId);
    }
    assert.deepEqual(world.journal.parked().map((r) => r.reason), [
      "already settled as cancelled",
      "task gone",
    ]);
  }));

Deno.test("Outbox.replay() reports an unfinished started task as runtime_recovery with its session, tail first", () =>
  inWorld({}, async (world) => {
    const { taskId, claimId } = await running(world);
    world.journal.pin(claimId, JSON.stringify({ session_id: "ses", work_dir: "/w" }), "ses", "/w");
    world.journal.messages(claimId, [batch(1, 2)]);
    await world.stopHost();
    world.start();
    assert.equal(world.outbox.hasLive(world.runtimeId), true);
    await world.outbox.replay();
    const view = world.plane.task(taskId)!;
    assert.equal(view.status, "failed");
    assert.equal(view.failure_reason, "runtime_recovery");
    assert.equal(view.session_id, "ses");
    assert.equal(world.plane.messages(taskId).length, 2);
    assert.equal(world.outbox.hasLive(world.runtimeId), false);
  }));

Deno.test("Outbox.replay() leaves an unstarted task that would not be retried for the server to hand out again", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    const task = await world.claimed();
    world.journal.claim({
      taskId: task.id,
      fence: task.dispatched_at,
      runtimeId: world.runtimeId,
      workspaceId: "",
      provider: "claude",
      retryable: false,
    });
    await world.stopHost();
    world.start();
    await world.outbox.replay();
    assert.equal(world.plane.task(task.id)!.status, "dispatched");
    assert.equal(world.outbox.hasLive(world.runtimeId), true);
    await clock.advance(301_000);
    assert.equal(world.outbox.hasLive(world.runtimeId), false);
  });
});

Deno.test("Outbox delivers a cancel acknowledgement where the server knows it, and drops it where not [N-25] [C11.5]", async () => {
  for (const era of ["baseline", "later"] as const) {
    await inWorld({ plane: { era } }, async (world) => {
      const { taskId, claimId } = await running(world);
      world.plane.cancelTask(taskId);
      world.journal.finish(claimId, {
        batches: [batch(1, 1)],
        usage: "",
        terminal: { kind: "cancel_ack", body: "{}" },
      });
      await deliver(world, claimId);
      assert.equal(world.plane.task(taskId)!.cancel_acked, era === "later");
      assert.equal(world.plane.messages(taskId).length, 1);
      assert.equal(world.journal.open().length, 0);
    });
  }
});
