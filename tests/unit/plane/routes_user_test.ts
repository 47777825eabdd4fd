import assert from "node:assert/strict";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claimAndStart, scene, wire, withPlane } from "../../helpers/plane.ts";

Deno.test("an agent reads and changes its issue with the task's token, by id and by identifier", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, title: "Fix", prompt: "Fix it" });
    const { auth_token: token } = await claimAndStart(plane, runtimes.claude!);
    const call = async (method: string, path: string, body?: unknown) =>
      await wire(plane, method, path, body, { token });
    const issue = (await call("GET", "/api/issues/acm-1")).json;
    assert.deepEqual([issue.id, issue.identifier, issue.description, issue.assignee_id], [
      task.issue_id,
      "ACM-1",
      "Fix it",
      agents.claude,
    ]);
    assert.equal(
      (await call("PUT", `/api/issues/${issue.id}`, { status: "in_progress" })).json.status,
      "in_progress",
    );
    assert.equal((await call("PUT", `/api/issues/${issue.id}`, { status: "odd" })).status, 400);
    assert.equal((await call("GET", "/api/issues/acm-2")).json.error, "issue not found");
    assert.equal(
      (await call("PUT", `/api/issues/${issue.id}/metadata/pr`, { value: 7 })).json.metadata.pr,
      7,
    );
    assert.deepEqual((await call("GET", "/api/agents")).json.map((row: { name: string }) => row.name), [
      "claude",
    ]);
    const elsewhere = plane.createWorkspace({ name: "Other" });
    assert.equal((await call("GET", `/api/agents?workspace_id=${elsewhere}`)).status, 403);
    assert.equal((await call("POST", "/api/daemon/heartbeat", {})).status, 401);
    const made = await call("POST", "/api/issues", { title: "Follow-up" });
    assert.deepEqual([made.status, made.json.creator_type, made.json.creator_id], [
      201,
      "agent",
      agents.claude,
    ]);
    assert.equal((await call("GET", `/api/issues/${issue.id}/task-runs`)).json[0].id, task.id);
    await wire(plane, "POST", `/api/daemon/tasks/${task.id}/fail`, {
      error: "x",
      failure_reason: "agent_blocked",
    });
    assert.equal(plane.issue(issue.id)!.status, "todo");
  }));

Deno.test("readComments() selects by thread, tail, recent, roots, since and summary", async () => {
  const clock = new FakeClock();
  await withPlane({ clock, sweeper: false }, async (plane) => {
    const workspaceId = plane.createWorkspace({ name: "A" });
    const issueId = plane.createIssue({ workspaceId, title: "x" });
    const path = `/api/issues/${issueId}/comments`;
    const add = async (content: string, parent_id?: string) => {
      await clock.advance(1_000);
      return (await wire(plane, "POST", path, { content, parent_id })).json as {
        id: string;
        created_at: string;
      };
    };
    const [a, b] = [await add("a"), await add("b")];
    const a1 = await add("a1", a.id);
    const a2 = await add("a2", a1.id);
    await add("c".repeat(300));
    const read = async (query: string) =>
      (await wire(plane, "GET", `${path}?${query}`)).json as { content: string; reply_count?: number }[];
    const texts = async (query: string) => (await read(query)).map((row) => row.content.slice(0, 2));
    assert.deepEqual(await texts(""), ["a", "b", "a1", "a2", "cc"]);
    assert.deepEqual(await texts(`thread=${a2.id}`), ["a", "a1", "a2"]);
    assert.deepEqual(await texts(`thread=${a2.id}&tail=1`), ["a", "a2"]);
    assert.deepEqual(await texts(`thread=${a2.id}&since=${a.created_at}`), ["a1", "a2"]);
    assert.deepEqual(await texts("recent=2"), ["a", "a1", "a2", "cc"]);
    assert.deepEqual(await texts(`since=${b.created_at}`), ["a1", "a2", "cc"]);
    assert.deepEqual((await read("roots_only=true")).map((row) => row.reply_count), [2, 0, 0]);
    assert.equal((await read("summary=true")).at(-1)!.content.length, 201);
    assert.equal((await wire(plane, "GET", `${path}?thread=${crypto.randomUUID()}`)).status, 404);
  });
});
