import assert from "node:assert/strict";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claim, claimAndStart, scene, wire, withPlane } from "../../helpers/plane.ts";

Deno.test("claim() [R50] hands out again what was dispatched 90 s ago without a live lease", async (t) => {
  const cases = [
    { name: "120 s, lease past", afterMs: 120_000, again: true },
    { name: "75 s", afterMs: 75_000, again: false },
    { name: "120 s, lease alive", afterMs: 120_000, extendAtMs: 100_000, again: false },
    { name: "200 s, lease expired", afterMs: 200_000, extendAtMs: 100_000, again: true },
    { name: "120 s, started", afterMs: 120_000, start: true, again: false },
  ];
  for (const one of cases) {
    await t.step(one.name, async () => {
      const clock = new FakeClock();
      await withPlane({ clock, sweeper: false }, async (plane) => {
        const { workspaceId, runtimes, agents } = await scene(plane);
        const id = runtimes.claude!;
        const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
        const first = await claim(plane, id);
        if (one.start) await wire(plane, "POST", `/api/daemon/tasks/${task.id}/start`, {});
        await clock.advance(one.extendAtMs ?? 0);
        if (one.extendAtMs !== undefined) {
          const lease = await wire(
            plane,
            "POST",
            `/api/daemon/runtimes/${id}/tasks/${task.id}/prepare-lease`,
            {},
          );
          assert.equal(lease.status, 200);
        }
        await clock.advance(one.afterMs - (one.extendAtMs ?? 0));
        const second = await claim(plane, id);
        assert.equal(second?.id, one.again ? task.id : undefined);
        if (!one.again) return;
        assert.notEqual(second.auth_token, first.auth_token);
        assert.notEqual(second.dispatched_at, first.dispatched_at);
      });
    });
  }
});

Deno.test("claim() [R50] never hands a task to another runtime", async () => {
  const clock = new FakeClock();
  await withPlane({ clock, sweeper: false }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane, { providers: ["claude", "codex"] });
    plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    assert.equal(await claim(plane, runtimes.codex!), null);
    await claim(plane, runtimes.claude!);
    await clock.advance(120_000);
    assert.equal(await claim(plane, runtimes.codex!), null);
  });
});

Deno.test("prepare-lease [R50] is refused once the task has started, and for another runtime's task", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane, { providers: ["claude", "codex"] });
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await claimAndStart(plane, runtimes.claude!);
    const lease = (id: string) =>
      wire(plane, "POST", `/api/daemon/runtimes/${id}/tasks/${task.id}/prepare-lease`, {});
    assert.equal((await lease(runtimes.claude!)).status, 400);
    const foreign = await lease(runtimes.codex!);
    assert.deepEqual([foreign.status, foreign.json.error], [404, "task not found"]);
  }));

Deno.test("claim() goes by priority, then age, and keeps one active task per agent and issue", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const agentId = agents.claude!;
    const low = plane.addTask({ workspaceId, agentId, prompt: "low" });
    const older = plane.addTask({ workspaceId, agentId, prompt: "older", priority: 3 });
    const same = plane.addTask({ workspaceId, agentId, issueId: older.issue_id, priority: 3 });
    const younger = plane.addTask({ workspaceId, agentId, prompt: "younger", priority: 3 });
    const order = [];
    for (let i = 0; i < 4; i++) order.push((await claim(plane, runtimes.claude!))?.id);
    assert.deepEqual(order, [older.id, younger.id, low.id, undefined]);
    plane.cancelTask(older.id);
    assert.equal((await claim(plane, runtimes.claude!)).id, same.id);
  }));

Deno.test("claim() keeps one quick-create and one turn per chat session at a time", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const agentId = agents.claude!;
    const chat = plane.addTask({ kind: "chat", workspaceId, agentId, message: "hi" });
    plane.addTask({
      kind: "chat",
      workspaceId,
      agentId,
      chatSessionId: chat.chat_session_id,
      message: "again",
    });
    plane.addTask({ kind: "quick-create", workspaceId, agentId, quick: { prompt: "make it" } });
    plane.addTask({ kind: "quick-create", workspaceId, agentId, quick: { prompt: "make more" } });
    const kinds = [];
    for (let i = 0; i < 3; i++) kinds.push((await claim(plane, runtimes.claude!))?.kind);
    assert.deepEqual(kinds, ["quick_create", "chat", undefined]);
  }));

