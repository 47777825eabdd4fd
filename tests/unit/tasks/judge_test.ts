import assert from "node:assert/strict";
import { type DrainResult, judge, type JudgeFacts, usageEntries } from "../../../lib/tasks/mod.ts";

const RESULT: DrainResult = {
  status: "completed",
  output: "fine",
  error: "",
  sessionId: "s",
  usage: {},
  durationMs: 1,
  resumeRejected: false,
  costUsdTicks: 0,
};

function report(result: Partial<DrainResult>, more: Partial<JudgeFacts> = {}) {
  return judge({
    provider: "claude",
    result: { ...RESULT, ...result },
    workDir: "/w",
    agentTimeoutMs: 600_000,
    retiredSessionId: "",
    mask: (text) => text,
    ...more,
  });
}

function reasonOf(result: Partial<DrainResult>, provider = "claude"): string {
  const found = report(result, { provider });
  return found.kind === "complete" ? "complete" : found.body.failure_reason!;
}

Deno.test("judge() maps every row of the table [R41][HD-7][HD-12][HD-13]", () => {
  assert.deepEqual(report({}), {
    kind: "complete",
    body: { output: "fine", session_id: "s", work_dir: "/w" },
  });
  assert.deepEqual(report({ output: "" }).kind, "complete");
  const rows: [Partial<DrainResult>, string, string?][] = [
    [{ output: "I REACHED THE ITERATION LIMIT and stopped" }, "iteration_limit"],
    [
      { output: "Put your final update inside the content string. Keep it concise." },
      "agent_fallback_message",
    ],
    [{ output: "Each iteration of the loop processes one record." }, "complete"],
    [
      { output: "Conversation too long. Press esc twice to go up a few messages and try again." },
      "agent_error.context_overflow",
    ],
    [{ status: "timeout", error: "" }, "timeout"],
    [
      { status: "timeout", error: "codex semantic inactivity timeout after 10m0s" },
      "codex_semantic_inactivity",
      "codex",
    ],
    [{ status: "timeout", error: "codex semantic inactivity timeout after 10m0s" }, "timeout"],
    [{ status: "idle_watchdog", error: "x" }, "idle_watchdog"],
    [{ status: "cancelled", error: "rate limit reached" }, "cancelled"],
    [{ status: "failed", error: "rate limit reached" }, "agent_error.provider_capacity_or_rate_limit"],
    [{ status: "failed", error: 'API Error: 400 {"type":"invalid_request_error"}' }, "api_invalid_request"],
    [
      { status: "failed", error: "codex thread/resume failed: token too long" },
      "codex_resume_oversized",
      "codex",
    ],
    [{ status: "aborted", error: "" }, "agent_error.unknown"],
    [{ status: "something new", error: "rate limit reached" }, "agent_error.provider_capacity_or_rate_limit"],
  ];
  for (const [result, reason, provider] of rows) {
    assert.equal(reasonOf(result, provider), reason, JSON.stringify(result));
  }
});

Deno.test("judge() words what has no words of its own [HD-7]", () => {
  const error = (result: Partial<DrainResult>) => {
    const found = report(result);
    return found.kind === "fail" ? found.body.error : "";
  };
  assert.equal(error({ status: "timeout" }), "claude timed out after 10m0s");
  assert.equal(error({ status: "failed" }), "claude execution failed");
  assert.equal(error({ status: "cancelled", error: "x" }), "task cancelled by server");
});

Deno.test("judge() reports a retired session and a missing rollout, leaves empty pointers out, strips NUL", () => {
  assert.deepEqual(
    report({ sessionId: "", sessionRolloutMissing: true, output: "a\0b" }, {
      retiredSessionId: "old",
      workDir: "",
    }).body,
    { output: "ab", retired_session_id: "old", session_rollout_missing: true },
  );
});

Deno.test("usageEntries() leaves idle models out and gives the cost to the one that used most", () => {
  const tokens = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };
  const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  const entries = usageEntries(
    "claude",
    { small: tokens, big: { ...tokens, outputTokens: 9 }, idle: none },
    77.9,
  );
  assert.deepEqual(entries.map((entry) => [entry.model, entry.cost_usd_ticks]), [["small", undefined], [
    "big",
    77,
  ]]);
});
