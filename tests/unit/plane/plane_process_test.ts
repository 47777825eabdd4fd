import assert from "node:assert/strict";
import { PlaneProcess } from "../../helpers/plane_process.ts";
import { wire } from "../../helpers/plane.ts";

Deno.test("PlaneProcess is steered from another process: tasks, faults, events, requests", async () => {
  const plane = await PlaneProcess.start({ gate: true, record: true });
  try {
    const workspaceId = await plane.call("createWorkspace", { name: "Acme" });
    const answer = await wire(plane, "POST", "/api/daemon/register", {
      workspace_id: workspaceId,
      daemon_id: "d1",
      runtimes: [{ name: "Claude", type: "claude", version: "1", status: "online" }],
    });
    const agentId = await plane.call("createAgent", { workspaceId, name: "a", provider: "claude" });
    const task = await plane.call("addTask", { workspaceId, agentId, prompt: "Do" });
    const script = await plane.script("POST /api/daemon/runtimes/:id/tasks/claim", [{ status: 500 }]);
    const path = `/api/daemon/runtimes/${answer.json.runtimes[0].id}/tasks/claim`;
    assert.equal((await wire(plane, "POST", path, {})).status, 500);
    const dispatched = plane.taskState(task.id, "dispatched");
    assert.equal((await wire(plane, "POST", path, {})).json.task.id, task.id);
    assert.equal((await dispatched).status, "dispatched");
    assert.equal(await plane.used(script), 1);
    assert.equal((await plane.requests("tasks/claim")).length, 2);
    assert.equal((await plane.rates())["POST /api/daemon/runtimes/:id/tasks/claim"], 2);
  } finally {
    await plane.stop();
  }
});
