import assert from "node:assert/strict";
import { Hold, Plane, PlanePortBusy } from "../../../lib/plane/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claim, scene, wire, WireSocket, withPlane } from "../../helpers/plane.ts";

Deno.test("Faults.script() answers a sequence of statuses and then lets requests pass", () =>
  withPlane({}, async (plane) => {
    const script = plane.faults.script("GET /api/workspaces", [
      { status: 503 },
      { status: 429, body: "slow down", headers: { "retry-after": "7" } },
      {},
      { status: 502 },
    ]);
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(await wire(plane, "GET", "/api/workspaces"));
    assert.deepEqual(answers.map((one) => one.status), [503, 429, 200, 502, 200]);
    assert.equal(answers[1]!.text, "slow down");
    assert.equal(answers[1]!.headers.get("retry-after"), "7");
    assert.equal(script.used, 4);
  }));

Deno.test("Faults.always() matches patterns until cleared", () =>
  withPlane({}, async (plane) => {
    const fault = plane.faults.always("* /api/daemon/*", { status: 500 });
    assert.equal((await wire(plane, "POST", "/api/daemon/heartbeat", {})).status, 500);
    assert.equal((await wire(plane, "GET", "/api/workspaces")).status, 200);
    fault.clear();
    assert.equal((await wire(plane, "POST", "/api/daemon/heartbeat", {})).status, 400);
  }));

Deno.test("Behaviour.reset before loses the request, after loses only the answer", () =>
  withPlane({ gate: true }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await claim(plane, runtimes.claude!);
    const start = `/api/daemon/tasks/${task.id}/start`;
    plane.faults.script("POST /api/daemon/tasks/:id/start", [{ reset: "before" }, { reset: "after" }]);
    await assert.rejects(wire(plane, "POST", start, {}));
    assert.equal(plane.task(task.id)!.status, "dispatched");
    await assert.rejects(wire(plane, "POST", start, {}));
    assert.equal(plane.task(task.id)!.status, "running");
    assert.equal(plane.requests("/start").length, 2);
  }));

Deno.test("Behaviour.reset without a gate cuts the answer", () =>
  withPlane({}, async (plane) => {
    plane.faults.script("GET /api/workspaces", [{ reset: "before" }]);
    await assert.rejects(wire(plane, "GET", "/api/workspaces"));
    assert.equal((await wire(plane, "GET", "/api/workspaces")).status, 200);
  }));

Deno.test("Behaviour.hold stops a request until released, lateHold only its answer", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    const [early, late] = [new Hold(), new Hold()];
    plane.faults.script("POST /api/daemon/runtimes/:id/tasks/claim", [{ hold: early, lateHold: late }]);
    const claiming = claim(plane, runtimes.claude!);
    await early.reached;
    assert.equal(plane.task(task.id)!.status, "queued");
    early.release();
    await late.reached;
    assert.equal(plane.task(task.id)!.status, "dispatched");
    assert.equal(late.waiting, 1);
    late.release();
    assert.equal((await claiming).id, task.id);
  }));

Deno.test("Behaviour.delayMs waits on the injected clock", async () => {
  const clock = new FakeClock();
  await withPlane({ clock }, async (plane) => {
    plane.faults.script("GET /api/workspaces", [{ delayMs: 60_000 }]);
    const before = clock.pending;
    const answer = wire(plane, "GET", "/api/workspaces");
    await plane.waitForRequest((one) => one.path === "/api/workspaces");
    while (clock.pending === before) await clock.advance(0, { io: true });
    assert.equal(plane.requests()[0]!.status, 0);
    await clock.advance(60_000);
    assert.equal((await answer).status, 200);
  });
});

Deno.test("Behaviour.partial [f20] stores some rows of a batch and answers 500", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    plane.faults.script("POST /api/daemon/tasks/:id/messages", [{ partial: 3 }]);
    const messages = Array.from({ length: 10 }, (_, i) => ({ seq: i + 1, type: "text", content: String(i) }));
    const answer = await wire(plane, "POST", `/api/daemon/tasks/${task.id}/messages`, { messages });
    assert.equal(answer.status, 500);
    assert.equal(answer.json.error, "failed to persist task message");
    const stored = await wire(plane, "GET", `/api/daemon/tasks/${task.id}/messages?since=1`);
    assert.deepEqual(stored.json.map((row: { seq: number }) => row.seq), [2, 3]);
  }));

Deno.test("Faults.outage() refuses, hangs or answers, and ends", () =>
  withPlane({ gate: true }, async (plane) => {
    const end = await plane.faults.outage({ mode: "refuse" });
    await assert.rejects(wire(plane, "GET", "/health"));
    await end();
    assert.equal((await wire(plane, "GET", "/health")).status, 200);
    const endStatus = await plane.faults.outage({ mode: "status", status: 503 });
    assert.equal((await wire(plane, "GET", "/health")).status, 503);
    await endStatus();
    const endHang = await plane.faults.outage({ mode: "hang" });
    const abort = new AbortController();
    const hanging = wire(plane, "GET", "/health", undefined, { signal: abort.signal });
    await plane.waitForRequest((one) => one.n === 3);
    abort.abort();
    await assert.rejects(hanging);
    await endHang();
    assert.equal((await wire(plane, "GET", "/health")).status, 200);
  }));

