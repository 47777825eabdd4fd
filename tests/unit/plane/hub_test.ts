import assert from "node:assert/strict";
import { scene, wire, WireSocket, withPlane } from "../../helpers/plane.ts";

Deno.test("upgrade is refused with the server's statuses, all or nothing", () =>
  withPlane({}, async (plane) => {
    const { runtimes, workspaceId } = await scene(plane);
    const id = runtimes.claude!;
    const get = async (query: string, token?: string) => {
      const answer = await wire(
        plane,
        "GET",
        `/api/daemon/ws${query}`,
        undefined,
        token === undefined ? {} : { token },
      );
      return [answer.status, answer.json.error];
    };
    assert.deepEqual(await get(""), [400, "runtime_ids required"]);
    assert.deepEqual(await get("?runtime_ids=x"), [400, "invalid runtime_id"]);
    assert.deepEqual(await get(`?runtime_ids=${id}`, ""), [401, "missing authorization header"]);
    assert.deepEqual(await get(`?runtime_ids=${id},${crypto.randomUUID()}`), [404, "runtime not found"]);
    const other = plane.mintToken("mdt", { workspaceId, daemonId: "another machine" });
    assert.deepEqual(await get(`?runtime_ids=${id}`, other), [404, "runtime not found"]);
    const stranger = plane.mintToken("mul", { userId: plane.createUser({ name: "S" }) });
    assert.deepEqual(await get(`?runtime_id=${id}`, stranger), [404, "not found"]);
  }));

Deno.test("heartbeat over the socket acks with pending actions, flags and runtime_gone", () =>
  withPlane({ featureFlags: { version: 42, flags: { runtime_brief_slim: "on" } } }, async (plane) => {
    const { runtimes } = await scene(plane, { providers: ["claude", "codex"] });
    const socket = await WireSocket.open(plane, [runtimes.claude!, runtimes.codex!]);
    const models = plane.requestModels(runtimes.claude!);
    const imports = ["a", "b"].map((key) => plane.requestSkillImport(runtimes.claude!, key));
    socket.send("daemon:heartbeat", { runtime_id: runtimes.claude, supports_batch_import: true });
    const ack = await socket.next("daemon:heartbeat_ack");
    assert.deepEqual(ack, {
      runtime_id: runtimes.claude,
      status: "ok",
      pending_model_list: { id: models },
      pending_local_skill_import: { id: imports[0], skill_key: "a" },
      pending_local_skill_imports: [{ id: imports[0], skill_key: "a" }, { id: imports[1], skill_key: "b" }],
      feature_flags: { version: 42, flags: { runtime_brief_slim: "on" } },
    });
    plane.deleteRuntime(runtimes.codex!);
    socket.send("daemon:heartbeat", { runtime_id: runtimes.codex });
    const gone = await socket.next("daemon:heartbeat_ack");
    assert.deepEqual(gone, { runtime_id: runtimes.codex, status: "runtime_gone", runtime_gone: true });
    await socket.close();
  }));

Deno.test("heartbeat for a runtime outside the connection's list, garbage and unknown frames get no answer", () =>
  withPlane({}, async (plane) => {
    const { runtimes } = await scene(plane, { providers: ["claude", "codex"] });
    const socket = await WireSocket.open(plane, [runtimes.claude!]);
    socket.send("daemon:heartbeat", { runtime_id: runtimes.codex });
    socket.send("daemon:heartbeat", null);
    socket.send("daemon:rpc_request", { request_id: "1", method: "tasks.claim", body: {} });
    socket.send("nonsense", {});
    socket.sendRaw("{");
    socket.send("daemon:heartbeat", { runtime_id: runtimes.claude });
    assert.equal((await socket.next("daemon:heartbeat_ack")).runtime_id, runtimes.claude);
    assert.deepEqual(socket.waiting, []);
    await socket.close();
  }));

Deno.test("hints reach only connections with that runtime or workspace", () =>
  withPlane({}, async (plane) => {
    const one = await scene(plane);
    const two = await scene(plane);
    const sockets = [
      await WireSocket.open(plane, [one.runtimes.claude!]),
      await WireSocket.open(plane, [two.runtimes.claude!]),
    ];
    plane.addTask({ workspaceId: one.workspaceId, agentId: one.agents.claude!, prompt: "x" });
    const profile = plane.createProfile({
      workspaceId: two.workspaceId,
      displayName: "Co",
      protocolFamily: "codex",
      commandName: "co",
    });
    await sockets[0]!.next("daemon:task_available");
    const changed = await sockets[1]!.next("daemon:runtime_profiles_changed");
    assert.deepEqual(changed, { workspace_id: two.workspaceId, runtime_profile_id: profile });
    assert.deepEqual(sockets.map((socket) => socket.waiting.length), [0, 0]);
    for (const socket of sockets) await socket.close();
  }));

Deno.test("a frame over the era's limit closes the connection", async () => {
  for (const [era, limit] of [["baseline", 4_096], ["later", 65_536]] as const) {
    await withPlane({ era }, async (plane) => {
      const { runtimes } = await scene(plane);
      const frame = (size: number) => {
        const text = JSON.stringify({
          type: "daemon:heartbeat",
          payload: { runtime_id: runtimes.claude, pad: "" },
        });
        return text.replace('"pad":""', `"pad":"${"x".repeat(size - text.length)}"`);
      };
      const socket = await WireSocket.open(plane, [runtimes.claude!]);
      socket.sendRaw(frame(limit));
      await socket.next("daemon:heartbeat_ack");
      socket.sendRaw(frame(limit + 1));
      await socket.closed;
    });
  }
});

Deno.test("a full send queue drops acks and evicts on a hint", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const socket = await WireSocket.open(plane, [runtimes.claude!]);
    plane.hub.stall(true);
    for (let i = 0; i < 20; i++) socket.send("daemon:heartbeat", { runtime_id: runtimes.claude });
    await plane.waitForRequest((one) =>
      one.method === "WS" && plane.requests("WS daemon:heartbeat").length === 20
    );
    assert.equal(plane.hub.connections[0]!.queue.length, 16);
    plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await socket.closed;
  }));
