import assert from "node:assert/strict";
import type { Plane } from "../../../lib/plane/mod.ts";
import { reposVersion } from "../../../lib/plane/workspaces.ts";
import { bundleHash } from "../../../lib/plane/skills.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claim, claimAndStart, scene, wire, withPlane } from "../../helpers/plane.ts";

const complete = (plane: Plane, id: string, body: Record<string, unknown>) =>
  wire(plane, "POST", `/api/daemon/tasks/${id}/complete`, body);
const fail = (plane: Plane, id: string, body: Record<string, unknown>) =>
  wire(plane, "POST", `/api/daemon/tasks/${id}/fail`, body);

Deno.test("claim [R52] carries workspace_context only when the workspace has one", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "1" });
    assert.equal("workspace_context" in await claim(plane, runtimes.claude!), false);
    plane.updateWorkspace(workspaceId, { context: "Speak plainly." });
    plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "2" });
    assert.equal((await claim(plane, runtimes.claude!)).workspace_context, "Speak plainly.");
  }));

Deno.test("claim [R53] joins all unanswered chat messages and resumes the session's pointer", () =>
  withPlane({ userEmail: "me@example.com" }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const common = { kind: "chat" as const, workspaceId, agentId: agents.claude! };
    const first = plane.addTask({
      ...common,
      message: "one",
      attachments: [{ id: "a1", filename: "x.png" }],
    });
    const chatSessionId = first.chat_session_id;
    plane.addTask({ ...common, chatSessionId, message: "  " });
    plane.addTask({ ...common, chatSessionId, message: "two" });
    const claimed = await claimAndStart(plane, runtimes.claude!);
    assert.equal(claimed.chat_message, "one\n\ntwo");
    assert.deepEqual(claimed.chat_message_attachments, [{ id: "a1", filename: "x.png" }]);
    assert.deepEqual([claimed.initiator_type, claimed.initiator_email], ["member", "me@example.com"]);
    await complete(plane, claimed.id, { output: "answer", session_id: "s1", work_dir: "/w1" });
    const next = await claim(plane, runtimes.claude!);
    assert.equal("chat_message" in next, false);
    assert.deepEqual([next.prior_session_id, next.prior_work_dir], ["s1", "/w1"]);
  }));

Deno.test("claim [R53] falls back to the last task row when the pointer has no runtime; force-fresh omits both", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const common = { kind: "chat" as const, workspaceId, agentId: agents.claude! };
    const first = plane.addTask({ ...common, message: "one" });
    await claimAndStart(plane, runtimes.claude!);
    await complete(plane, first.id, { output: "a", session_id: "s1", work_dir: "/w1" });
    plane.store.db.run("UPDATE chat_sessions SET runtime_id = NULL, session_id = 'other'");
    const second = plane.addTask({ ...common, chatSessionId: first.chat_session_id, message: "two" });
    assert.equal((await claim(plane, runtimes.claude!)).prior_session_id, "s1");
    plane.cancelTask(second.id);
    plane.addTask({ ...common, chatSessionId: first.chat_session_id, message: "three", forceFresh: true });
    const fresh = await claim(plane, runtimes.claude!);
    assert.deepEqual([fresh.prior_session_id, fresh.prior_work_dir], [undefined, undefined]);
  }));

Deno.test("claim [R53] withholds a prior session of another runtime and still gives the work directory", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane, { providers: ["claude", "codex"] });
    const first = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await claimAndStart(plane, runtimes.claude!);
    await complete(plane, first.id, { output: "a", session_id: "s1", work_dir: "/w1" });
    const common = { workspaceId, agentId: agents.claude!, issueId: first.issue_id };
    plane.addTask({ ...common, runtimeId: runtimes.codex! });
    const moved = await claimAndStart(plane, runtimes.codex!);
    assert.deepEqual([moved.prior_session_id, moved.prior_work_dir], [undefined, "/w1"]);
    await fail(plane, moved.id, { error: "x", failure_reason: "iteration_limit", session_id: "poisoned" });
    plane.addTask(common);
    const back = await claimAndStart(plane, runtimes.claude!);
    assert.equal(back.prior_session_id, "s1");
    await fail(plane, back.id, {
      error: "API 400 invalid_request_error",
      failure_reason: "agent_error",
      session_id: "s2",
    });
    plane.addTask(common);
    assert.equal((await claim(plane, runtimes.claude!)).prior_session_id, "s1");
  }));