Deno.test("claim() respects the agent's max_concurrent_tasks over all its runtimes' states", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane, { maxConcurrentTasks: 2 });
    const tasks = [1, 2, 3].map((n) =>
      plane.addTask({ workspaceId, agentId: agents.claude!, prompt: String(n) })
    );
    await claimAndStart(plane, runtimes.claude!);
    await claim(plane, runtimes.claude!);
    await wire(plane, "POST", `/api/daemon/tasks/${tasks[1]!.id}/wait-local-directory`, {
      reason: "local_directory /x",
    });
    assert.equal(plane.task(tasks[1]!.id)!.status, "waiting_local_directory");
    assert.equal(await claim(plane, runtimes.claude!), null);
    await wire(plane, "POST", `/api/daemon/tasks/${tasks[0]!.id}/complete`, { output: "" });
    assert.equal((await claim(plane, runtimes.claude!)).id, tasks[2]!.id);
  }));

Deno.test("claim() [R51] without a runtime owner or over a workspace border is 500 and cancels the task", () =>
  withPlane({}, async (plane) => {
    const workspaceId = plane.createWorkspace({ name: "A" });
    const token = plane.mintToken("mdt", { workspaceId, daemonId: "d" });
    const answer = await wire(plane, "POST", "/api/daemon/register", {
      workspace_id: workspaceId,
      daemon_id: "d",
      runtimes: [{ name: "c", type: "claude", version: "1", status: "online" }],
    }, { token });
    const ownerless = answer.json.runtimes[0].id;
    const agentId = plane.createAgent({ workspaceId, name: "a", runtimeId: ownerless });
    const task = plane.addTask({ workspaceId, agentId, prompt: "x" });
    const claimed = await wire(plane, "POST", `/api/daemon/runtimes/${ownerless}/tasks/claim`, {});
    assert.deepEqual([claimed.status, claimed.json.error], [
      500,
      "runtime owner required to mint task token",
    ]);
    assert.equal(plane.task(task.id)!.status, "cancelled");
    const other = await scene(plane);
    const stray = plane.addTask({ workspaceId, agentId, runtimeId: other.runtimes.claude!, prompt: "x" });
    const mismatch = await wire(
      plane,
      "POST",
      `/api/daemon/runtimes/${other.runtimes.claude}/tasks/claim`,
      {},
    );
    assert.deepEqual([mismatch.status, mismatch.json.error], [500, "task workspace isolation check failed"]);
    assert.equal(plane.task(stray.id)!.status, "cancelled");
  }));

Deno.test("claim() answers 404 and 400 as the server does", () =>
  withPlane({}, async (plane) => {
    const { runtimes } = await scene(plane);
    const path = (id: string) => `/api/daemon/runtimes/${id}/tasks/claim`;
    const gone = await wire(plane, "POST", path(crypto.randomUUID()), {});
    assert.deepEqual([gone.status, gone.json.error], [404, "runtime not found"]);
    const bad = await wire(plane, "POST", path("nonsense"), {});
    assert.deepEqual([bad.status, bad.json.error], [400, "invalid runtime_id"]);
    const stranger = plane.mintToken("mul", { userId: plane.createUser({ name: "Stranger" }) });
    const hidden = await wire(plane, "POST", path(runtimes.claude!), {}, { token: stranger });
    assert.deepEqual([hidden.status, hidden.json.error], [404, "not found"]);
  }));

Deno.test("claim() sends skill references to hosts with the capability, whole skills to others", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes } = await scene(plane);
    const skillId = plane.createSkill({
      workspaceId,
      name: "deploy",
      content: "main",
      files: [{ path: "a.md", content: "a" }],
    });
    const agentId = plane.createAgent({ workspaceId, name: "b", provider: "claude", skillIds: [skillId] });
    plane.addTask({ workspaceId, agentId, prompt: "1" });
    plane.addTask({ workspaceId, agentId, prompt: "2" });
    const caps = { "x-client-capabilities": "skill-bundles-v1" };
    const modern = await claim(plane, runtimes.claude!, caps);
    assert.equal(modern.agent.skills, undefined);
    const ref = modern.agent.skill_refs[0];
    assert.deepEqual([ref.id, ref.source, ref.file_count, ref.size_bytes], [skillId, "workspace", 1, 5]);
    const base = `/api/daemon/runtimes/${runtimes.claude}/tasks/${modern.id}/skill-bundles/resolve`;
    const { json } = await wire(plane, "POST", base, { skills: [ref] });
    assert.deepEqual([json.bundles[0].content, json.bundles[0].hash], ["main", ref.hash]);
    const unknown = await wire(plane, "POST", base, { skills: [{ ...ref, id: "x" }] });
    assert.deepEqual([unknown.status, unknown.json.error], [404, "skill bundle not found"]);
    assert.equal(
      (await wire(plane, "POST", base, { skills: [{ id: "", source: "", hash: "" }] })).status,
      400,
    );
    await wire(plane, "POST", `/api/daemon/tasks/${modern.id}/start`, {});
    assert.equal((await wire(plane, "POST", base, { skills: [ref] })).status, 409);
    const older = await claim(plane, runtimes.claude!);
    assert.equal(older.agent.skills[0].content, "main");
  }));
