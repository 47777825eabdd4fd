import assert from "node:assert/strict";
import { FakeSlot, inWorld } from "../../helpers/task_world.ts";

const USAGE = { m1: { inputTokens: 3, outputTokens: 4, cacheReadTokens: 0, cacheWriteTokens: 0 } };

Deno.test("TaskRunner runs a task to completed, transcript and usage before the report [R36][R40][R41][HD-7][HD-9]", () =>
  inWorld({}, async (world) => {
    world.script = ({ emit, request }) => {
      emit({ type: "session", sessionId: "ses-1" });
      emit({ type: "thinking", text: "hmm" });
      emit({ type: "text", text: "I will " });
      emit({ type: "text", text: "look." });
      emit({
        type: "tool_use",
        tool: "Read",
        callId: "c1",
        input: { path: "a", key: request.env["MULTICA_TOKEN"]! },
      });
      emit({ type: "tool_result", callId: "c1", output: "ok" });
      return { output: `done ${request.env["MULTICA_TOKEN"]}`, sessionId: "ses-1", usage: USAGE };
    };
    const task = await world.claimed();
    const slot = new FakeSlot();
    const outcome = await world.run(task, slot);
    assert.deepEqual(outcome, { taskId: task.id, kind: "completed", reason: "" });
    const view = await world.plane.taskState(task.id, "completed");
    assert.equal(view.output, "done [REDACTED]");
    assert.equal(view.session_id, "ses-1");
    assert.equal(view.work_dir, world.dir);
    assert.deepEqual(
      world.plane.messages(task.id).map((row) => [row.seq, row.type, row.tool, row.content ?? row.output]),
      [
        [1, "thinking", undefined, "hmm"],
        [2, "text", undefined, "I will look."],
        [3, "tool_use", "Read", undefined],
        [4, "tool_result", "Read", "ok"],
      ],
    );
    assert.deepEqual(world.plane.messages(task.id)[2]!.input, { path: "a", key: "[REDACTED]" });
    assert.equal(world.plane.usage(task.id).length, 1);
    const paths = world.plane.requests((r) => r.path.includes(task.id)).map((r) => r.path.split("/").at(-1));
    assert.equal(paths.filter((path) => path === "start").length, 1);
    const order = paths.filter((path) =>
      ["start", "session", "messages", "usage", "complete"].includes(path!)
    );
    assert.deepEqual(order, ["start", "session", "messages", "usage", "complete"]);
    assert.deepEqual(slot.calls, ["release", "release"]);
    assert.equal(world.workdir.reserved, 0);
    assert.deepEqual(world.workdir.closed, ["completed"]);
    assert.equal(world.journal.open().length, 0);
    assert.equal(world.outbox.status().sentence, "everything delivered");
  }));
