/** The stream reader against anything a program may print. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { AgentEvent } from "../../../lib/agents/mod.ts";
import { parseLine } from "../../../lib/agents/stream_json.ts";
import { StreamState } from "../../../lib/agents/stream_json_state.ts";
import { streamVerdict } from "../../../lib/agents/stream_json_verdict.ts";

const KEYS = [
  "type",
  "message",
  "content",
  "text",
  "thinking",
  "usage",
  "model",
  "id",
  "result",
  "errors",
  "name",
];
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(null, true, 7, -1, "text", "tool_use", "thinking", "tool_result", "result"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("value"), { maxKeys: 5 }),
  ),
})).value;
const event = fc.record({
  type: fc.constantFrom<unknown>("assistant", "user", "system", "result", "log", "odd", 3),
  message: anything,
  session_id: fc.constantFrom<unknown>("s-1", "s-2", "", 5),
  result: anything,
  errors: anything,
  usage: anything,
  modelUsage: anything,
  is_error: fc.constantFrom<unknown>(true, false, "yes"),
}, { requiredKeys: ["type"] });

Deno.test("StreamState takes any JSON object without throwing, and every event it emits is well formed", () => {
  fc.assert(fc.property(fc.array(event, { maxLength: 30 }), (stream) => {
    const events: AgentEvent[] = [];
    const state = new StreamState((event) => events.push(event), "asked");
    for (const one of stream) state.take(parseLine(JSON.stringify(one))!);
    for (const emitted of events) {
      for (const [key, value] of Object.entries(emitted)) {
        if (key !== "input") assert.equal(typeof value, "string", `${emitted.type}.${key}`);
      }
    }
    for (const usage of Object.values(state.usage())) {
      assert.ok(Object.values(usage).every((tokens) => Number.isInteger(tokens) && tokens >= 0));
    }
  }));
});

Deno.test("streamVerdict() is failed with an error, or completed without one, and never both", () => {
  const outcome = fc.option(
    fc.record({
      isError: fc.boolean(),
      text: fc.string(),
      terminalReason: fc.constantFrom("", "completed", "prompt_too_long"),
      costUsd: fc.constant(0),
    }),
    { nil: undefined },
  );
  const end = fc.record({
    exit: fc.constantFrom({ code: 0, signal: null }, { code: 3, signal: null }, {
      code: 137,
      signal: "SIGKILL",
    }),
    stopCause: fc.constant(undefined),
    stderrTail: fc.constantFrom("", "tail"),
    readError: fc.constantFrom("", "broken"),
    stdinError: fc.constantFrom("", "Broken pipe"),
    cutBytes: fc.constantFrom(0, 5),
    durationMs: fc.constant(1),
  });
  const stop = fc.constantFrom(undefined, "timeout", "cancelled");
  fc.assert(
    fc.property(outcome, end, stop, fc.constantFrom("", "guard"), (outcome, end, stopCause, guard) => {
      const verdict = streamVerdict({
        name: "claude",
        outcome,
        end,
        stopCause,
        timeoutMs: 5,
        guard,
        lastText: "last",
        requestedSession: "",
        statedSession: "s",
        terminalReasons: { prompt_too_long: "full" },
      });
      assert.equal(verdict.status === "completed", verdict.error === "");
      assert.ok(verdict.status === "completed" || verdict.output === "");
      assert.equal(verdict.sessionId, "s");
      if (outcome !== undefined && !outcome.isError && outcome.terminalReason !== "prompt_too_long") {
        const expected = stopCause === "timeout"
          ? "timeout"
          : stopCause !== undefined
          ? "aborted"
          : guard
          ? "failed"
          : "completed";
        assert.equal(verdict.status, expected);
      }
    }),
  );
});
