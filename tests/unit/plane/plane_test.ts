import assert from "node:assert/strict";
import { Plane } from "../../../lib/plane/mod.ts";
import { claim, scene, wire, WireSocket } from "../../helpers/plane.ts";

Deno.test("Plane serves a task from wake-up to completion over HTTP and WebSocket", async () => {
  const plane = await Plane.open();
  try {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const runtimeId = runtimes.claude!;
    const socket = await WireSocket.open(plane, [runtimeId]);
    socket.send("daemon:heartbeat", { runtime_id: runtimeId, supports_batch_import: true });
    assert.deepEqual(await socket.next("daemon:heartbeat_ack"), { runtime_id: runtimeId, status: "ok" });
    const task = plane.addTask({
      workspaceId,
      agentId: agents.claude!,
      title: "Fix it",
      prompt: "Fix the bug",
    });
    const hint = await socket.next("daemon:task_available");
    assert.deepEqual(hint, { runtime_id: runtimeId, task_id: task.id });
    const claimed = await claim(plane, runtimeId);
    assert.equal(claimed.id, task.id);
    assert.equal(claimed.thread_name, "Fix it");
    assert.match(claimed.auth_token, /^mat_[0-9a-f]{40}$/);
    const base = `/api/daemon/tasks/${task.id}`;
    assert.equal((await wire(plane, "POST", `${base}/start`, {})).json.status, "running");
    const messages = [{ seq: 1, type: "text", content: "hello" }, {
      seq: 2,
      type: "tool_use",
      tool: "Bash",
      input: { a: 1 },
    }];
    assert.equal((await wire(plane, "POST", `${base}/messages`, { messages })).status, 200);
    assert.equal(
      (await wire(plane, "POST", `${base}/session`, { session_id: "s1", work_dir: "/w" })).status,
      204,
    );
    const usage = [{
      provider: "Claude",
      model: "m",
      input_tokens: 1,
      output_tokens: 2,
      cache_read_tokens: 3,
      cache_write_tokens: 4,
    }];
    assert.equal((await wire(plane, "POST", `${base}/usage`, { usage })).status, 200);
    assert.equal((await wire(plane, "GET", `${base}/status`)).json.status, "running");
    const done = plane.taskState(task.id, "completed");
    const body = { output: "Fixed", session_id: "s1", work_dir: "/w" };
    assert.equal((await wire(plane, "POST", `${base}/complete`, body)).json.status, "completed");
    assert.equal((await done).output, "Fixed");
    assert.deepEqual(plane.messages(task.id).map((one) => one.seq), [1, 2]);
    assert.equal(plane.usage(task.id)[0]!.provider, "claude");
    assert.equal(plane.comments(task.issue_id)[0]!.content, "Fixed");
    await socket.close();
  } finally {
    await plane.close();
  }
});
