import assert from "node:assert/strict";
import fc from "fast-check";
import { type DeliveryFacts, deliveryVerdict, type ReportKind } from "../../../lib/control/mod.ts";

const KINDS: ReportKind[] = ["start", "messages", "session", "usage", "complete", "fail", "cancel_ack"];

function verdict(kind: ReportKind, facts: Partial<DeliveryFacts>): string {
  return deliveryVerdict({ kind, status: 200, body: "", rowStatus: undefined, ...facts }).verdict;
}

Deno.test("deliveryVerdict() believes the row, not the 200 [f19]", () => {
  const rows: [ReportKind, string, string][] = [
    ["complete", "completed", "delivered"],
    ["complete", "failed", "parked"],
    ["complete", "cancelled", "parked"],
    ["complete", "queued", "report_fail"],
    ["complete", "dispatched", "report_fail"],
    ["complete", "waiting_local_directory", "report_fail"],
    ["complete", "running", "retry"],
    ["complete", "", "read_status"],
    ["fail", "failed", "delivered"],
    ["fail", "completed", "parked"],
    ["fail", "cancelled", "parked"],
    ["fail", "queued", "parked"],
    ["fail", "dispatched", "retry"],
    ["start", "running", "delivered"],
    ["start", "cancelled", "parked"],
    ["start", "dispatched", "retry"],
  ];
  for (const [kind, rowStatus, wanted] of rows) {
    assert.equal(verdict(kind, { rowStatus }), wanted, `${kind} ${rowStatus}`);
  }
  for (const kind of ["messages", "session", "usage", "cancel_ack"] as const) {
    assert.equal(verdict(kind, { status: 204 }), "delivered");
  }
});

Deno.test("deliveryVerdict() names what the task was settled as", () => {
  const facts = { kind: "complete", status: 200, body: "", rowStatus: "failed" } as const;
  assert.deepEqual(deliveryVerdict(facts), { verdict: "parked", reason: "already settled as failed" });
});

Deno.test("deliveryVerdict() parks only for a 404 that names the task", () => {
  for (const kind of KINDS) {
    assert.equal(verdict(kind, { status: 404, body: '{"error":"Task not found"}' }), "parked");
    assert.equal(verdict(kind, { status: 404, body: '{"error":"not found"}' }), "retry");
  }
});

Deno.test("deliveryVerdict() closes a cancel acknowledgement the server has no route for", () => {
  assert.equal(verdict("cancel_ack", { status: 404, body: "404 page not found" }), "delivered");
  assert.equal(verdict("cancel_ack", { status: 405 }), "delivered");
  assert.equal(verdict("complete", { status: 404, body: "404 page not found" }), "retry");
});

Deno.test("deliveryVerdict() retries what may pass, with the server's pace", () => {
  for (const kind of KINDS) {
    for (const status of [0, 408, 429, 500, 502, 503]) assert.equal(verdict(kind, { status }), "retry");
  }
  const busy = { kind: "usage", status: 429, body: "", rowStatus: undefined, retryAfterMs: 7_000 } as const;
  assert.equal(deliveryVerdict(busy).retryAfterMs, 7_000);
});

Deno.test("deliveryVerdict() holds the queue while the token is refused [f14]", () => {
  for (const kind of KINDS) {
    assert.equal(verdict(kind, { status: 401 }), "hold");
    assert.equal(verdict(kind, { status: 403 }), "hold");
  }
});

Deno.test("deliveryVerdict() reads the status after a 400 and goes by it", () => {
  const after: [ReportKind, string, string][] = [
    ["complete", "running", "retry"],
    ["complete", "completed", "delivered"],
    ["complete", "failed", "parked"],
    ["complete", "dispatched", "report_fail"],
    ["complete", "gone", "parked"],
    ["complete", "unknown", "retry"],
    ["fail", "running", "retry"],
    ["fail", "failed", "delivered"],
    ["fail", "queued", "parked"],
    ["start", "running", "delivered"],
    ["start", "dispatched", "retry"],
    ["start", "cancelled", "parked"],
  ];
  for (const [kind, taskStatus, wanted] of after) {
    assert.equal(verdict(kind, { status: 400, body: "no rows" }), "read_status");
    assert.equal(
      verdict(kind, { status: 400, body: "no rows", taskStatus }),
      wanted,
      `${kind} ${taskStatus}`,
    );
  }
});

Deno.test("deliveryVerdict() [R42] fails a task only when the server refuses its result for good", () => {
  assert.equal(verdict("complete", { status: 413 }), "read_status");
  assert.equal(verdict("complete", { status: 413, taskStatus: "running" }), "report_fail");
  assert.match(
    deliveryVerdict({
      kind: "complete",
      status: 413,
      body: "too large",
      rowStatus: undefined,
      taskStatus: "running",
    })
      .reason,
    /^complete task failed: /,
  );
  for (const status of [0, 408, 429, 500, 503]) {
    assert.equal(verdict("complete", { status, taskStatus: "running" }), "retry");
  }
});

Deno.test("deliveryVerdict() parks a batch the server refuses for good", () => {
  for (const kind of ["messages", "session", "usage"] as const) {
    assert.equal(verdict(kind, { status: 400, body: "invalid request body" }), "parked");
    assert.equal(verdict(kind, { status: 413 }), "parked");
  }
});

Deno.test("deliveryVerdict() always decides, and never asks for a status it has", () => {
  const status = fc.constantFrom(0, 200, 204, 400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503);
  const state = fc.constantFrom(
    undefined,
    "",
    "queued",
    "dispatched",
    "waiting_local_directory",
    "running",
    "completed",
    "failed",
    "cancelled",
    "gone",
    "unknown",
    "brand_new",
  );
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), status, state, state, (kind, code, rowStatus, taskStatus) => {
      const made = deliveryVerdict({ kind, status: code, body: "", rowStatus, taskStatus });
      assert.ok(made.reason !== "");
      if (taskStatus !== undefined && taskStatus !== "") assert.notEqual(made.verdict, "read_status");
      if (made.verdict === "report_fail") assert.equal(kind, "complete");
    }),
  );
});
