import assert from "node:assert/strict";
import { onStage } from "../../helpers/engine_stage.ts";

Deno.test("engine claims a task after its hint, runs it, reports it", async () => {
  await onStage({}, async (stage) => {
    const id = stage.task(stage.agent());
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed", 5_000);
    assert.equal(stage.plane.task(id)?.status, "completed");
    const end = await stage.stop();
    assert.equal(end.exitCode, 0);
    assert.equal(stage.plane.runtimes()[0]?.status, "offline");
  });
});
