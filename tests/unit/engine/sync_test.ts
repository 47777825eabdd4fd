/** Workspaces joined and left, settings, periods, reconcile (spec 01 §7.3, 11.3; 02 §17.9). */
import assert from "node:assert/strict";
import { onStage } from "../../helpers/engine_stage.ts";

const REGISTER = "POST /api/daemon/register";

for (const era of ["baseline", "later"] as const) {
  Deno.test(`WorkspaceSync a workspace joined or left is noticed in time on a ${era} server [C11.3, W17.4]`, async () => {
    const limit = era === "later" ? 2_000 : 37_000;
    await onStage({ plane: { era } }, async (stage) => {
      await stage.advance(5_000);
      const joined = stage.plane.createWorkspace({ name: "Second" });
      const watched = () => stage.health?.workspaces?.map((one) => one.id) ?? [];
      await stage.until("joined", () => watched().includes(joined), limit);
      const rows = stage.runtimeIds(joined);
      const since = stage.mark();
      stage.plane.removeMember(joined);
      await stage.until("left", () => !watched().includes(joined), limit);
      assert.equal(since("deregister").length, 0, "a workspace that is left is dropped without a word");
      const left = stage.mark();
      await stage.advance(60_000);
      assert.deepEqual(left().filter((one) => rows.some((id) => one.path.includes(id))), []);
    });
  });
}

Deno.test("a workspace that was left and joined again knows nothing of its earlier tasks' repositories [R47]", async () => {
  await onStage({ plane: { era: "later" } }, async (stage) => {
    const [id] = stage.workspaceIds;
    const url = "https://example.com/task.git";
    const checkout = async () => {
      const named = { url, workspace_id: id!, workdir: "/w", ref: "", agent_name: "a", task_id: "t" };
      const request = { ...named, checkout_mode: "", retry_busy: false, token: "" };
      const answer = stage.handle.checkout(request, new AbortController().signal);
      let done: unknown;
      void answer.then((value) => done = value);
      await stage.until("answered", () => done !== undefined);
      return (await answer).body;
    };
    const task = stage.task(stage.agent(), { repos: [url] });
    await stage.until("completed", () => stage.plane.task(task)?.status === "completed");
    assert.match(String(await checkout()), /^repo is configured but not synced/);
    stage.plane.removeMember(id!);
    await stage.until("left", () => stage.health?.workspaces === null);
    assert.match(String(await checkout()), /^workspace is not watched by this daemon/);
    stage.plane.addMember(id!);
    await stage.until("joined again", () => stage.health?.workspaces?.length === 1);
    assert.equal(await checkout(), "repo is not configured for this workspace");
  });
});

Deno.test("WorkspaceSync asks every 30 s where nothing is pushed, every 30 min where it is [C11.3, W17.9]", async () => {
  await onStage({ plane: { era: "baseline" } }, async (stage) => {
    const since = stage.mark();
    await stage.advance(10 * 60_000);
    assert.ok(Math.abs(since("GET /api/workspaces").length - 20) <= 1);
  });
  await onStage({ plane: { era: "later" } }, async (stage) => {
    await stage.advance(2_000);
    const since = stage.mark();
    await stage.advance(50 * 60_000);
    const asked = since("GET /api/daemon/workspaces").filter((one) => one.path.endsWith("/workspaces"));
    assert.equal(asked.length, 1);
  });
});

Deno.test("WorkspaceSync reads repositories nobody uses every 5 min, and before a checkout [01 §11.3]", async () => {
  await onStage({ plane: { era: "baseline" } }, async (stage) => {
    const since = stage.mark();
    await stage.advance(4 * 60_000);
    assert.equal(since("/repos").length, 0, "the registration brought them");
    assert.ok(since("/runtime-profiles").length >= 7);
    await stage.advance(17 * 60_000);
    assert.ok(Math.abs(since("/repos").length - 4) <= 1);
  });
});

Deno.test("WorkspaceSync one bad workspace never stops the others, nor does one that hangs", async () => {
  await onStage({ workspaces: 3, start: false }, async (stage) => {
    stage.plane.faults.script(REGISTER, [{ status: 500 }, { delayMs: 25_000 }]);
    stage.start();
    await stage.until("third registered", () => stage.plane.runtimes().length === 1, 1_000);
    await stage.running();
    const said = () => stage.health?.status_sentences["sync"] ?? "";
    assert.match(said(), /^watching 2 workspaces .*; could not join Workspace 1: POST .* returned 500/);
    await stage.advance(37_000);
    assert.equal(stage.plane.runtimes().length, 3);
    assert.equal(stage.logs.filter((line) => line.includes("first registration")).length, 1);
  });
});

Deno.test("WorkspaceSync a failing list changes nothing", async () => {
  await onStage({}, async (stage) => {
    const failing = stage.plane.faults.always("GET /api/workspaces", { status: 502 });
    const since = stage.mark();
    await stage.advance(120_000);
    assert.equal(stage.health?.workspaces?.[0]?.runtimes.length, 1);
    assert.equal(since(REGISTER).length + since("deregister").length, 0);
    assert.match(stage.health!.status_sentences!.sync!, /502/);
    failing.clear();
  });
});

