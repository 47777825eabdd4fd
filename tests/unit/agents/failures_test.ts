import assert from "node:assert/strict";
import { classifyFailure, classifyText, isAgentError } from "../../../lib/agents/failures.ts";
import {
  authMethodUnresolved,
  codexResumeOversized,
  poisonedError,
  poisonedOutput,
  providerUnconfigured,
  resumeUnsafeTimeout,
  unresumableHistory,
} from "../../../lib/agents/failures_poison.ts";
import { VECTORS } from "./classifier_vectors.ts";

Deno.test("classifyText() gives the later reason for all 152 vectors", () => {
  assert.equal(VECTORS.length, 152);
  for (const [number, text, reason] of VECTORS) {
    assert.equal(classifyText(text), `agent_error.${reason}`, `vector ${number}: ${text}`);
  }
});

/** Where this host names a better reason than the chapter's rules give (spec 08 §15.3 reading, §16). */
const BETTER: Readonly<Record<number, string>> = {
  123: "provider_capacity_or_rate_limit",
  131: "runtime_missing_executable",
  132: "runtime_missing_executable",
  133: "runtime_missing_executable",
  134: "provider_network",
  136: "provider_network",
  137: "provider_network",
  138: "provider_network",
  143: "unknown",
  144: "unknown",
};

Deno.test("classifyFailure() keeps every vector but the declared better ones", () => {
  for (const [number, text, reason] of VECTORS) {
    assert.equal(
      classifyFailure(text),
      `agent_error.${BETTER[number] ?? reason}`,
      `vector ${number}: ${text}`,
    );
  }
});

Deno.test("classifyFailure() names this host's own launch errors", () => {
  const cases: readonly (readonly [string, string])[] = [
    [`codex executable not found at "/x/codex"`, "runtime_missing_executable"],
    [`executable not allowed: "/x/codex" is not in this host's rights`, "runtime_missing_executable"],
    [`cannot start "/x/codex": Permission denied (os error 13)`, "process_failure"],
    [`start codex: cannot start "/x/codex": Exec format error (os error 8)`, "runtime_missing_executable"],
    ["error sending request for url: client error (Connect)", "provider_network"],
    ["codex app-server handshake timeout: initialize did not respond after 30s", "agent_timeout"],
    ["claude stream ended without terminal result", "empty_or_unparseable_output"],
    ["claude version 1.0.0 is below minimum required 2.0.0", "runtime_version_unsupported"],
    ["You've hit your session limit · resets 12:50am (Asia/Shanghai)", "provider_quota_limit"],
    ["HTTP 429: weekly limit reached, resets Mon 9am", "provider_quota_limit"],
    ["write codex input: Broken pipe (os error 32)", "process_failure"],
  ];
  for (const [text, reason] of cases) assert.equal(classifyFailure(text), `agent_error.${reason}`, text);
});

Deno.test("isAgentError() is a prefix test", () => {
  assert.ok(isAgentError("agent_error.of_tomorrow"));
  assert.ok(!isAgentError("agent_error"));
  assert.ok(!isAgentError("timeout"));
});

Deno.test("poisonedOutput() [HD-12] knows fallback sentences, and only short ones", () => {
  const marker = "i reached the iteration limit";
  assert.equal(
    poisonedOutput("I reached the iteration limit and couldn't generate a summary."),
    "iteration_limit",
  );
  assert.equal(poisonedOutput("I REACHED THE ITERATION LIMIT and stopped"), "iteration_limit");
  assert.equal(
    poisonedOutput("Put your final update inside the content string. Keep it concise."),
    "agent_fallback_message",
  );
  for (
    const good of [
      "Fixed the bug in auth.go and pushed PR #42.",
      "",
      "  \n",
      "Each iteration of the loop processes one record.",
      `${
        "A review quotes a sentence. ".repeat(12)
      }${marker}; put your final update inside the content string`,
      `${"forty characters of ordinary prose here. ".repeat(10)}${marker}`,
    ]
  ) assert.equal(poisonedOutput(good), undefined, good);
  assert.equal(poisonedOutput(marker.padEnd(320, "x")), "iteration_limit");
  assert.equal(poisonedOutput(marker.padEnd(321, "x")), undefined);
  assert.equal(poisonedOutput(marker + "漢".repeat(98)), undefined, "the limit counts bytes");
});

Deno.test("poisonedOutput() [N-34] knows an exhausted context", () => {
  const overflow = "agent_error.context_overflow";
  for (
    const text of [
      "Prompt is too long · A single-exchange conversation cannot be compacted; reduce attached files/tools or start with less context.",
      "Prompt is too long · this conversation is a single exchange and cannot be compacted — start over",
      "Conversation too long. Press esc twice to go up a few messages and try again.",
      "Compaction failed · conversation could not be reduced below the context limit",
    ]
  ) assert.equal(poisonedOutput(text), overflow, text);
  for (
    const text of [
      "Prompt is too long",
      "context too long, please run /compact",
      "This session is getting big — run /compact before continuing.",
      'Added a guard for the "Prompt is too long" case and pushed it.',
      "Compaction failed · attached media exceeds size limits",
      " ",
    ]
  ) assert.equal(poisonedOutput(text), undefined, text);
  const exact = "prompt is too long cannot be compacted";
  assert.equal(poisonedOutput(exact.padEnd(320, ".")), overflow);
  assert.equal(poisonedOutput(exact.padEnd(321, ".")), undefined);
});

