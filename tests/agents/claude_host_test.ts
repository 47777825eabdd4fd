/** The real Claude Code CLI under the whole host, against a plane and the scripted model: the main job, end to end. */
import assert from "node:assert/strict";
import { perPrompt } from "../fixtures/model_server/server.ts";
import { markerAlive } from "../helpers/process_control.ts";
import { withRealHost } from "../helpers/real_host.ts";

Deno.test("the host runs the real Claude Code: a task with a tool, then a second one that resumes it", () =>
  withRealHost("claude", async ({ plane, model, run, host }) => {
    model.script(perPrompt([
      {
        thinking: "A file is wanted.",
        text: "I make the file.",
        tools: [{ name: "Bash", input: { command: "echo made > made.txt", description: "make the file" } }],
        usage: { input: 11, output: 7 },
      },
      { text: "The file is there.", usage: { input: 13, output: 5 } },
    ]));
    const first = await run();
    assert.equal(first.status, "completed", first.error + host.output);
    assert.equal(first.output, "The file is there.");
    assert.equal((await Deno.readTextFile(`${first.work_dir}/made.txt`)).trim(), "made");
    assert.notEqual(first.session_id, "");
    const rows = plane.messages(first.id);
    assert.deepEqual(rows.map((row) => row.type), ["thinking", "text", "tool_use", "tool_result", "text"]);
    assert.deepEqual(rows.map((row) => row.seq), [1, 2, 3, 4, 5]);
    assert.equal(rows[2]!.tool, "Bash");
    const [usage] = plane.usage(first.id);
    assert.deepEqual([usage!.input_tokens, usage!.output_tokens], [24, 12]);

    model.script(perPrompt([{ text: "I remember." }]));
    const second = await run(first.issue_id);
    assert.equal(second.status, "completed", second.error);
    assert.equal(second.output, "I remember.");
    assert.equal(second.work_dir, first.work_dir);
    assert.equal(second.session_id, first.session_id);
    const asked = JSON.stringify(model.requests.filter((request) => request.hasTools).at(-1)!.body);
    assert.match(asked, /The file is there\./);
  }));

Deno.test("the host cancels the real Claude Code in mid-tool and leaves no process", () =>
  withRealHost("claude", async ({ plane, model, add, host }) => {
    model.script(perPrompt([
      { tools: [{ name: "Bash", input: { command: "setsid sleep 300 & sleep 301", description: "wait" } }] },
      { text: "never" },
    ]));
    const id = add();
    await plane.until(() => plane.messages(id).some((row) => row.type === "tool_use"));
    plane.cancelTask(id);
    await host.until((health) => health["active_task_count"] === 0);
    assert.equal(plane.task(id)!.status, "cancelled");
    assert.equal(markerAlive(`MULTICA_TASK_ID=${id}`), false);
  }));

Deno.test("the host classifies what the model refuses the real Claude Code", () =>
  withRealHost("claude", async ({ model, run }) => {
    model.script(() => ({
      error: { status: 401, type: "authentication_error", message: "invalid x-api-key" },
    }));
    const task = await run();
    assert.equal(task.status, "failed");
    assert.equal(task.failure_reason, "agent_error.provider_auth_or_access");
  }));
