import assert from "node:assert/strict";
import { ClaimGate } from "../../../lib/engine/claim_gate.ts";

Deno.test("ClaimGate [R35] refuses while paused and says why", () => {
  const gate = new ClaimGate();
  gate.pause("draining", "the host is stopping");
  assert.equal(gate.enter(), false);
  assert.equal(gate.why, "the host is stopping");
  gate.resume("draining");
  assert.equal(gate.enter(), true);
});

Deno.test("ClaimGate [R35] defers an update while a claim is in flight or a task runs", () => {
  const gate = new ClaimGate();
  gate.enter();
  assert.equal(gate.trySet("update", "updating"), false);
  gate.taskStarted();
  gate.exit();
  assert.equal(gate.trySet("update", "updating"), false);
  gate.taskEnded();
  assert.equal(gate.trySet("update", "updating"), true);
  assert.equal(gate.enter(), false);
});

Deno.test("ClaimGate [R35] refuses a second owner and is released only by name", () => {
  const gate = new ClaimGate();
  assert.equal(gate.trySet("reload", "new agents"), true);
  assert.equal(gate.trySet("update", "updating"), false);
  gate.resume("update");
  assert.equal(gate.isPaused("reload"), true);
  gate.resume("reload");
  assert.equal(gate.isPaused(), false);
});

Deno.test("ClaimGate tells when no claim is in flight any more, and when it became idle", () => {
  const gate = new ClaimGate();
  const heard: [number, number][] = [];
  gate.changes.subscribe(() => heard.push([gate.inFlight, gate.active]));
  gate.enter();
  gate.enter();
  gate.taskStarted();
  gate.taskStarted();
  gate.exit();
  assert.deepEqual(heard, []);
  gate.exit();
  gate.taskEnded();
  assert.deepEqual(heard, [[0, 2]]);
  gate.taskEnded();
  assert.deepEqual(heard, [[0, 2], [0, 0]]);
});