Deno.test("WorkspaceSync runs at once after a reconnect, not twice within a second [C11.3, W17.9]", async () => {
  await onStage({}, async (stage) => {
    await stage.advance(12_000);
    const since = stage.mark();
    stage.plane.hub.closeAll();
    await stage.until("connected again", () => since("GET /api/daemon/ws").length === 1);
    await stage.settle();
    assert.equal(since("GET /api/workspaces").length, 1);
    assert.equal(since(REGISTER).length, 0);
    stage.plane.hub.closeAll();
    await stage.until("connected again", () => since("GET /api/daemon/ws").length === 2);
  });
});

Deno.test("engine a registration that returns the same ids keeps the socket", async () => {
  await onStage({}, async (stage) => {
    await stage.advance(5_000);
    const since = stage.mark();
    stage.handle.agents(stage.agents().map((agent) => ({ ...agent, version: "9.9.9" })));
    await stage.advance(40_000);
    assert.equal(since(REGISTER).length, 1);
    assert.equal(since("GET /api/daemon/ws").length, 0);
  });
});

Deno.test("engine no agent at all: it runs, says why it does not claim, and takes up one that is installed", async () => {
  await onStage({ providers: [] }, async (stage) => {
    assert.equal(stage.health?.claiming?.state, "idle");
    assert.match(stage.health!.claiming!.why, /no agent CLI is usable/);
    stage.handle.agents([{
      provider: "claude",
      path: "/opt/agents/claude",
      version: "1.0.0",
      probedAt: 0,
      problem: "",
      fix: "",
    }]);
    await stage.advance(1_000);
    assert.equal(stage.reloads.length, 1, "new executables need a new engine");
    assert.equal(stage.health?.claiming?.state, "paused");
  });
});

Deno.test("engine batch claims only after the server offered them on this connection [C11.2, W17.8]", async () => {
  await onStage({ providers: ["claude", "codex"], plane: { era: "later" } }, async (stage) => {
    await stage.advance(1_000);
    const single = stage.plane.requests("POST /api/daemon/runtimes");
    const offered = stage.plane.requests("WS daemon:heartbeat")[0]!.n;
    assert.ok(stage.plane.requests("RPC tasks.claim").every((one) => one.n > offered));
    assert.equal(stage.plane.requests("POST /api/daemon/tasks/claim").length, 0);
    const since = stage.mark();
    const agent = stage.agent();
    const ids = Array.from({ length: 30 }, () => stage.task(agent));
    await stage.until(
      "all done",
      () => ids.every((id) => stage.plane.task(id)?.status === "completed"),
      60_000,
    );
    assert.equal(since("POST /api/daemon/runtimes").filter((one) => one.path.endsWith("claim")).length, 0);
    assert.ok(since("RPC tasks.claim").length > 0);
    assert.ok(single.length >= 0);
  });
});

Deno.test("engine a batch claim of unknown outcome is followed by a rest of 7 s and one claim over HTTP [C11.2, W17.7]", async () => {
  await onStage({ plane: { era: "later" } }, async (stage) => {
    await stage.advance(31_000);
    stage.plane.faults.script("RPC tasks.claim", [{ reset: "after" }]);
    const since = stage.mark();
    const id = stage.task(stage.agent());
    await stage.until("claimed and lost", () => stage.plane.task(id)?.status === "dispatched");
    await stage.until("rests", () => /so claims rest for 7 s$/.test(stage.health!.claiming.why), 20_000);
    await stage.until("over HTTP", () => since("POST /api/daemon/tasks/claim").length === 1, 20_000);
    const lost = since("RPC tasks.claim")[0]!.at;
    assert.ok(since("POST /api/daemon/tasks/claim")[0]!.at - lost >= 14_000 - 10);
    assert.equal(since("RPC tasks.claim").filter((one) => one.at - lost < 14_000).length, 1);
    await stage.until("redelivered and done", () => stage.plane.task(id)?.status === "completed", 180_000);
    assert.equal(stage.plane.tasks().length, 1);
  });
});

Deno.test("engine a server without batch claims takes per-runtime claims until the next connection [C11.2]", async () => {
  await onStage({ plane: { era: "later" } }, async (stage) => {
    await stage.advance(31_000);
    stage.plane.faults.always("RPC tasks.claim", { status: 404 });
    stage.plane.faults.always("POST /api/daemon/tasks/claim", { status: 404, body: "404 page not found" });
    const id = stage.task(stage.agent());
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed", 5_000);
    const since = stage.mark();
    await stage.advance(60_000);
    assert.equal(since("RPC tasks.claim").length, 0);
    assert.ok(since("POST /api/daemon/runtimes").some((one) => one.path.endsWith("claim")));
  });
});
