import assert from "node:assert/strict";
import fc from "fast-check";
import { heartbeatFrame, parseFrame, rpcRequestFrame } from "../../../lib/control/frames.ts";

const RT = "7d0f2a64-31c5-4a4e-9c1b-5a6be0a3c901";
const wire = async (name: string) =>
  await Deno.readTextFile(new URL(`../../fixtures/wire/${name}`, import.meta.url));

Deno.test("heartbeatFrame() is the contract's text", () => {
  assert.equal(
    heartbeatFrame(RT),
    `{"type":"daemon:heartbeat","payload":{"runtime_id":"${RT}","supports_batch_import":true}}`,
  );
});

Deno.test("rpcRequestFrame() has id, method, budget and body", () => {
  assert.deepEqual(JSON.parse(rpcRequestFrame("id", "tasks.claim", 5_000, { max_tasks: 1 })), {
    type: "daemon:rpc_request",
    payload: { request_id: "id", method: "tasks.claim", timeout_ms: 5_000, body: { max_tasks: 1 } },
  });
});

Deno.test("parseFrame() reads a baseline ack with all its actions", async () => {
  const frame = parseFrame(await wire("baseline/heartbeat_ack.json"));
  assert.ok(frame.type === "ack");
  assert.deepEqual(frame.answer, {
    status: "ok",
    runtime_id: RT,
    runtime_gone: false,
    pending_model_list: { id: "b1e0c2d4-0f53-4a5e-8a86-0f6f2f0d1a77" },
    pending_local_skill_imports: [
      { id: "imp-1", skill_key: "review-helper" },
      { id: "imp-2", skill_key: "changelog" },
    ],
    feature_flags: { version: 42, flags: { runtime_brief_slim: "on" } },
    server_capabilities: [],
  });
});

Deno.test("parseFrame() takes the singular import only where the plural list is empty", () => {
  const ack = (payload: object) =>
    parseFrame(
      JSON.stringify({ type: "daemon:heartbeat_ack", payload: { runtime_id: RT, status: "ok", ...payload } }),
    );
  const single = { id: "imp-1", skill_key: "k" };
  for (const pending_local_skill_imports of [undefined, null, []]) {
    const frame = ack({ pending_local_skill_import: single, pending_local_skill_imports });
    assert.ok(frame.type === "ack");
    assert.deepEqual(frame.answer.pending_local_skill_imports, [single]);
  }
  const gone = ack({ status: "runtime_gone" });
  assert.ok(gone.type === "ack" && gone.answer.runtime_gone);
});

Deno.test("parseFrame() never throws and never invents work", () => {
  const json = fc.json({ maxDepth: 3 });
  const near = fc.record({
    type: fc.constantFrom(
      "daemon:heartbeat_ack",
      "daemon:task_available",
      "daemon:runtime_profiles_changed",
      "daemon:pending_work",
      "daemon:rpc_response",
      "daemon:register",
    ),
    payload: fc.jsonValue({ maxDepth: 2 }),
  }).map((frame) => JSON.stringify(frame));
  fc.assert(fc.property(fc.oneof(fc.string(), json, near), (message) => {
    const frame = parseFrame(message);
    if (frame.type === "ack") assert.notEqual(frame.answer.runtime_id, "");
    if (frame.type === "pending_work") assert.notEqual(frame.runtimeId, "");
  }));
});