Deno.test("claim [R54] gives new comments' count and anchor together, and who asked", async () => {
  const clock = new FakeClock();
  await withPlane({ clock, sweeper: false, userName: "Ada", userEmail: "ada@example.com" }, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const common = { kind: "comment" as const, workspaceId, agentId: agents.claude! };
    const first = plane.addTask({ ...common, comment: "please" });
    const one = await claimAndStart(plane, runtimes.claude!);
    assert.deepEqual([one.new_comment_count, one.new_comments_since], [undefined, undefined]);
    assert.deepEqual([one.trigger_comment_content, one.trigger_thread_id], [
      "please",
      one.trigger_comment_id,
    ]);
    const who = [one.initiator_type, one.initiator_name, one.initiator_email, one.trigger_author_name];
    assert.deepEqual(who, ["member", "Ada", "ada@example.com", "Ada"]);
    await clock.advance(1_000);
    await complete(plane, one.id, { output: "did it" });
    await clock.advance(1_000);
    plane.addTask({ ...common, issueId: first.issue_id, comment: "more" });
    const two = await claimAndStart(plane, runtimes.claude!);
    assert.deepEqual([two.new_comment_count, two.new_comments_since], [undefined, undefined]);
    const since = plane.task(two.id)!.started_at!;
    await complete(plane, two.id, { output: "again" });
    await clock.advance(1_000);
    await wire(plane, "POST", `/api/issues/${first.issue_id}/comments`, { content: "by the way" });
    plane.addTask({ ...common, issueId: first.issue_id, comment: "third", authorAgentId: agents.claude! });
    const three = await claim(plane, runtimes.claude!);
    assert.deepEqual([three.new_comment_count, three.new_comments_since], [1, new Date(since).toISOString()]);
    assert.deepEqual([three.initiator_type, three.initiator_email], ["agent", undefined]);
  });
});

Deno.test("status [R55] answers 404 task not found for a missing row and 500 when the database fails", () =>
  withPlane({}, async (plane) => {
    const gone = await wire(plane, "GET", `/api/daemon/tasks/${crypto.randomUUID()}/status`);
    assert.deepEqual([gone.status, gone.json.error], [404, "task not found"]);
    plane.faults.script("GET /api/daemon/tasks/:id/status", [{
      status: 500,
      body: { error: "failed to load task" },
    }]);
    const broken = await wire(plane, "GET", `/api/daemon/tasks/${crypto.randomUUID()}/status`);
    assert.deepEqual([broken.status, broken.json.error], [500, "failed to load task"]);
    assert.equal(
      (await wire(plane, "GET", "/api/daemon/tasks/nonsense/status")).json.error,
      "invalid task_id",
    );
  }));

Deno.test("reposVersion() [R56, V8.3] ignores order and descriptions", () => {
  const [api, web] = ["https://github.com/acme/api.git", "https://github.com/acme/web.git"];
  assert.equal(reposVersion([]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(
    reposVersion([{ url: api, description: "x" }]),
    "353c27154559f72ea6d928d93bf3fe91c067237896de5f13e1a276f19bb6fc52",
  );
  const both = "02a208fd2301fb684b0f00e4499dc9a4d4a26ea538bdc7402a427ef937456afb";
  assert.equal(reposVersion([{ url: web }, { url: ` ${api} ` }, { url: api }]), both);
  assert.equal(reposVersion([{ url: api }, { url: web }]), both);
});

Deno.test("bundleHash() [V8.4] follows the manifest vectors of spec 01 §8.4", () => {
  const file = (path: string, content: string, hex: string) => ({ path, content, sha256: `sha256:${hex}` });
  const skill = { source: "workspace", id: "skill-1", name: "deploy", description: "", content: "main" };
  assert.equal(
    bundleHash(skill, []),
    "sha256:b83948ff81671da9ad2125bf2aa6adb5dcb2dbda53affbdff848130c30eeec19",
  );
  const files = [
    file("a.md", "a", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    file("b.md", "b", "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"),
  ];
  assert.equal(
    bundleHash(skill, files),
    "sha256:33e66181e0c3f20ddd25e788217aa60776a46852beebe562ef6621b543e84fd4",
  );
});

Deno.test("complete [R57] posts the output when the agent was silent, and only then", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const run = async (spec: Parameters<Plane["addTask"]>[0], output: string, speak = false) => {
      const task = plane.addTask(spec);
      const claimed = await claimAndStart(plane, runtimes.claude!);
      if (speak) {
        const body = { content: "my own words" };
        const answer = await wire(plane, "POST", `/api/issues/${task.issue_id}/comments`, body, {
          token: claimed.auth_token,
        });
        assert.equal(answer.json.author_type, "agent");
        assert.equal(answer.json.source_task_id, task.id);
      }
      await complete(plane, claimed.id, { output });
      return plane.comments(task.issue_id).filter((row) => row.author_type === "agent").map((row) =>
        row.content
      );
    };
    const agentId = agents.claude!;
    const comment = (text: string) => ({ kind: "comment" as const, workspaceId, agentId, comment: text });
    assert.deepEqual(await run(comment("a"), "line\\nbreak"), ["line\nbreak"]);
    assert.deepEqual(await run(comment("b"), "an answer", true), ["my own words"]);
    assert.deepEqual(await run(comment("c"), "Done."), []);
    assert.deepEqual(await run(comment("d"), "完成"), []);
    assert.deepEqual(await run({ workspaceId, agentId, prompt: "e" }, "Done."), ["Done."]);
    assert.deepEqual(await run({ workspaceId, agentId, prompt: "f" }, "  "), []);
  }));

Deno.test("complete and fail answer 200 with the unchanged row from any other state", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x", maxAttempts: 1 });
    assert.equal((await complete(plane, task.id, { output: "" })).json.status, "queued");
    assert.equal((await fail(plane, task.id, { error: "" })).json.status, "queued");
    await claim(plane, runtimes.claude!);
    assert.equal((await complete(plane, task.id, { output: "" })).json.status, "dispatched");
    assert.equal((await fail(plane, task.id, { error: "rate limit reached" })).json.status, "failed");
    assert.equal(plane.task(task.id)!.failure_reason, "agent_error.provider_capacity_or_rate_limit");
    assert.equal((await complete(plane, task.id, { output: "" })).json.status, "failed");
    assert.equal(plane.comments(task.issue_id)[0]!.author_type, "system");
  }));

