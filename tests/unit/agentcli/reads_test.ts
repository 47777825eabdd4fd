/** The reads that briefs and prompts name, against the embedded plane and a server that records (spec 05 §22, §23, §27.5). */
import assert from "node:assert/strict";
import { multica, withStub, withTask } from "../../helpers/agent_cli.ts";
import { claimAndStart, scene, withPlane } from "../../helpers/plane.ts";

Deno.test("multica reads workspace, members, agents, squads and repositories of its task", () =>
  withTask(async ({ plane, workspaceId, run }) => {
    plane.updateWorkspace(workspaceId, {
      repos: [{ url: "https://example.com/a.git", description: "the code" }],
    });
    assert.equal((await run(["workspace", "get"])).json.id, workspaceId);
    const table = (await run(["workspace", "get", workspaceId, "--output", "table"])).out;
    assert.match(table, /^ID +NAME +SLUG +DESCRIPTION +CONTEXT\n/);
    assert.equal((await run(["workspace", "get", "ACME"])).json.id, workspaceId, "by its slug");
    assert.match((await run(["workspace", "get", "zz"])).err, /resolve workspace: "zz" is neither/);

    const members = await run(["workspace", "member", "list"]);
    assert.match(members.out, /^USER ID +NAME +EMAIL +ROLE\n\S+ +\S.* owner\n$/, members.err);
    assert.equal((await run(["workspace", "member", "list", "--output", "json"])).json[0].role, "owner");

    const agents = await run(["agent", "list"]);
    assert.match(agents.out, /^ID +NAME +STATUS +RUNTIME +ARCHIVED\n\S+ +claude +active +local +\n$/);
    const [agent] = (await run(["agent", "list", "--output", "json"])).json;
    assert.equal((await run(["agent", "get", agent.id])).json.name, "claude");

    assert.match(
      (await run(["workspace", "list"])).out,
      new RegExp(`^ID +NAME +SLUG\n${workspaceId} +Acme +acme\n$`),
    );
    const projects = await run(["project", "list"]);
    assert.deepEqual([projects.out, projects.err], [
      "ID  TITLE  STATUS  LEAD  CREATED\n",
      "This workspace has no projects.\n",
    ]);
    const squads = await run(["squad", "list"]);
    assert.deepEqual([squads.code, squads.out, squads.err], [
      0,
      "ID  NAME  LEADER ID  MEMBERS\n",
      "This workspace has no squads.\n",
    ]);
    assert.equal(
      (await run(["repo", "list"])).out,
      [
        "URL                        DESCRIPTION",
        "https://example.com/a.git  the code\n",
      ].join("\n"),
    );
  }));

Deno.test("multica reads an issue's runs and what one of them said, by its whole id or its beginning", () =>
  withTask(async ({ plane, issueId, env, run }) => {
    const id = env["MULTICA_TASK_ID"]!;
    plane.store.db.run(
      "INSERT INTO messages (task_id, seq, type, tool, content, created_at) VALUES (?, 1, 'text', NULL, 'Hello', 0), (?, 2, 'tool_use', 'Bash', NULL, 0)",
      id,
      id,
    );
    assert.match(
      (await run(["issue", "runs", issueId])).out,
      /^ID +AGENT +STATUS.*\n\S+ +agent:claude +running/,
    );
    const read = await run(["issue", "run-messages", id]);
    assert.deepEqual(read.json.map(({ type }: Record<string, unknown>) => type), ["text", "tool_use"]);
    const part = id.slice(0, 30);
    const table = await run([
      "issue",
      "run-messages",
      part,
      "--issue",
      issueId,
      "--since",
      "1",
      "--output",
      "table",
    ]);
    assert.equal(table.out, "SEQ  TYPE      TOOL  CONTENT\n2    tool_use  Bash  \n", table.err);
    assert.match((await run(["issue", "run-messages", part])).err, /resolve run: .*--issue/);
  }));

Deno.test("multica chat history reads the run's own conversation, and autopilot get the run's own autopilot", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, agents, runtimes } = await scene(plane);
    const agentId = agents["claude"]!;
    const inside = async (spec: Parameters<typeof plane.addTask>[0]) => {
      plane.addTask(spec);
      const task = await claimAndStart(plane, runtimes["claude"]!);
      const env = {
        MULTICA_TOKEN: task.auth_token,
        MULTICA_SERVER_URL: plane.url,
        MULTICA_WORKSPACE_ID: workspaceId,
      };
      const run = (...args: string[]) => multica(args, { env, cwd: "/" });
      return { task, run };
    };
    const chat = await inside({ kind: "chat", workspaceId, agentId, message: "What now?" });
    const [said] = (await chat.run("chat", "history", "--limit", "5")).json.messages;
    assert.deepEqual([said.role, said.content], ["user", "What now?"]);
    assert.match(
      (await chat.run("chat", "thread", "--output", "table")).out,
      /^ROLE +CONTENT +CREATED\nuser +What now\?/,
    );
    assert.deepEqual((await chat.run("chat", "history", "--before", said.id)).json.messages, []);
    assert.match((await chat.run("chat", "history", "--limit", "0")).err, /--limit must be 1 or more/);

    const pilot = await inside({ kind: "autopilot", workspaceId, agentId, title: "Nightly" });
    const none = await pilot.run("chat", "history");
    assert.deepEqual([none.code, none.err.includes("this run has no conversation")], [4, true]);
    assert.match((await pilot.run("autopilot", "list")).out, /\n\S+ +Nightly +active +run_only/);
    const id = String(pilot.task["autopilot_id"]);
    assert.equal((await pilot.run("autopilot", "get", id)).json.autopilot.title, "Nightly");
    assert.match(
      (await pilot.run("autopilot", "get", id.slice(0, 20), "--output", "table")).out,
      /^ID +TITLE +STATUS +MODE +ASSIGNEE +LAST_RUN\n\S+ +Nightly +active +run_only/,
    );
  }));

Deno.test("multica passes the server's own objects through and asks with the right parameters", () =>
  withStub(
    ({ target }) =>
      target.startsWith("/api/squads")
        ? [{ id: "s", name: "Team", leader_id: "a", member_count: 3, later: true }]
        : target.startsWith("/api/agents")
        ? [{
          id: "a",
          name: "Old",
          status: "offline",
          runtime_mode: "local",
          archived_at: "2026-01-01T00:00:00Z",
        }]
        : undefined,
    async ({ run, targets }) => {
      assert.match((await run(["squad", "list"])).out, /\ns +Team +a +3\n$/);
      assert.equal((await run(["squad", "list", "--output", "json"])).json[0].later, true);
      assert.match((await run(["agent", "list", "--include-archived"])).out, /Old +offline +local +yes\n$/);
      assert.equal(targets().at(-1), "GET /api/agents?include_archived=true&workspace_id=w1");
      const unknown = await run(["agent", "delete", "x"]);
      assert.deepEqual([unknown.code, /not offered by this host/.test(unknown.err)], [1, true]);
    },
  ));
