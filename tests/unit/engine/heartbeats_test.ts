/** Heartbeats on both transports, their actions, pending work, half-open sockets, suspend (spec 01 §7.8–7.9; 02 §7–8, 17). */
import assert from "node:assert/strict";
import { type EngineStage, onStage } from "../../helpers/engine_stage.ts";

const BEAT = "POST /api/daemon/heartbeat";

/** The server hears no heartbeat on the socket: HTTP takes over. */
function silence(stage: EngineStage): void {
  stage.plane.hub.dropFrame = (frame) => frame.type === "daemon:heartbeat";
}

function finished(stage: EngineStage, id: string): Promise<Record<string, unknown>> {
  return stage.until("action reported", () => {
    const action = stage.plane.action(id);
    return action?.status === "completed" || action?.status === "failed" ? { ...action.result } : undefined;
  });
}

Deno.test("Heartbeats are silent over HTTP while the socket is acknowledged, and beat every 15 s otherwise", async () => {
  await onStage({ providers: ["claude", "codex"] }, async (stage) => {
    const since = stage.mark();
    await stage.advance(60_000);
    assert.equal(since(BEAT).length, 0);
    assert.equal(since("WS daemon:heartbeat").length, 8);
    stage.plane.faults.always("GET /api/daemon/ws", { status: 503 });
    stage.plane.hub.closeAll();
    const closed = stage.mark();
    await stage.advance(60_000);
    for (const id of stage.runtimeIds()) {
      const at = closed(BEAT).filter((one) => one.body.includes(id)).map((one) => one.at);
      assert.equal(at.length, 4);
      assert.ok(at[0]! - stage.clock.now() + 60_000 <= 15_000, "the first within one interval");
    }
  });
});

Deno.test("Heartbeats of many runtimes are spread over the interval", async () => {
  let n = 0;
  const random = () => (n++ * 0.37) % 1;
  const providers = ["claude", "codex", "gemini", "opencode", "copilot"];
  await onStage({ providers, workspaces: 4, random, start: false }, async (stage) => {
    stage.plane.faults.always("GET /api/daemon/ws", { status: 403 });
    stage.start();
    await stage.running();
    await stage.advance(15_000);
    const since = stage.mark();
    await stage.advance(15_000);
    const at = since(BEAT).map((one) => one.at);
    assert.equal(at.length, 20);
    const busiest = Math.max(...at.map((time) => at.filter((other) => Math.abs(other - time) < 500).length));
    assert.ok(busiest <= 4, `${busiest} beats within a second`);
  });
});

Deno.test("a half-open socket is noticed within two beats and everything is looked at again [W17.1, W17.9]", async () => {
  await onStage({ plane: { gate: true } }, async (stage) => {
    const work = Promise.withResolvers<void>();
    stage.script = () => work.promise;
    const id = stage.task(stage.agent());
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    await stage.advance(20_000);
    const frozen = stage.clock.monotonic();
    stage.plane.halfOpen();
    const since = stage.mark();
    // What the host says, not when its dial arrives: the clock goes on while that is under way.
    const said = () => stage.health?.status_sentences["socket"] ?? "";
    await stage.until("noticed", () => said().includes("nothing heard for 30 s"), 60_000);
    assert.ok(stage.clock.monotonic() - frozen <= 32_000, `${stage.clock.monotonic() - frozen} ms`);
    await stage.until("dialled again", () => since("GET /api/daemon/ws").length > 0, 60_000);
    const redialled = since("GET /api/daemon/ws")[0]!.n;
    const looked = () => since(`/tasks/${id}/status`).some((one) => one.n > redialled);
    await stage.until("looked at", () => looked() && since("GET /api/workspaces").length > 0, 4_500);
    work.resolve();
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
  });
});

Deno.test("a suspended machine is back within 5 s of its wake: heartbeat, claim, reconcile", async () => {
  await onStage({}, async (stage) => {
    await stage.advance(3_000);
    const since = stage.mark();
    stage.clock.jumpWall(600_000);
    await stage.advance(5_500);
    assert.ok(since(BEAT).length >= 1, "heartbeat");
    assert.ok(since("/tasks/claim").length >= 1, "claim");
    assert.ok(since("GET /api/daemon/ws").length >= 1, "new socket");
    assert.ok(since("GET /api/workspaces").length >= 1, "workspaces");
  });
});

