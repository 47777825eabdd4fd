import assert from "node:assert/strict";
import { driverFor } from "../../../lib/agents/mod.ts";
import { DirectProcessControl } from "../../helpers/process_control.ts";
import { script } from "../../helpers/agent_run.ts";
import { FakeSlot, inWorld, type WorldOptions } from "../../helpers/task_world.ts";

const SESSION = "6f2d9d3e-0000-4000-8000-000000000001";
const LINES = [
  { type: "system", subtype: "init", session_id: SESSION, model: "m" },
  {
    type: "assistant",
    session_id: SESSION,
    message: {
      id: "m1",
      model: "m",
      content: [{ type: "text", text: "I look." }, {
        type: "tool_use",
        id: "t1",
        name: "Bash",
        input: { command: "ls" },
      }],
      usage: { input_tokens: 3, output_tokens: 4 },
    },
  },
  {
    type: "user",
    session_id: SESSION,
    message: { content: [{ type: "tool_result", tool_use_id: "t1", content: "a.txt" }] },
  },
  {
    type: "result",
    subtype: "success",
    is_error: false,
    session_id: SESSION,
    result: "All done.",
    usage: { input_tokens: 3, output_tokens: 4 },
  },
];

function real(): WorldOptions {
  const inheritedEnv = { PATH: "/usr/local/bin:/usr/bin:/bin", IS_SANDBOX: "1" };
  return { driverFor, processes: new DirectProcessControl(), settings: { inheritedEnv } };
}

function cli(lines: readonly unknown[], after: string): string {
  const said = lines.map((line) => `printf '%s\\n' '${JSON.stringify(line)}'`).join("\n");
  return `#!/bin/sh\nread -r prompt\n${said}\n${after}\n`;
}

Deno.test("TaskRunner runs a real process through the Claude driver, streams, pins, completes, slot free [R36][N-25]", () =>
  inWorld(real(), async (world) => {
    const executable = await script(`${world.dir}/claude`, cli(LINES, "cat > /dev/null"));
    const task = await world.claimed();
    const slot = new FakeSlot();
    const outcome = await world.run(task, slot, world.target({ executable }));
    const view = world.plane.task(task.id)!;
    assert.equal(outcome.kind, "completed", view.error);
    assert.deepEqual([view.status, view.output, view.session_id], ["completed", "All done.", SESSION]);
    assert.deepEqual(
      world.plane.messages(task.id).map((row) => [row.seq, row.type, row.tool ?? row.content]),
      [[1, "text", "I look."], [2, "tool_use", "Bash"], [3, "tool_result", "Bash"]],
    );
    assert.equal(world.plane.usage(task.id)[0]!.output_tokens, 4);
    assert.equal(world.plane.requests("/session").length, 1);
  }));

Deno.test("TaskRunner cancels a real process in mid-run: nothing of it is left [R39][N-25]", () =>
  inWorld(real(), async (world) => {
    const executable = await script(`${world.dir}/claude`, cli(LINES.slice(0, 2), "sleep 600 &\nsleep 600"));
    const task = await world.claimed();
    const slot = new FakeSlot();
    const run = world.run(task, slot, world.target({ executable }));
    await world.plane.until(() => world.plane.messages(task.id).length === 2);
    world.plane.cancelTask(task.id);
    await world.runner.recheck();
    assert.equal((await run).kind, "interrupted");
    const left = await new Deno.Command("/bin/sh", {
      args: ["-c", `grep -l -a -s "MULTICA_TASK_ID=${task.id}" /proc/[0-9]*/environ | wc -l`],
    }).output();
    assert.equal(new TextDecoder().decode(left.stdout).trim(), "0");
  }));

Deno.test("TaskRunner reports an executable that is not there [HD-7]", () =>
  inWorld(real(), async (world) => {
    const task = await world.claimed();
    await world.run(task, new FakeSlot(), world.target({ executable: `${world.dir}/nothing` }));
    const view = world.plane.task(task.id)!;
    assert.deepEqual([view.status, view.failure_reason], [
      "failed",
      "agent_error.runtime_missing_executable",
    ]);
  }));
