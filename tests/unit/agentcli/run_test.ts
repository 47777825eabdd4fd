/** The commands of a task against a real control plane (spec 05 §20–22). */
import assert from "node:assert/strict";
import { withTask } from "../../helpers/agent_cli.ts";

Deno.test("runAgentCli() reads, comments, sets status and metadata as the task's agent", async () => {
  await withTask(async ({ plane, issueId, work, run }) => {
    const got = await run(["issue", "get", issueId]);
    assert.equal(got.code, 0, got.err);
    assert.equal(got.json.title, "Fix the <door>");
    assert.match(got.out, /\\u003cdoor\\u003e/);

    await Deno.writeTextFile(`${work}/reply.md`, "Done: `a\\nb`\n\n");
    const added = await run(["issue", "comment", "add", issueId, "--content-file", "reply.md"]);
    assert.equal(added.code, 0, added.err);
    assert.match(added.err, /^Comment added to issue \w+-1\.\n$/);
    const comment = plane.comments(issueId).at(-1)!;
    assert.equal(comment["content"], "Done: `a\\nb`\n");
    assert.equal(comment["author_type"], "agent");
    assert.equal(added.json.id, comment["id"]);

    const listed = await run(["issue", "comment", "list", got.json.identifier, "--output", "json"]);
    assert.deepEqual(listed.json.map((one: { id: string }) => one.id), [comment["id"]]);
    const table = await run(["issue", "comment", "list", issueId]);
    assert.match(table.out, /^ID +PARENT +AUTHOR +TYPE +CONTENT +CREATED\n/);
    assert.match(table.out, /agent:claude +comment +Done: `a\\nb` +\d{4}-\d\d-\d\dT\d\d:\d\d\n$/);

    const status = await run(["issue", "status", issueId, "in_review"]);
    assert.deepEqual([status.code, status.out], [0, ""]);
    assert.equal(plane.issue(issueId)!["status"], "in_review");

    const set = await run(["issue", "metadata", "set", issueId, "--key", "pr_number", "--value", "42"]);
    assert.equal(set.out, "KEY        VALUE  TYPE\npr_number  42     number\n", set.err);
    const value = await run(["issue", "metadata", "get", issueId, "--key", "pr_number"]);
    assert.equal(value.out, "42\n");
    assert.equal((await run(["issue", "metadata", "list", issueId, "--output", "json"])).json.pr_number, 42);
  });
});

Deno.test("runAgentCli() creates, updates, lists issues and their children", async () => {
  await withTask(async ({ plane, workspaceId, issueId, run }) => {
    const args = ["issue", "create", "--title", "Child", "--description", "a\\nb", "--parent", issueId];
    const made = await run([...args, "--priority", "high"]);
    assert.equal(made.code, 0, made.err);
    const child = plane.issue(made.json.id)!;
    assert.deepEqual([child["description"], child["priority"], child["parent_issue_id"]], [
      "a\nb",
      "high",
      issueId,
    ]);
    const updated = await run(["issue", "update", made.json.id, "--title", "Kid", "--output", "table"]);
    assert.match(updated.out, /^KEY +TITLE +STATUS +PRIORITY\n\S+ +Kid +todo +high\n$/);
    const children = await run(["issue", "children", issueId, "--output=json"]);
    assert.equal(children.json.total, 1);
    assert.deepEqual(children.json.stages, []);
    const list = await run(["issue", "list", "--output", "json", "--workspace-id", workspaceId]);
    assert.deepEqual([list.json.total, list.json.limit, list.json.has_more], [2, 50, false]);
    const short = await run(["issue", "get", issueId.slice(0, 30)]);
    assert.equal(short.json?.id, issueId, short.err);
  });
});
