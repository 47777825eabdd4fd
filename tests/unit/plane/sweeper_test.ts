import assert from "node:assert/strict";
import type { Plane } from "../../../lib/plane/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claim, claimAndStart, type Scene, scene, wire, withPlane } from "../../helpers/plane.ts";

async function swept(
  options: { era?: "baseline" | "later" },
  work: (plane: Plane, clock: FakeClock, scene: Scene) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  await withPlane(
    { clock, ...options },
    async (plane) => await work(plane, clock, await scene(plane, { providers: ["claude"] })),
  );
}

Deno.test("sweeper marks a runtime silent for 150 s offline and fails its tasks, with a retry", () =>
  swept({}, async (plane, clock, { workspaceId, runtimes, agents }) => {
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await claimAndStart(plane, runtimes.claude!);
    await clock.advance(150_000);
    assert.equal(plane.runtime(runtimes.claude!)!.status, "online");
    await clock.advance(30_000);
    assert.equal(plane.runtime(runtimes.claude!)!.status, "offline");
    const failed = plane.task(task.id)!;
    assert.deepEqual([failed.status, failed.failure_reason, failed.error], [
      "failed",
      "runtime_offline",
      "runtime went offline",
    ]);
    assert.deepEqual(plane.tasks({ status: "queued" }).map((one) => one.attempt), [2]);
  }));

Deno.test("sweeper fails a dispatch older than 300 s without a lease, never a waiting task", () =>
  swept({}, async (plane, clock, { workspaceId, runtimes, agents }) => {
    const [late, parked] = ["a", "b"].map((prompt) =>
      plane.addTask({ workspaceId, agentId: agents.claude!, prompt, maxAttempts: 1 })
    );
    await claim(plane, runtimes.claude!);
    await claim(plane, runtimes.claude!);
    await wire(plane, "POST", `/api/daemon/tasks/${parked!.id}/wait-local-directory`, { reason: "x" });
    for (let s = 0; s < 330; s += 30) {
      await wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: runtimes.claude });
      await clock.advance(30_000);
    }
    assert.deepEqual([plane.task(late!.id)!.failure_reason, plane.task(parked!.id)!.status], [
      "timeout",
      "waiting_local_directory",
    ]);
  }));

Deno.test("sweeper fails a run after 9000 s at baseline; later only when its runtime is away [C11.11]", async () => {
  for (const era of ["baseline", "later"] as const) {
    await swept({ era }, async (plane, clock, { workspaceId, runtimes, agents }) => {
      const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x", maxAttempts: 1 });
      await claimAndStart(plane, runtimes.claude!);
      for (let s = 0; s <= 9_000; s += 120) {
        await clock.advance(120_000);
        await wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: runtimes.claude });
      }
      assert.equal(plane.task(task.id)!.status, era === "baseline" ? "failed" : "running");
    });
  }
});

Deno.test("sweeper waits 3 h for a later runtime to reconnect [C11.11]", () =>
  swept({ era: "later" }, async (plane, clock, { workspaceId, runtimes, agents }) => {
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await claim(plane, runtimes.claude!);
    await wire(plane, "POST", `/api/daemon/tasks/${task.id}/wait-local-directory`, { reason: "x" });
    await clock.advance(2 * 3_600_000);
    assert.equal(plane.runtime(runtimes.claude!)!.status, "offline");
    assert.equal(plane.task(task.id)!.status, "waiting_local_directory");
    await clock.advance(3_600_000 + 30_000);
    assert.equal(plane.task(task.id)!.failure_reason, "runtime_reconnect_timeout");
  }));

Deno.test("sweeper expires tasks queued for 2 h and forgets agentless runtimes after 7 days", () =>
  swept({}, async (plane, clock, { workspaceId, runtimes, agents }) => {
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await clock.advance(2 * 3_600_000 + 60_000);
    assert.equal(plane.task(task.id)!.failure_reason, "queued_expired");
    await clock.advance(7 * 86_400_000);
    assert.notEqual(plane.runtime(runtimes.claude!), undefined);
    plane.store.db.run("UPDATE agents SET runtime_id = NULL");
    await clock.advance(30_000);
    assert.equal(plane.runtime(runtimes.claude!), undefined);
  }));
