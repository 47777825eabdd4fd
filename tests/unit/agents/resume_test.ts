import assert from "node:assert/strict";
import { reconcileRetry, resumeGate, shouldRetryFresh } from "../../../lib/agents/resume.ts";
import { mergeUsage, UsageTally } from "../../../lib/agents/usage.ts";

const usage = (inputTokens: number, outputTokens = 0) => ({
  inputTokens,
  outputTokens,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
});

Deno.test("resumeGate() [HD-1] keeps a session only in its own directory", () => {
  const base = {
    provider: "claude",
    priorSessionId: "sess-1",
    priorWorkDir: "/ws/a/workdir",
    workDir: "/ws/a/workdir",
  };
  assert.deepEqual(resumeGate(base), { sessionId: "sess-1", reason: "", retiredSessionId: "" });
  assert.equal(resumeGate({ ...base, workDir: "/ws/b/workdir" }).reason, "other_directory");
  assert.equal(resumeGate({ ...base, priorWorkDir: "" }).sessionId, "");
  assert.equal(resumeGate({ ...base, priorSessionId: "" }).reason, "no_session");
});

Deno.test("resumeGate() retires a session whose only record is gone", () => {
  const base = { priorSessionId: "s", priorWorkDir: "/w", workDir: "/w" };
  for (const provider of ["claude", "codex", "codebuddy", "pi"]) {
    assert.deepEqual(resumeGate({ ...base, provider, sessionFile: "missing" }), {
      sessionId: "",
      reason: "session_file_missing",
      retiredSessionId: "s",
    });
    assert.equal(resumeGate({ ...base, provider, sessionFile: "present" }).sessionId, "s");
    assert.equal(resumeGate({ ...base, provider, sessionFile: "unknown" }).sessionId, "s");
  }
  assert.equal(resumeGate({ ...base, provider: "opencode", sessionFile: "missing" }).sessionId, "s");
});

const failed = { status: "failed", error: "", sessionId: "", resumeRejected: false };
const retry = (
  provider: string,
  result: Partial<typeof failed>,
  toolCount = 0,
  resumeRequested = true,
) => shouldRetryFresh({ result: { ...failed, ...result }, provider, toolCount, resumeRequested });

Deno.test("shouldRetryFresh() [N-30] follows the table of the later host", () => {
  const oversized = "messages.1.image.source.base64.data: image dimensions exceed max allowed size";
  const noAuth = "hermes provider error: Could not resolve authentication method.";
  assert.ok(retry("claude", { resumeRejected: true }));
  assert.ok(retry("claude", { resumeRejected: true, sessionId: "s" }));
  assert.ok(!retry("claude", { resumeRejected: true }, 0, false));
  assert.ok(!retry("claude", { resumeRejected: true }, 1));
  for (const status of ["idle_watchdog", "completed", "cancelled", "timeout", "aborted"]) {
    assert.ok(!retry("claude", { resumeRejected: true, status }));
  }
  assert.ok(retry("copilot", { error: "agent exited before dispatching" }));
  assert.ok(!retry("copilot", { error: "agent exited before dispatching", sessionId: "s" }));
  assert.ok(!retry("cursor", { error: "API Error: Connection closed mid-response" }));
  assert.ok(!retry("deveco", { error: "API Error: 429 rate limit exceeded" }));
  assert.ok(!retry("copilot", { error: "missing environment variable: ANTHROPIC_API_KEY" }));
  assert.ok(!retry("opencode", { error: "model not found: gpt-99" }));
  assert.ok(!retry("cursor", { error: "cursor-agent: executable not found" }));
  assert.ok(!retry("antigravity", { error: "installed CLI is below the minimum supported version" }));
  for (
    const error of ["dial tcp: dns", "429", "529", "402", "500", "401 unauthorized", "access token revoked"]
  ) assert.ok(!retry("claude", { error }), error);
  assert.ok(retry("kiro", { resumeRejected: true, error: oversized, sessionId: "s" }));
  assert.ok(!retry("kiro", { resumeRejected: true, error: oversized, sessionId: "s" }, 1));
  assert.ok(retry("codex", { resumeRejected: true, error: "thread/resume failed: token too long" }));
  assert.ok(retry("hermes", { error: noAuth, sessionId: "s" }));
  assert.ok(!retry("hermes", { error: noAuth, sessionId: "s" }, 1));
  assert.ok(!retry("hermes", { error: noAuth }, 0, false));
  assert.ok(!retry("hermes", { error: "401 authentication_error: invalid x-api-key" }));
});

Deno.test("shouldRetryFresh() [N-30] takes a bare exit for a rejection only from CLIs that cannot say it", () => {
  for (const provider of ["antigravity", "copilot", "cursor", "deveco", "opencode"]) {
    assert.ok(retry(provider, { error: "exit status 1" }), provider);
  }
  for (
    const provider of [
      "claude",
      "codebuddy",
      "qwen",
      "codex",
      "grok",
      "hermes",
      "kimi",
      "reasonix",
      "dsh",
      "kiro",
      "qoder",
      "qoderclicn",
      "traecli",
      "pi",
      "omp",
      "openclaw",
      "of-tomorrow",
    ]
  ) assert.ok(!retry(provider, { error: "exit status 1" }), provider);
});

Deno.test("shouldRetryFresh() [N-31] retries an unresumable history on every provider, before any tool", () => {
  const error = "the message at position 43 with role 'assistant' must not be empty";
  for (const provider of ["claude", "codex", "kimi", "opencode", "of-tomorrow"]) {
    assert.ok(retry(provider, { error, sessionId: "s" }));
    assert.ok(!retry(provider, { error, sessionId: "s" }, 1));
  }
});

Deno.test("reconcileRetry() [N-33] [HD-2] picks the attempt that counts and keeps all usage", () => {
  const first = {
    result: { status: "failed", sessionId: "ses_poisoned", usage: { m: usage(5, 20) } },
    toolCount: 1,
  };
  const again = (status: string, sessionId: string) => ({
    result: { status, sessionId, usage: { m: usage(10), n: usage(1) } },
    toolCount: 7,
  });
  assert.equal(reconcileRetry(first, undefined), first);
  const cases = [
    ["completed", "ses_new", "completed", "ses_new", 7],
    ["failed", "", "failed", "ses_poisoned", 1],
    ["timeout", "", "failed", "ses_poisoned", 1],
    ["completed", "", "completed", "", 7],
    ["failed", "ses_new", "failed", "ses_new", 7],
  ] as const;
  for (const [status, session, wantStatus, wantSession, tools] of cases) {
    const got = reconcileRetry(first, again(status, session));
    assert.equal(got.result.status, wantStatus);
    assert.equal(got.result.sessionId, wantSession);
    assert.equal(got.toolCount, tools);
    assert.deepEqual(got.result.usage, { m: usage(15, 20), n: usage(1) });
  }
});

Deno.test("mergeUsage() [HD-6] sums per model and keeps either side", () => {
  assert.deepEqual(mergeUsage({ a: usage(1, 2) }, { a: usage(3, 4), b: usage(5) }), {
    a: usage(4, 6),
    b: usage(5),
  });
  assert.deepEqual(mergeUsage({}, { b: usage(5) }), { b: usage(5) });
  assert.deepEqual(mergeUsage({ a: usage(1) }, {}), { a: usage(1) });
});

Deno.test("UsageTally leaves out models without tokens", () => {
  const tally = new UsageTally();
  tally.add("zero", usage(0));
  assert.ok(tally.empty);
  tally.add("m", usage(1));
  tally.add("m", usage(2, 3));
  assert.deepEqual(tally.result, { m: usage(3, 3) });
});
