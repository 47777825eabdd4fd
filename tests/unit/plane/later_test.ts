import assert from "node:assert/strict";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claim, claimAndStart, scene, wire, WireSocket, withPlane } from "../../helpers/plane.ts";

Deno.test("a baseline plane has none of the later routes", () =>
  withPlane({}, async (plane) => {
    const { workspaceId } = await scene(plane);
    const calls: [string, string][] = [
      ["GET", "/api/daemon/workspaces"],
      ["POST", "/api/daemon/tasks/claim"],
      ["POST", "/api/daemon/claim"],
      ["POST", `/api/daemon/tasks/${crypto.randomUUID()}/cancel-ack`],
      ["POST", `/api/daemon/workspaces/${workspaceId}/issues/gc-check`],
    ];
    for (const [method, path] of calls) {
      const answer = await wire(plane, method, path, method === "GET" ? undefined : {});
      assert.deepEqual([answer.status, answer.text], [404, "404 page not found\n"]);
    }
  }));

Deno.test("daemon workspace list [01 §11.3] has a weak ETag and answers 304", () =>
  withPlane({ era: "later" }, async (plane) => {
    const id = "550e8400-e29b-41d4-a716-446655440000";
    const made = plane.createWorkspace({ name: "Acme" });
    plane.store.db.run("UPDATE workspaces SET id = ?", id);
    plane.store.db.run("UPDATE members SET workspace_id = ? WHERE workspace_id = ?", id, made);
    const first = await wire(plane, "GET", "/api/daemon/workspaces");
    assert.equal(first.text, `[{"id":"${id}","name":"Acme"}]`);
    const etag = first.headers.get("etag")!;
    assert.equal(etag, 'W/"0baf6ef39018b15213c9cca1a85963cc735557203ea93a4b1a781180177bdfeb"');
    const again = await wire(plane, "GET", "/api/daemon/workspaces", undefined, {
      headers: { "if-none-match": etag },
    });
    assert.deepEqual([again.status, again.text], [304, ""]);
    const token = plane.mintToken("mdt", { workspaceId: id, daemonId: "d" });
    assert.equal((await wire(plane, "GET", "/api/daemon/workspaces", undefined, { token })).json.length, 1);
  }));

Deno.test("batch claim [01 §11.2] spreads over runtimes, caps, and skips what is not ours", () =>
  withPlane({ era: "later" }, async (plane) => {
    const { workspaceId, runtimes, agents, daemonId } = await scene(plane, {
      providers: ["claude", "codex"],
    });
    const other = await scene(plane);
    for (let i = 0; i < 3; i++) plane.addTask({ workspaceId, agentId: agents.claude!, prompt: `c${i}` });
    plane.addTask({ workspaceId, agentId: agents.codex!, prompt: "x" });
    plane.addTask({
      workspaceId: other.workspaceId,
      agentId: other.agents.claude!,
      prompt: "foreign machine",
    });
    const post = (body: Record<string, unknown>, token?: string) =>
      wire(
        plane,
        "POST",
        "/api/daemon/tasks/claim",
        { daemon_id: daemonId, ...body },
        token === undefined ? {} : { token },
      );
    assert.equal((await post({ daemon_id: "" })).json.error, "daemon_id is required");
    assert.equal((await post({ max_tasks: -1 })).json.error, "max_tasks must not be negative");
    const mdt = plane.mintToken("mdt", { workspaceId, daemonId: "another" });
    assert.equal((await post({ max_tasks: 1 }, mdt)).status, 403);
    const runtime_ids = [runtimes.claude, "junk", other.runtimes.claude, runtimes.codex];
    assert.deepEqual((await post({ runtime_ids, max_tasks: 0 })).json, { tasks: [] });
    const two = (await post({ runtime_ids, max_tasks: 2 })).json.tasks;
    assert.deepEqual(two.map((task: { runtime_id: string }) => task.runtime_id), [
      runtimes.claude,
      runtimes.codex,
    ]);
    assert.match(two[0].auth_token, /^mat_/);
    assert.equal((await post({ runtime_ids, max_tasks: 9 })).json.tasks.length, 2);
  }));

Deno.test("rpc [02 §17.7] claims over the socket once an ack has said rpc-v1", () =>
  withPlane({ era: "later" }, async (plane) => {
    const { workspaceId, runtimes, agents, daemonId } = await scene(plane);
    const socket = await WireSocket.open(plane, [runtimes.claude!]);
    socket.send("daemon:heartbeat", { runtime_id: runtimes.claude });
    assert.deepEqual((await socket.next("daemon:heartbeat_ack")).server_capabilities, ["rpc-v1"]);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    const call = async (method: string, body: unknown) => {
      socket.send("daemon:rpc_request", { request_id: "r", method, body, timeout_ms: 5_000 });
      return await socket.next("daemon:rpc_response");
    };
    const answer = await call("tasks.claim", {
      daemon_id: daemonId,
      runtime_ids: [runtimes.claude],
      max_tasks: 4,
    });
    const body = answer.body as { tasks: { id: string }[] };
    assert.deepEqual([answer.request_id, answer.status, body.tasks.map((one) => one.id)], ["r", 200, [
      task.id,
    ]]);
    assert.equal((await call("tasks.claim", { daemon_id: "" })).status, 400);
    assert.equal((await call("nothing", {})).status, 404);
    plane.faults.script("RPC tasks.claim", [{ reset: "before" }]);
    socket.send("daemon:rpc_request", { request_id: "lost", method: "tasks.claim", body: {} });
    assert.equal((await call("nothing", {})).request_id, "r");
    await socket.close();
  }));

