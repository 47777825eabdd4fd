/** Server-requested updates against work and against each other (spec 01 §11.9, 02 §17.6). */
import assert from "node:assert/strict";
import { ClaimGate } from "../../../lib/engine/claim_gate.ts";
import { type InstallUpdate, UpdateRequests } from "../../../lib/engine/update_requests.ts";
import { onStage } from "../../helpers/engine_stage.ts";

const BUSY = /^runtime update deferred because agent work is starting or still active; retry when/;
const IN_PROGRESS = /^another runtime update is already in progress on this machine$/;

function open(install: InstallUpdate = (target) => Promise.resolve(`Updated to ${target}`), refusal = "") {
  const gate = new ClaimGate();
  const updates = new UpdateRequests(gate, install, refusal);
  const stop = new AbortController();
  const ask = (target: string) => updates.run(target, () => Promise.resolve(), stop.signal);
  return { gate, ask, stop };
}

const told = (error: unknown) => (error as Error).message;

Deno.test("UpdateRequests [C11.9, W17.6] tells an update in progress from work in progress", async () => {
  const end = Promise.withResolvers<string>();
  const { gate, ask } = open(() => end.promise);
  gate.taskStarted();
  assert.match(await ask("v2").catch(told), BUSY);
  gate.taskEnded();
  const first = ask("v2");
  assert.match(await ask("v3").catch(told), IN_PROGRESS);
  assert.equal(gate.enter(), false, "claims rest during the update");
  end.resolve("Updated to v2");
  assert.equal(await first, "Updated to v2");
  assert.equal(gate.enter(), true);
});

Deno.test("UpdateRequests [W17.6] waits for a claim in flight, and gives way to the task it brings", async () => {
  let installed = 0;
  const { gate, ask } = open((target) => Promise.resolve(`${++installed} ${target}`));
  gate.enter();
  const asked = ask("v2");
  assert.match(await ask("v2").catch(told), IN_PROGRESS);
  gate.taskStarted();
  gate.exit();
  assert.match(await asked.catch(told), BUSY);
  assert.equal(installed, 0);
  assert.equal(gate.isPaused(), false, "claims go on");
  gate.taskEnded();
  gate.enter();
  const again = ask("v2");
  gate.exit();
  assert.equal(await again, "1 v2");
});

Deno.test("UpdateRequests [W17.6] releases claims after a failed update and after a cancelled wait", async () => {
  const { gate, ask, stop } = open(() => Promise.reject(new Error("download update failed: 404")));
  assert.equal(await ask("v2").catch(told), "download update failed: 404");
  assert.equal(gate.isPaused(), false);
  gate.enter();
  const waiting = ask("v2");
  stop.abort(new Error("the host is stopping"));
  assert.equal(await waiting.catch(told), "the host is stopping");
  assert.equal(gate.isPaused(), false);
});

Deno.test("UpdateRequests [C11.9] refuse while claims are paused, with the reason, and where another program updates", async () => {
  const { gate, ask } = open();
  gate.pause("unauthorized", "the server refuses the token; log in again");
  assert.equal(
    await ask("v2").catch(told),
    "runtime update deferred: the server refuses the token; log in again; retry later",
  );
  assert.equal(await open(undefined, "managed by Desktop").ask("v2").catch(told), "managed by Desktop");
});

Deno.test("an update requested under a running task is reported as failed, and the task goes on [C11.9]", async () => {
  const work = Promise.withResolvers<void>();
  await onStage({ script: () => work.promise }, async (stage) => {
    const id = stage.task(stage.agent());
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    const update = stage.plane.requestUpdate(stage.runtimeIds()[0]!, "v99.0.0");
    const failed = await stage.until("answered", () => stage.plane.action(update)?.result?.error);
    assert.match(String(failed), BUSY);
    work.resolve();
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
  });
});
