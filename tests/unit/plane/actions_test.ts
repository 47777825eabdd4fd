import assert from "node:assert/strict";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { scene, wire, withPlane } from "../../helpers/plane.ts";

Deno.test("actions are delivered once by heartbeat and ended by the first final report", () =>
  withPlane({}, async (plane) => {
    const { runtimes } = await scene(plane);
    const id = runtimes.claude!;
    const update = plane.requestUpdate(id, "v9");
    const skills = plane.requestLocalSkills(id);
    const beat = async () => (await wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: id })).json;
    const first = await beat();
    assert.deepEqual([first.pending_update, first.pending_local_skills], [{
      id: update,
      target_version: "v9",
    }, { id: skills }]);
    assert.deepEqual(await beat(), { status: "ok" });
    const report = async (path: string, body: unknown) =>
      (await wire(plane, "POST", `/api/daemon/runtimes/${id}/${path}`, body)).status;
    assert.equal(await report(`update/${update}/result`, { status: "running" }), 200);
    assert.equal(plane.action(update)!.status, "running");
    assert.equal(await report(`update/${update}/result`, { status: "strange" }), 400);
    assert.equal(await report(`update/${update}/result`, { status: "completed", output: "ok" }), 200);
    assert.equal(await report(`update/${update}/result`, { status: "failed", error: "late" }), 200);
    assert.deepEqual(plane.action(update)!.result, { status: "completed", output: "ok", error: "" });
    assert.equal(await report(`models/${skills}/result`, { status: "completed" }), 404);
    assert.equal(
      await report(`local-skills/${skills}/result`, { status: "completed", skills: [], supported: true }),
      200,
    );
  }));

Deno.test("actions give up: pending too long is not delivered, running too long is 404 for the report", async () => {
  const clock = new FakeClock();
  await withPlane({ clock, sweeper: false }, async (plane) => {
    const { runtimes } = await scene(plane);
    const id = runtimes.claude!;
    const stale = plane.requestModels(id);
    await clock.advance(31_000);
    const beat = async () => (await wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: id })).json;
    assert.deepEqual(await beat(), { status: "ok" });
    assert.equal(plane.action(stale)!.status, "timeout");
    const models = plane.requestModels(id);
    assert.equal((await beat()).pending_model_list.id, models);
    await clock.advance(61_000);
    const late = await wire(plane, "POST", `/api/daemon/runtimes/${id}/models/${models}/result`, {
      status: "completed",
    });
    assert.deepEqual([late.status, late.json.error], [404, "request not found"]);
  });
});

Deno.test("an import without a skill fails; without batch support only one import comes", () =>
  withPlane({}, async (plane) => {
    const { runtimes } = await scene(plane);
    const id = runtimes.claude!;
    const [one, two] = ["a", "b"].map((key) => plane.requestSkillImport(id, key));
    const beat = async () => (await wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: id })).json;
    assert.deepEqual(await beat(), { status: "ok", pending_local_skill_import: { id: one, skill_key: "a" } });
    assert.equal((await beat()).pending_local_skill_import.id, two);
    const path = `/api/daemon/runtimes/${id}/local-skills/import/${one}/result`;
    assert.equal((await wire(plane, "POST", path, { status: "completed", skill: null })).status, 200);
    assert.deepEqual([plane.action(one!)!.status, plane.action(one!)!.result!.error], [
      "failed",
      "daemon returned an empty skill bundle",
    ]);
  }));

Deno.test("gc-checks answer by kind with the server's texts", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, agents } = await scene(plane);
    const common = { workspaceId, agentId: agents.claude! };
    const issue = plane.addTask({ ...common, prompt: "x" });
    const chat = plane.addTask({ ...common, kind: "chat", message: "x" });
    const pilot = plane.addTask({ ...common, kind: "autopilot", title: "x" });
    const run = plane.store.db.get<{ id: string }>("SELECT id FROM autopilot_runs")!.id;
    const get = async (path: string) => (await wire(plane, "GET", `/api/daemon/${path}/gc-check`)).json;
    assert.equal((await get(`issues/${issue.issue_id}`)).status, "todo");
    assert.equal((await get(`chat-sessions/${chat.chat_session_id}`)).status, "active");
    assert.deepEqual(await get(`autopilot-runs/${run}`), {
      status: "running",
      completed_at: "0001-01-01T00:00:00Z",
    });
    assert.equal((await get(`tasks/${pilot.id}`)).status, "queued");
    const none = crypto.randomUUID();
    const texts = [
      ["issues", "issue not found", "invalid issue_id"],
      ["chat-sessions", "chat session not found", "invalid session_id"],
      ["autopilot-runs", "autopilot run not found", "invalid run_id"],
      ["tasks", "task not found", "invalid task_id"],
    ] as const;
    for (const [path, gone, invalid] of texts) {
      assert.equal((await get(`${path}/${none}`)).error, gone);
      assert.equal((await get(`${path}/x`)).error, invalid);
    }
  }));