Deno.test("Plane.halfOpen() [f05] keeps the socket open and silent; a new dial works", () =>
  withPlane({ gate: true }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const id = runtimes.claude!;
    const dead = await WireSocket.open(plane, [id]);
    plane.halfOpen();
    dead.send("daemon:heartbeat", { runtime_id: id });
    const fresh = await WireSocket.open(plane, [id]);
    plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    fresh.send("daemon:heartbeat", { runtime_id: id });
    await fresh.next("daemon:heartbeat_ack");
    await fresh.next("daemon:task_available");
    assert.deepEqual(dead.waiting, []);
    assert.equal(plane.requests("daemon:heartbeat").length, 1);
    await fresh.close();
    const gone = dead.closed;
    await plane.close();
    await gone;
  }));

Deno.test("Faults refuse an upgrade with a status", () =>
  withPlane({}, async (plane) => {
    const { runtimes } = await scene(plane);
    plane.faults.script("GET /api/daemon/ws", [{
      status: 503,
      body: { error: "daemon websocket unavailable" },
    }]);
    await assert.rejects(WireSocket.open(plane, [runtimes.claude!]), /refused/);
    await (await WireSocket.open(plane, [runtimes.claude!])).close();
  }));

Deno.test("Hub.dropFrame loses frames either way", () =>
  withPlane({}, async (plane) => {
    const { runtimes } = await scene(plane);
    const id = runtimes.claude!;
    const socket = await WireSocket.open(plane, [id]);
    let dropped = 0;
    plane.hub.dropFrame = (frame, way) =>
      way === "out" && frame.type === "daemon:heartbeat_ack" && dropped++ === 0;
    socket.send("daemon:heartbeat", { runtime_id: id });
    socket.send("daemon:heartbeat", { runtime_id: id });
    await socket.next("daemon:heartbeat_ack");
    assert.deepEqual([dropped, socket.waiting.length], [2, 0]);
    await socket.close();
  }));

Deno.test("Recorder counts by endpoint, finds requests and waits for them", () =>
  withPlane({}, async (plane) => {
    const { runtimes } = await scene(plane);
    const beat = () => wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: runtimes.claude });
    const waiting = plane.waitForRequest((one) => one.path.endsWith("/heartbeat"));
    await beat();
    const first = await waiting;
    assert.match(first.body, /runtime_id/);
    assert.match(first.headers.authorization!, /^Bearer mul_/);
    const next = plane.waitForRequest((one) => one.path.endsWith("/heartbeat"), { after: first.n });
    await beat();
    assert.equal((await next).n, first.n + 1);
    assert.equal(plane.recorder.rates()["POST /api/daemon/heartbeat"], 2);
    assert.deepEqual(plane.requests("POST /api/daemon/heartbeat").map((one) => one.status), [200, 200]);
    const gone = AbortSignal.abort(new Error("enough"));
    await assert.rejects(plane.waitForRequest(() => false, { signal: gone }), /enough/);
  }));

Deno.test("Plane.open() says when its port is taken", () =>
  withPlane({}, async (plane) => {
    await assert.rejects(Plane.open({ port: plane.port }), PlanePortBusy);
    await assert.rejects(Plane.open({ port: plane.port, gate: true }), PlanePortBusy);
  }));

Deno.test("Behaviour.lateStatus does the work and tells the host otherwise", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await claim(plane, runtimes.claude!);
    plane.faults.script("POST /api/daemon/tasks/:id/start", [{ lateStatus: 502, body: "bad gateway" }]);
    const answer = await wire(plane, "POST", `/api/daemon/tasks/${task.id}/start`, {});
    assert.deepEqual([answer.status, answer.text, plane.task(task.id)!.status], [
      502,
      "bad gateway",
      "running",
    ]);
  }));

Deno.test("Store.editClaim changes what a claim hands out", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    plane.store.editClaim = (task) => ({ ...task, auth_token: "mul_stolen", agent: undefined });
    const claimed = await claim(plane, runtimes.claude!);
    assert.deepEqual([claimed.auth_token, "agent" in claimed], ["mul_stolen", false]);
  }));

Deno.test("Plane.open() makes its database file readable by its owner alone", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await withPlane({ path: `${dir}/plane.db` }, async (plane) => {
      plane.createWorkspace({ name: "A" });
      for (const name of ["plane.db", "plane.db-wal"]) {
        assert.equal((await Deno.stat(`${dir}/${name}`)).mode! & 0o777, 0o600);
      }
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