for (const era of ["baseline", "later"] as const) {
  Deno.test(`heartbeat actions against a ${era} server: models, local skills, import, update [W17.10]`, async () => {
    await onStage({ plane: { era } }, async (stage) => {
      await Deno.mkdir(`${stage.dir}/.claude/skills/deploy`, { recursive: true });
      await Deno.writeTextFile(
        `${stage.dir}/.claude/skills/deploy/SKILL.md`,
        "---\nname: deploy\n---\nDo it.\n",
      );
      const runtime = stage.runtimeIds()[0]!;
      const models = await finished(stage, stage.plane.requestModels(runtime));
      assert.equal(models.status, "completed");
      assert.ok((models.models as unknown[]).length > 0);
      const skills = await finished(stage, stage.plane.requestLocalSkills(runtime));
      assert.equal(skills.supported, true);
      const [skill] = skills.skills as { key: string; name: string }[];
      assert.equal(skill?.name, "deploy");
      const imported = await finished(stage, stage.plane.requestSkillImport(runtime, skill!.key));
      assert.equal(imported.status, "completed");
      assert.match(JSON.stringify(imported.skill), /Do it/);
      const missing = await finished(stage, stage.plane.requestSkillImport(runtime, "nothing-here"));
      assert.equal(missing.status, "failed");
      const update = await finished(stage, stage.plane.requestUpdate(runtime, "v99.0.0"));
      assert.equal(update.status, "failed");
      assert.match(String(update.error), /^this host does not update itself yet: install the new version/);
    });
  });
}

Deno.test("heartbeat actions [R49] reports are tried again after 0.5, 2 and 4 s, and not after a refusal", async () => {
  await onStage({}, async (stage) => {
    const runtime = stage.runtimeIds()[0]!;
    const pattern = "POST /api/daemon/runtimes/:id/models/:request/result";
    stage.plane.faults.script(pattern, [{ status: 500 }, { status: 500 }]);
    const since = stage.mark();
    await finished(stage, stage.plane.requestModels(runtime));
    const at = since("/models/").map((one) => one.at);
    assert.deepEqual(at.slice(1).map((time, n) => time - at[n]!), [500, 2_000]);
    stage.plane.faults.script(pattern, [{ status: 404, body: { error: "request not found" } }]);
    stage.plane.requestModels(runtime);
    const refused = stage.mark();
    await stage.advance(60_000);
    assert.equal(refused("/models/").length, 1);
  });
});

Deno.test("pending work: one extra HTTP beat at once, at most one a second, none for strangers [C11.8, W17.4]", async () => {
  await onStage({ plane: { era: "later" } }, async (stage) => {
    await stage.advance(2_000);
    const since = stage.mark();
    const runtime = stage.runtimeIds()[0]!;
    const hint = (runtime_id: string) =>
      stage.plane.hub.broadcast({ type: "daemon:pending_work", payload: { runtime_id, kind: "model_list" } });
    for (let i = 0; i < 5; i++) hint(runtime);
    hint(crypto.randomUUID());
    hint("");
    await stage.settle();
    assert.equal(since(BEAT).length, 1);
    await stage.advance(900);
    hint(runtime);
    await stage.settle();
    assert.equal(since(BEAT).length, 1);
    await stage.advance(200);
    hint(runtime);
    await stage.settle();
    assert.equal(since(BEAT).length, 2);
  });
});

Deno.test("an action for a runtime this host does not know is answered, not dropped", async () => {
  await onStage({}, async (stage) => {
    const runtime = stage.runtimeIds()[0]!;
    silence(stage);
    const since = stage.mark();
    await stage.until("over HTTP", () => since(BEAT).length > 0);
    stage.plane.faults.script(BEAT, [{ lateMs: 10_000 }]);
    const request = stage.plane.requestModels(runtime);
    await stage.until("popped", () => stage.plane.action(request)?.status === "running", 60_000);
    stage.plane.faults.always("GET /api/daemon/workspaces/:id/runtime-profiles", {
      status: 200,
      body: { runtime_profiles: [] },
    });
    stage.handle.agents([]);
    await stage.advance(20_000);
    assert.ok(since("deregister").length === 1);
    assert.equal(stage.plane.action(request)?.status, "failed");
  });
});