Deno.test("start is accepted once, wait-local-directory only from dispatched", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    const start = () => wire(plane, "POST", `/api/daemon/tasks/${task.id}/start`, {});
    assert.equal((await start()).status, 400);
    const claimed = await claim(plane, runtimes.claude!);
    assert.equal((await start()).status, 200);
    const again = await start();
    assert.equal(again.status, 400);
    assert.match(again.json.error, /^start task: no rows/);
    const wait = await wire(plane, "POST", `/api/daemon/tasks/${task.id}/wait-local-directory`, {
      reason: "x",
    });
    assert.equal(wait.status, 400);
    assert.equal(
      (await wire(plane, "GET", `/api/issues/${task.issue_id}`, undefined, { token: claimed.auth_token }))
        .status,
      200,
    );
    await complete(plane, task.id, { output: "" });
    const dead = await wire(plane, "GET", `/api/issues/${task.issue_id}`, undefined, {
      token: claimed.auth_token,
    });
    assert.deepEqual([dead.status, dead.json.error], [401, "invalid token"]);
  }));

Deno.test("messages and complete with NUL fail as PostgreSQL does at baseline and are stripped later", async () => {
  for (const era of ["baseline", "later"] as const) {
    await withPlane({ era }, async (plane) => {
      const { workspaceId, runtimes, agents } = await scene(plane);
      const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
      await claimAndStart(plane, runtimes.claude!);
      const messages = [{ seq: 1, type: "text", content: "a" }, { seq: 2, type: "text", content: "b\0" }];
      const sent = await wire(plane, "POST", `/api/daemon/tasks/${task.id}/messages`, { messages });
      const ended = await complete(plane, task.id, { output: "c\0" });
      const stored = plane.messages(task.id).map((row) => row.content);
      if (era === "baseline") assert.deepEqual([sent.status, ended.status, stored], [500, 400, ["a"]]);
      else assert.deepEqual([sent.status, ended.json.status, stored], [200, "completed", ["a", "b"]]);
    });
  }
});

Deno.test("usage replaces per provider and model; an empty message list needs no task", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    const post = (model: string, n: number) =>
      wire(plane, "POST", `/api/daemon/tasks/${task.id}/usage`, {
        usage: [{ provider: "", model, input_tokens: n, output_tokens: n }],
      });
    await post("m", 1);
    await post("m", 5);
    await post("n", 2);
    assert.deepEqual(plane.usage(task.id).map((row) => [row.provider, row.model, row.input_tokens]), [[
      "claude",
      "m",
      5,
    ], ["claude", "n", 2]]);
    const empty = await wire(plane, "POST", `/api/daemon/tasks/${crypto.randomUUID()}/messages`, {
      messages: [],
    });
    assert.equal(empty.status, 200);
  }));