Deno.test("poisonedError() [HD-13] finds conversations the provider refuses", () => {
  for (
    const text of [
      `API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"Could not process image"},"request_id":"req_1"}`,
      `API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213000 tokens > 200000 maximum"}}`,
      `api error: 400 {"type":"INVALID_REQUEST_ERROR"}`,
      "kiro session/prompt failed: x: messages.14.content.0.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels)",
    ]
  ) assert.equal(poisonedError(text), "api_invalid_request", text);
  for (
    const text of [
      `API Error: 429 {"type":"error","error":{"type":"rate_limit_error","message":"per-minute rate limit"}}`,
      `API Error: 529 {"error":{"type":"overloaded_error"}}`,
      `API Error: 401 {"error":{"type":"authentication_error"}}`,
      "agent tool returned status 400: not found",
      "",
      "claude execution timeout after 10m",
      "kiro session/prompt failed: session/prompt: Internal error (code=-32603, data=Kiro failed to generate a response)",
      "some tool reported: image dimensions exceed max allowed size: 8000 pixels",
      "validation error: field must not be empty",
      "invalid_request_error at offset 14005",
    ]
  ) assert.equal(poisonedError(text), undefined, text);
});

Deno.test("unresumableHistory() [N-31] wants both a complaint and a message locator", () => {
  for (
    const text of [
      "Invalid request: the message at position 37 with role 'assistant' must not be empty",
      "provider.api_error: 400 the message at position 43 with role 'assistant' must not be empty",
      `API Error: 400 {"error":{"type":"invalid_request_error","message":"messages.37: all messages must have non-empty content except for the optional final assistant message"}}`,
      "messages[43].content: content must not be empty",
      'Invalid request: the message with role "assistant" must not be empty',
      "invalid_request: role=assistant content cannot be empty",
      "The final assistant message must not be empty.",
      "messages.12: all messages must have non-empty content",
    ]
  ) {
    assert.ok(unresumableHistory(text), text);
    assert.equal(poisonedError(text), "api_invalid_request", text);
  }
  for (
    const text of [
      "validation error: field must not be empty",
      "Aborting commit due to empty commit message: commit message must not be empty",
      "config error: api key must not be empty",
      "messages[3].content[0].image.source.base64.data: image dimensions exceed max allowed size",
      "could not render assistant message: template failure",
      "API Error: 429 rate_limit_error: too many requests",
      "Connection closed mid-response",
      "messages[3]",
      "",
    ]
  ) assert.ok(!unresumableHistory(text), text);
});

Deno.test("authMethodUnresolved() and providerUnconfigured() match their one phrase", () => {
  assert.ok(
    authMethodUnresolved('hermes provider error: "Could not resolve authentication method. Expected …"'),
  );
  assert.ok(authMethodUnresolved("COULD NOT RESOLVE AUTHENTICATION METHOD"));
  for (
    const text of ["401 authentication_error: invalid x-api-key", "OAuth access token has been revoked", ""]
  ) {
    assert.ok(!authMethodUnresolved(text), text);
  }
  assert.ok(
    providerUnconfigured(
      'session/new: Internal error (data={"details":"No LLM provider configured. Run …"})',
    ),
  );
  assert.ok(!providerUnconfigured("401 unauthorized: invalid api key"));
});

Deno.test("resumeUnsafeTimeout() is Codex's two stalls only", () => {
  const stall =
    "codex semantic inactivity timeout after 10m0s without agent progress (last activity: tool-result:exec_command)";
  assert.equal(resumeUnsafeTimeout("codex", stall), "codex_semantic_inactivity");
  assert.equal(resumeUnsafeTimeout(" Codex ", stall.toUpperCase()), "codex_semantic_inactivity");
  assert.equal(
    resumeUnsafeTimeout("codex", "codex app-server no progress timeout after 30s: received turn start"),
    "codex_semantic_inactivity",
  );
  assert.equal(resumeUnsafeTimeout("codex", "codex timed out after 30m0s"), undefined);
  assert.equal(resumeUnsafeTimeout("claude", stall), undefined);
  assert.equal(resumeUnsafeTimeout("codex", ""), undefined);
});

Deno.test("codexResumeOversized() is the too long line of a resume only", () => {
  const text = "codex thread/resume failed: codex process exited: bufio.Scanner: token too long";
  assert.equal(codexResumeOversized("codex", text), "codex_resume_oversized");
  assert.equal(codexResumeOversized("codex", text.replace("resume", "start")), undefined);
  assert.equal(codexResumeOversized("codex", "codex thread/resume failed: thread not found"), undefined);
  assert.equal(codexResumeOversized("claude", text), undefined);
});
