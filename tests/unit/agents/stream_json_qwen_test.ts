/** Qwen Code is a row and a dialect: its streams, and its command line (spec 07 §10.5). */
import assert from "node:assert/strict";
import { qwenArgs, qwenDriver } from "../../../lib/agents/qwen.ts";
import { agentRequest } from "../../helpers/agent_run.ts";
import { replayTests } from "../../helpers/replay.ts";

replayTests("qwen", qwenDriver, new URL("../../fixtures/streams/qwen/", import.meta.url));

Deno.test("qwenArgs() manages the protocol's flags and always says --yolo", () => {
  const request = agentRequest("/q", "/w", {
    provider: "qwen",
    prompt: "hi",
    model: "m1",
    resumeSessionId: "s1",
    extraArgs: ["--approval-mode", "plan", "--extra"],
    customArgs: ["-y", "--foo", "bar"],
  });
  assert.deepEqual(qwenArgs(request, "/t/f.json"), [
    ...["--output-format", "stream-json", "--model", "m1", "--resume", "s1", "--yolo"],
    ...["--extra", "--foo", "bar", "--mcp-config", "/t/f.json"],
  ]);
});
