/** Runtimes deleted on the server: one registration, no lost task, the safety net (spec 01 §7.6, 02 §9). */
import assert from "node:assert/strict";
import { type EngineStage, onStage } from "../../helpers/engine_stage.ts";

const REGISTER = "POST /api/daemon/register";
const PROVIDERS = ["claude", "codex", "gemini"];

/** Lets the host notice what was deleted: a beat of each, and the recovery. */
async function noticed(stage: EngineStage): Promise<void> {
  await stage.advance(16_000);
}

Deno.test("Registrar.gone() [WS-3, R24] registers once for three runtimes lost together", async () => {
  await onStage({ providers: PROVIDERS }, async (stage) => {
    const since = stage.mark();
    for (const id of stage.runtimeIds()) stage.plane.deleteRuntime(id);
    await noticed(stage);
    assert.equal(since(REGISTER).length, 1);
    assert.equal(since("recover-orphans").length, 3);
    assert.deepEqual([...stage.health!.workspaces![0]!.runtimes].sort(), stage.runtimeIds().sort());
    await stage.advance(120_000);
    assert.equal(since(REGISTER).length, 1);
  });
});

Deno.test("Registrar.gone() recovers orphans before anything may claim for the new runtime", async () => {
  await onStage({}, async (stage) => {
    const agent = stage.agent();
    const since = stage.mark();
    stage.plane.faults.script("POST /api/daemon/runtimes/:id/recover-orphans", [{ delayMs: 5_000 }]);
    stage.plane.deleteRuntime(stage.runtimeIds()[0]!);
    await stage.until("recovering", () => since("recover-orphans").length === 1);
    const id = stage.task(agent);
    await stage.advance(4_000);
    assert.equal(stage.plane.task(id)?.status, "queued");
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
    const recovered = since("recover-orphans")[0]!;
    const claimed = since("/tasks/claim").find((one) => one.path.includes(stage.runtimeIds()[0]!));
    assert.ok(claimed!.n > recovered.n);
    assert.equal(stage.plane.tasks().length, 1, "no attempt was wasted");
  });
});

Deno.test("Registrar.gone() keeps a surviving sibling's running task: no recover-orphans for it", async () => {
  await onStage({ providers: ["claude", "codex"] }, async (stage) => {
    const work = Promise.withResolvers<void>();
    stage.script = () => work.promise;
    const id = stage.task(stage.agent({ provider: "claude" }));
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    const codex = stage.plane.runtimes().find((row) => row.provider === "codex")!.id;
    const since = stage.mark();
    stage.plane.deleteRuntime(codex);
    await noticed(stage);
    assert.equal(since(REGISTER).length, 1);
    const claude = stage.plane.runtimes().find((row) => row.provider === "claude")!.id;
    assert.deepEqual(since("recover-orphans").filter((one) => one.path.includes(claude)), []);
    assert.equal(stage.plane.task(id)?.status, "running");
    work.resolve();
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
  });
});

Deno.test("Registrar.gone() [R25] leaves the workspace to the sync when the register failed", async () => {
  await onStage({}, async (stage) => {
    const since = stage.mark();
    const failing = stage.plane.faults.always(REGISTER, { status: 500 });
    stage.plane.deleteRuntime(stage.runtimeIds()[0]!);
    await stage.until("failed", () => since(REGISTER).length > 0);
    await stage.until("empty", () => stage.health?.workspaces?.[0]?.runtimes.length === 0, 1_000);
    await stage.advance(60_000);
    assert.ok(since(REGISTER).length <= 3, "the pace of the sync");
    failing.clear();
    await stage.until("sync registers", () => since(REGISTER).at(-1)?.status === 200, 40_000);
    await stage.advance(1_000);
    assert.deepEqual(stage.health?.workspaces?.[0]?.runtimes, stage.runtimeIds());
  });
});

Deno.test("Registrar.retryOwed() [WS-15] retries a partial loss at the next sync, and nothing that is not owed", async () => {
  await onStage({ providers: ["claude", "codex"], workspaces: 2 }, async (stage) => {
    const since = stage.mark();
    const failing = stage.plane.faults.always(REGISTER, { status: 500 });
    stage.plane.deleteRuntime(stage.runtimeIds()[0]!);
    await stage.until("failed", () => since(REGISTER).length > 0);
    await stage.advance(60_000);
    assert.ok(since(REGISTER).length <= 4, "the pace of the sync");
    failing.clear();
    await stage.until("sync registers", () => since(REGISTER).at(-1)?.status === 200, 40_000);
    const tries = since(REGISTER).length;
    await stage.advance(60_000);
    assert.equal(since(REGISTER).length, tries);
    const workspaces = new Set(since(REGISTER).map((one) => JSON.parse(one.body).workspace_id));
    assert.deepEqual([...workspaces], [stage.workspaceIds[0]]);
    assert.equal(stage.health?.workspaces?.[0]?.runtimes.length, 2);
  });
});

Deno.test("Registrar.gone() owed on a server that pushes changes is made good within a minute, not at the long period", async () => {
  await onStage({ providers: ["claude", "codex"], plane: { era: "later" } }, async (stage) => {
    const since = stage.mark();
    const failing = stage.plane.faults.always(REGISTER, { status: 500 });
    stage.plane.deleteRuntime(stage.runtimeIds()[0]!);
    await stage.until("failed", () => since(REGISTER).length > 0);
    await stage.advance(120_000);
    failing.clear();
    await stage.until("registered", () => since(REGISTER).at(-1)?.status === 200, 60_000);
  });
});

Deno.test("Registrar.gone() [R28, WS-11] goes on when the loops of the lost runtime end", async () => {
  await onStage({}, async (stage) => {
    const since = stage.mark();
    stage.plane.faults.script(REGISTER, [{ delayMs: 20_000 }]);
    stage.plane.deleteRuntime(stage.runtimeIds()[0]!);
    await stage.until("registering", () => since(REGISTER).length === 1);
    await stage.advance(5_000);
    assert.deepEqual(stage.health?.workspaces?.[0]?.runtimes, [], "heartbeat and poller have ended");
    await stage.advance(20_000);
    assert.equal(since(REGISTER)[0]!.status, 200);
    assert.equal(stage.health?.workspaces?.[0]?.runtimes.length, 1);
  });
});

Deno.test("Registrar.gone() [R28, WS-12] ends at once with the host", async () => {
  await onStage({}, async (stage) => {
    const since = stage.mark();
    stage.plane.faults.script(REGISTER, [{ delayMs: 25_000 }]);
    stage.plane.deleteRuntime(stage.runtimeIds()[0]!);
    await stage.until("registering", () => since(REGISTER).length === 1);
    const before = stage.clock.monotonic();
    await stage.stop();
    assert.ok(stage.clock.monotonic() - before < 5_000);
  });
});

Deno.test("Registrar.gone() 404s that are not `runtime not found` take nothing away", async () => {
  await onStage({}, async (stage) => {
    const since = stage.mark();
    const beat = "POST /api/daemon/heartbeat";
    stage.plane.faults.always(beat, { status: 404, body: { error: "not found" } });
    stage.plane.faults.always("POST /api/daemon/runtimes/:id/tasks/claim", {
      status: 404,
      body: "<html>404 page</html>",
    });
    stage.plane.hub.dropFrame = (frame) => frame.type === "daemon:heartbeat";
    await stage.advance(90_000);
    assert.ok(since(beat).length > 0);
    assert.equal(since(REGISTER).length, 0);
    assert.equal(stage.health?.workspaces?.[0]?.runtimes.length, 1);
  });
});