Deno.test("later hints: workspaces_changed to the user, pending_work to the runtime; sockets without runtimes", () =>
  withPlane({ era: "later" }, async (plane) => {
    const socket = await WireSocket.open(plane, []);
    const workspaceId = plane.createWorkspace({ name: "New" });
    assert.deepEqual(await socket.next("daemon:workspaces_changed"), {});
    const { runtimes } = await scene(plane, { workspaceId });
    const second = await WireSocket.open(plane, [runtimes.claude!]);
    plane.requestModels(runtimes.claude!);
    assert.deepEqual(await second.next("daemon:pending_work"), {
      runtime_id: runtimes.claude,
      kind: "model_list",
    });
    await socket.close();
    await second.close();
  }));

Deno.test("later claims need a runtime that is online and heard of, and give a refused task back [C11.2]", async () => {
  const clock = new FakeClock();
  await withPlane({ era: "later", clock, sweeper: false }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await clock.advance(151_000);
    assert.equal(await claim(plane, runtimes.claude!), null);
    await wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: runtimes.claude });
    plane.store.db.run("UPDATE runtimes SET owner_id = NULL");
    const refused = await wire(plane, "POST", `/api/daemon/runtimes/${runtimes.claude}/tasks/claim`, {});
    assert.equal(refused.status, 500);
    assert.equal(plane.task(task.id)!.status, "queued");
    plane.store.db.run("UPDATE runtimes SET owner_id = ?", plane.userId);
    await clock.advance(5_000);
    assert.equal((await claim(plane, runtimes.claude!)).id, task.id);
  });
});

Deno.test("cancel-ack, branch names, context exhaustion and network retries are the later server's [C11.5]", () =>
  withPlane({ era: "later" }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const add = () => plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    const post = (id: string, what: string, body: Record<string, unknown>) =>
      wire(plane, "POST", `/api/daemon/tasks/${id}/${what}`, body);
    const cancelled = add();
    await claimAndStart(plane, runtimes.claude!);
    plane.cancelTask(cancelled.id);
    assert.equal((await post(cancelled.id, "cancel-ack", { branch_name: "b" })).status, 200);
    assert.equal((await post(cancelled.id, "session", { session_id: "late" })).status, 204);
    const view = plane.task(cancelled.id)!;
    assert.deepEqual([view.cancel_acked, view.branch_name, view.session_id], [true, "b", "late"]);
    const full = add();
    await claimAndStart(plane, runtimes.claude!);
    await post(full.id, "complete", { output: "Prompt is too long" });
    assert.equal(plane.task(full.id)!.failure_reason, "agent_error.context_overflow");
    const net = add();
    await claimAndStart(plane, runtimes.claude!);
    await post(net.id, "fail", { error: "ECONNRESET", failure_reason: "agent_error.provider_network" });
    const second = await claimAndStart(plane, runtimes.claude!);
    assert.equal(second.parent_task_id, net.id);
    await post(second.id, "fail", { error: "ECONNRESET", failure_reason: "agent_error.provider_network" });
    assert.equal(await claim(plane, runtimes.claude!), null);
    assert.equal(plane.tasks({ status: "queued" })[0]!.attempt, 3);
  }));

Deno.test("batch gc-check [01 §11.10] tells found from gone", () =>
  withPlane({ era: "later" }, async (plane) => {
    const { workspaceId, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    const gone = crypto.randomUUID();
    const answer = await wire(plane, "POST", `/api/daemon/workspaces/${workspaceId}/issues/gc-check`, {
      issue_ids: [task.issue_id, gone],
    });
    assert.deepEqual(
      answer.json.issues.map((one: { found: boolean; status?: string }) => [one.found, one.status]),
      [[true, "todo"], [false, undefined]],
    );
  }));

Deno.test("a worktree directory is failed for hosts that cannot do it [01 §11.1] [C11.1]", () =>
  withPlane({ era: "later" }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const add = () => {
      const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x", localDir: "/srv/x" });
      plane.store.db.run(
        "UPDATE project_resources SET resource_ref = json_set(resource_ref, '$.execution_mode', 'worktree')",
      );
      return task;
    };
    const refused = add();
    assert.equal(await claim(plane, runtimes.claude!), null);
    assert.equal(plane.task(refused.id)!.failure_reason, "local_directory_error");
    const taken = add();
    assert.equal(
      (await claim(plane, runtimes.claude!, { "x-client-capabilities": "local-worktree-v1" })).id,
      taken.id,
    );
  }));
