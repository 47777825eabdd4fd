import assert from "node:assert/strict";
import { codebuddyDriver } from "../../../lib/agents/codebuddy.ts";
import { copilotDriver } from "../../../lib/agents/copilot.ts";
import { cursorDriver } from "../../../lib/agents/cursor.ts";
import { openCodeDriver } from "../../../lib/agents/opencode.ts";
import { expectedTimeline, replayTests } from "../../helpers/replay.ts";

const streams = new URL("../../fixtures/streams/", import.meta.url);

// cursor task = the captured stream B of spec 06 §11.10 [N-21]; codebuddy task [CB-4].
replayTests("codebuddy", codebuddyDriver, new URL("codebuddy/", streams));
replayTests("copilot", copilotDriver, new URL("copilot/", streams));
replayTests("cursor", cursorDriver, new URL("cursor/", streams));
replayTests("opencode", openCodeDriver, new URL("opencode/", streams));

Deno.test("cursor stream B [N-21] gives three thinking blocks, three tools with results, two texts and its usage", () => {
  const { events, result } = expectedTimeline(new URL("cursor/2026.07.20/task.expected.json", streams));
  const of = (type: string) => events.filter((event) => event.type === type);
  const calls = of("tool_use").map((event) => "callId" in event ? event.callId : "");
  assert.equal(calls.length, 3);
  assert.deepEqual(
    of("tool_result").map((event) => "callId" in event ? event.callId : "").sort(),
    [...calls].sort(),
  );
  assert.equal(of("text").length, 2);
  const thinking = of("thinking").map((event) => "text" in event ? event.text : "").join("");
  assert.equal(thinking.split("\n\n").length, 3);
  const [usage] = Object.values(result.usage);
  assert.deepEqual(usage, {
    inputTokens: 8830,
    outputTokens: 185,
    cacheReadTokens: 44800,
    cacheWriteTokens: 0,
  });
});
