/** Captured Claude Code streams, through the driver. N-8: `2.1.220/context_exhausted`, from the later source's capture. */
import assert from "node:assert/strict";
import { claudeDriver } from "../../../lib/agents/claude.ts";
import { classifyFailure } from "../../../lib/agents/failures.ts";
import { expectedTimeline, replayTests } from "../../helpers/replay.ts";

const STREAMS = new URL("../../fixtures/streams/", import.meta.url);
replayTests("claude", claudeDriver, new URL("claude/", STREAMS));

Deno.test("claude stream of a full context [N-8] fails as overflow, keeps its session, rejects no resume", () => {
  const { result } = expectedTimeline(new URL("claude/2.1.220/context_exhausted.expected.json", STREAMS));
  assert.equal(result.status, "failed");
  assert.equal(result.output, "");
  assert.match(result.error, /prompt_too_long/);
  assert.equal(classifyFailure(result.error), "agent_error.context_overflow");
  assert.equal(result.sessionId, "s-full");
  assert.equal(result.resumeRejected, false);
});
