import assert from "node:assert/strict";
import { COALESCE_MS, FAILURE_BACKOFF_MS, GoneGate } from "../../../lib/runtimes/mod.ts";

Deno.test("GoneGate [WS-7, R24] gives the slot to the first caller alone", () => {
  const gate = new GoneGate();
  assert.equal(gate.enter("w", 100, 100), true);
  assert.equal(gate.enter("w", 101, 101), false);
  assert.equal(gate.enter("other", 101, 101), true);
});

Deno.test("GoneGate holds the slot until the call returned, however long it takes", () => {
  const gate = new GoneGate();
  gate.enter("w", 0, 0);
  assert.equal(gate.enter("w", 90_000, COALESCE_MS * 3), false);
});

Deno.test("GoneGate [WS-8] suppresses a straggler that entered before a sibling's success", () => {
  const gate = new GoneGate();
  gate.enter("w", 0, 0);
  gate.succeeded("w", 50);
  assert.equal(gate.enter("w", 40, 60), false);
});

Deno.test("GoneGate [WS-6, WS-9, R27] lets a separate loss after a success register at once", () => {
  const gate = new GoneGate();
  gate.enter("w", 0, 0);
  gate.succeeded("w", 50);
  assert.equal(gate.enter("w", 51, 51), true);
});

Deno.test("GoneGate [WS-4, R25] waits a minute after a failure", () => {
  const gate = new GoneGate();
  gate.enter("w", 0, 0);
  gate.failed("w", 10);
  assert.equal(gate.enter("w", 20, FAILURE_BACKOFF_MS + 9), false);
  assert.equal(gate.enter("w", 20, FAILURE_BACKOFF_MS + 10), true);
});

Deno.test("GoneGate [WS-10] lets a straggler older than a failed sibling register after the minute", () => {
  const gate = new GoneGate();
  gate.enter("w", 5, 5);
  gate.failed("w", 10);
  assert.equal(gate.enter("w", 1, 10 + FAILURE_BACKOFF_MS), true);
});
