import assert from "node:assert/strict";
import fc from "fast-check";
import {
  claimBatchSchema,
  claimSchema,
  parseClaimedTask,
  parseHeartbeat,
  profilesSchema,
  registerSchema,
  taskRowSchema,
  tasksOf,
  workspacesSchema,
} from "../../../lib/control/mod.ts";

async function wire(name: string): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(new URL(`../../fixtures/wire/${name}`, import.meta.url)));
}

Deno.test("parseClaimedTask() reads a baseline issue task", async () => {
  const task = parseClaimedTask(claimSchema.parse(await wire("baseline/claim_issue.json")).task)!;
  assert.equal(task.malformed, undefined);
  assert.equal(task.id, "5b0e7c9a-22aa-4a0e-8b9d-64cf5a5f0d11");
  assert.equal(task.dispatched_at, "2026-06-10T08:00:00Z");
  assert.deepEqual(task.agent?.custom_env, { API_BASE: "https://x" });
  assert.deepEqual(task.agent?.mcp_config, undefined);
  assert.deepEqual(task.agent?.skill_refs.map(({ id, file_count }) => [id, file_count]), [["skill-1", 2]]);
  assert.deepEqual(task.repos, [{ url: "https://github.com/acme/api.git", description: "", ref: "" }]);
  assert.equal(task.project_resources[0]?.resource_type, "github_repo");
  assert.equal(task.trigger_comment_id, "");
  assert.equal(task.new_comment_count, 0);
  assert.deepEqual(task.chat_message_attachments, []);
  assert.equal(task.is_leader_task, undefined);
});

Deno.test("parseClaimedTask() reads the fields of a later server and ignores the rest [C11.12]", async () => {
  const [task] = tasksOf(claimBatchSchema.parse(await wire("later/claim_batch.json")));
  assert.equal(task!.is_leader_task, true);
  assert.equal(task!.prior_session_resume_unavailable, true);
  assert.equal(task!.repos[0]!.ref, "release");
  assert.equal(task!.agent?.service_tier, "priority");
  assert.equal(task!.regenerate_quick_actions_for, "");
  assert.deepEqual(task!.autopilot_trigger_payload, { ref: "main" });
  assert.equal(task!.malformed, undefined);
});

Deno.test("parseClaimedTask() keeps a task with foreign fields and names them", () => {
  const task = parseClaimedTask({
    id: "t",
    issue_id: 7,
    repos: "none",
    attempt: "2",
    workspace_id: null,
    chat_message_attachments: [{ id: "a" }, 5],
    agent: {
      id: "a",
      instructions: ["x"],
      custom_env: { GOOD: "1", BAD: 2 },
      custom_args: ["--x", 3],
      mcp_config: "file",
      model: null,
    },
  })!;
  assert.deepEqual([task.id, task.issue_id, task.attempt, task.workspace_id], ["t", "", 0, ""]);
  assert.deepEqual(task.agent?.custom_env, { GOOD: "1" });
  assert.deepEqual(task.agent?.custom_args, ["--x"]);
  assert.deepEqual([...task.malformed!].sort(), [
    "agent.custom_args[]",
    "agent.custom_env.BAD",
    "agent.instructions",
    "agent.mcp_config",
    "attempt",
    "issue_id",
    "repos",
  ]);
});

Deno.test("parseClaimedTask() keeps a task whose agent is no object", () => {
  const task = parseClaimedTask({ id: "t", agent: "gone", is_leader_task: "yes" })!;
  assert.equal(task.agent, undefined);
  assert.deepEqual(task.malformed, ["agent", "is_leader_task"]);
});

Deno.test("parseClaimedTask() yields the id of anything that has one, whatever else is in it", () => {
  const wild = fc.dictionary(
    fc.constantFrom(
      "agent",
      "repos",
      "workspace_id",
      "attempt",
      "project_resources",
      "chat_message",
      "auth_token",
    ),
    fc.jsonValue({ maxDepth: 3 }),
  );
  fc.assert(fc.property(wild, fc.uuid(), (fields, id) => {
    const task = parseClaimedTask({ ...fields, id })!;
    assert.equal(task.id, id);
    assert.equal(typeof task.workspace_id, "string");
    assert.ok(Array.isArray(task.repos));
  }));
  for (const raw of [undefined, null, 1, "t", [], {}, { id: "" }, { id: 7 }]) {
    assert.equal(parseClaimedTask(raw), undefined);
  }
});

Deno.test("claim answers without a task are no task", () => {
  for (const raw of [{}, { task: null }]) assert.equal(claimSchema.parse(raw).task ?? undefined, undefined);
  for (const raw of [{}, { tasks: null }, { tasks: [] }]) {
    assert.deepEqual(tasksOf(claimBatchSchema.parse(raw)), []);
  }
  assert.deepEqual(tasksOf({ tasks: [{ id: "t" }, { no: "id" }] }).map(({ id }) => id), ["t"]);
});

Deno.test("parseHeartbeat() treats an answer without anything as one without work", () => {
  assert.deepEqual(parseHeartbeat({ status: "ok" }), {
    status: "ok",
    runtime_id: "",
    runtime_gone: false,
    pending_local_skill_imports: [],
    server_capabilities: [],
  });
  const odd = parseHeartbeat({
    status: 1,
    pending_update: {},
    pending_model_list: { id: "" },
    feature_flags: "on",
    pending_local_skill_imports: [{ skill_key: "no id" }],
  });
  assert.deepEqual(odd, parseHeartbeat({}));
  assert.equal(parseHeartbeat("ok"), undefined);
});

Deno.test("registerSchema reads a baseline answer", async () => {
  const answer = registerSchema.parse(await wire("baseline/register.json"));
  assert.deepEqual(answer.runtimes.map(({ id, provider, profile_id }) => [id, provider, profile_id]), [
    ["7d0f2a64-31c5-4a4e-9c1b-5a6be0a3c901", "claude", ""],
    ["7d0f2a64-31c5-4a4e-9c1b-5a6be0a3c902", "codex", "3f1d2c4b-5a69-4788-9aab-0c1d2e3f4a5b"],
  ]);
  assert.equal(answer.repos_version, "353c27154559f72ea6d928d93bf3fe91c067237896de5f13e1a276f19bb6fc52");
  assert.deepEqual(answer.settings, { github_enabled: true, co_authored_by_enabled: false });
});

Deno.test("profilesSchema takes null for none, and refuses an answer without the list", () => {
  assert.deepEqual(profilesSchema.parse({ runtime_profiles: null }).runtime_profiles, []);
  const row = { id: "p", display_name: "P", protocol_family: "codex", command_name: "c", fixed_args: null };
  assert.deepEqual(profilesSchema.parse({ runtime_profiles: [row, {}, 5] }).runtime_profiles, [
    { ...row, fixed_args: [], visibility: "", enabled: true },
  ]);
  assert.throws(() => profilesSchema.parse({}));
});

Deno.test("workspacesSchema and taskRowSchema keep what the host needs", () => {
  assert.deepEqual(workspacesSchema.parse([{ id: "w", name: null, slug: "s" }, { name: "no id" }]), [
    { id: "w", name: "" },
  ]);
  assert.deepEqual(workspacesSchema.parse(null), []);
  assert.deepEqual(taskRowSchema.parse({ id: "t", status: "brand_new", error: null }), {
    id: "t",
    status: "brand_new",
  });
});
