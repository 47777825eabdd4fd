import assert from "node:assert/strict";
import { copilotArgs, copilotDriver, copilotReadsStdin } from "../../../lib/agents/copilot.ts";
import { CopilotState } from "../../../lib/agents/copilot_state.ts";
import type { AgentEvent, RunRequest } from "../../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

function copilot(more: { model?: string; resumed?: boolean } = {}) {
  const events: AgentEvent[] = [];
  const state = new CopilotState({
    emit: (event) => void (event.type === "activity" || events.push(event)),
    model: more.model ?? "",
    resumed: more.resumed ?? false,
    givenSession: "",
    stopped: () => false,
  });
  const say = (type: string, data: object, top: object = {}) => state.take({ type, data, ...top });
  return { state, events, say };
}

const output = (outputTokens: number) => ({
  inputTokens: 0,
  outputTokens,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
});

const args = (more: Partial<RunRequest> = {}) =>
  copilotArgs(agentRequest("/x", "/w", { provider: "copilot", prompt: "hi", ...more }));

Deno.test("copilotArgs() [CP-12] gives the chapter's vectors", () => {
  const base = ["-p", "hi", "--output-format", "json", "--allow-all", "--no-ask-user"];
  assert.deepEqual(args(), base);
  assert.deepEqual(
    args({ model: "m1", resumeSessionId: "s1", customArgs: ["--foo", "bar"] }),
    [...base, "--model", "m1", "--resume", "s1", "--foo", "bar"],
  );
  assert.deepEqual(
    args({ customArgs: ["-p", "evil", "--resume", "bad", "--acp", "--yolo", "--max-turns", "50"] }).slice(6),
    ["--max-turns", "50"],
  );
  assert.deepEqual(args({ extraArgs: ["--x"] }), base, "no host-wide arguments");
});

Deno.test("copilot reads its prompt from stdin where the CLI is known to [CP-12]", () => {
  for (const version of ["GitHub Copilot CLI 1.0.102.", "1.0.103", "1.1.0", "2.0.0"]) {
    assert.ok(copilotReadsStdin(version));
  }
  for (const version of ["", "1.0.101", "0.9.200", "beta"]) assert.ok(!copilotReadsStdin(version), version);
  assert.ok(!args({ cliVersion: "1.0.102" }).includes("hi"));
});

Deno.test("copilot state [CP-1] [CP-2] reads a simple turn, fractional requests included", () => {
  const { state, events, say } = copilot();
  say("session.start", { sessionId: "s1", selectedModel: "gpt-x" });
  say("assistant.turn_start", {});
  say("assistant.message_delta", { messageId: "m", deltaContent: "Hi" });
  say("assistant.message", { messageId: "m", content: "Hi", outputTokens: 5 });
  state.take({ type: "result", sessionId: "s1", exitCode: 0, usage: { premiumRequests: 7.5 } });
  assert.equal(state.output, "Hi");
  assert.equal(state.sessionId, "s1");
  assert.deepEqual(state.usage, { "gpt-x": output(5) });
  assert.deepEqual(events, [{ type: "session", sessionId: "s1" }, { type: "text", text: "Hi" }]);
});

Deno.test("copilot state [CP-3] files tokens under the model known at the time", () => {
  const { state, events, say } = copilot();
  say("assistant.message", {
    content: "",
    outputTokens: 12,
    toolRequests: [{ toolCallId: "k", name: "bash", arguments: { command: "ls" } }],
  });
  say("tool.execution_start", { toolCallId: "k", toolName: "bash", arguments: {} });
  say("tool.execution_complete", {
    toolCallId: "k",
    model: "gpt-x",
    success: true,
    result: { content: "a\n" },
  });
  say("assistant.message", { content: "done", outputTokens: 3 });
  assert.deepEqual(events.slice(0, 2), [
    { type: "tool_use", tool: "bash", callId: "k", input: { command: "ls" } },
    { type: "tool_result", callId: "k", output: "a\n" },
  ]);
  assert.deepEqual(state.usage, { copilot: output(12), "gpt-x": output(3) });
});

Deno.test("copilot state [CP-4] shows why a tool failed", () => {
  const { events, say } = copilot();
  say("tool.execution_complete", { toolCallId: "a", success: false, error: { message: "nope" } });
  say("tool.execution_complete", { toolCallId: "b", success: false, result: { content: "body" } });
  say("tool.execution_complete", { toolCallId: "c", success: false });
  assert.deepEqual(events.map((event) => event.type === "tool_result" ? event.output : ""), [
    "Error: nope",
    "Error: body",
    "",
  ]);
});

Deno.test("copilot state [CP-5] [CP-8] takes session and model from the start, and the result's id last", () => {
  const first = copilot({ model: "asked" });
  first.say("assistant.message", { content: "x", outputTokens: 1 });
  assert.deepEqual(first.state.usage, { asked: output(1) });
  const { state, say } = copilot({ model: "asked" });
  say("session.start", { sessionId: "s1", selectedModel: "chosen" });
  say("assistant.message", { content: "x", outputTokens: 1 });
  assert.deepEqual(state.usage, { chosen: output(1) });
  state.take({ type: "result", exitCode: 0 });
  assert.equal(state.sessionId, "s1");
  state.take({ type: "result", sessionId: "s2", exitCode: 0 });
  assert.equal(state.sessionId, "s2");
});

Deno.test("copilot state [CP-7] says nothing of events it need not show", () => {
  const { state, events, say } = copilot();
  assert.equal(say("session.tools_updated", {}), false);
  assert.equal(say("brand.new", {}), false);
  say("session.warning", { message: "careful" });
  assert.equal(state.error, "");
  assert.deepEqual(events, [{ type: "log", level: "warn", text: "careful" }]);
});

Deno.test("copilot state [CP-9] thinks once, however often it is told", () => {
  for (
    const said of [
      [["assistant.reasoning", { content: "A" }]],
      [["assistant.reasoning_delta", { deltaContent: "A" }]],
      [["assistant.message", { content: "", reasoningText: "A" }]],
      [
        ["assistant.reasoning_delta", { reasoningId: "r", deltaContent: "A" }],
        ["assistant.message", { content: "", reasoningText: "A" }],
        ["assistant.reasoning", { reasoningId: "r", content: "A" }],
      ],
    ] as const
  ) {
    const { events, say } = copilot();
    for (const [type, data] of said) say(type, data);
    assert.deepEqual(events, [{ type: "thinking", text: "A" }]);
  }
});

Deno.test("copilot state [CP-10] [N-11] delivers the last message, or what was streamed of it", () => {
  const died = copilot();
  died.say("assistant.message_delta", { deltaContent: "hello " });
  died.say("assistant.message_delta", { deltaContent: "world" });
  assert.equal(died.state.output, "hello world");
  const { state, say } = copilot();
  for (const part of ["Let me ", "look."]) say("assistant.message_delta", { deltaContent: part });
  say("assistant.message", { content: "Let me look." });
  say("assistant.message_delta", { deltaContent: "noise" });
  say("assistant.message", { content: "" });
  assert.equal(state.output, "");
  say("assistant.message_delta", { deltaContent: "Done." });
  say("assistant.message", { content: "Done." });
  assert.equal(state.output, "Done.");
});

Deno.test("copilot state shows a message without deltas as text", () => {
  const { events, say } = copilot();
  say("assistant.message", { messageId: "m", content: "A" });
  assert.deepEqual(events, [{ type: "text", text: "A" }]);
});

Deno.test("copilot state takes the first usable source of usage and keeps buckets exclusive", () => {
  const event = { inputTokens: 12000, outputTokens: 250, cacheReadTokens: 9000, cacheWriteTokens: 1500 };
  const shutdown = {
    modelMetrics: {
      m: { usage: { inputTokens: 30000, outputTokens: 900, cacheReadTokens: 24000, cacheWriteTokens: 2000 } },
    },
  };
  const all = (resumed: boolean) => {
    const { state, say } = copilot({ model: "m", resumed });
    say("assistant.message", { content: "x", outputTokens: 7 });
    say("assistant.usage", { model: "unknown" });
    assert.deepEqual(state.usage, { m: output(7) }, "an empty event shadows nothing");
    say("assistant.usage", { model: "", ...event });
    say("session.shutdown", shutdown);
    return state.usage;
  };
  assert.deepEqual(all(true), {
    m: { inputTokens: 1500, outputTokens: 250, cacheReadTokens: 9000, cacheWriteTokens: 1500 },
  });
  assert.deepEqual(all(false), {
    m: { inputTokens: 4000, outputTokens: 900, cacheReadTokens: 24000, cacheWriteTokens: 2000 },
  });
  const { state, say } = copilot({ model: "m" });
  say("assistant.usage", { inputTokens: 1, cacheReadTokens: 5 });
  assert.equal(state.usage.m?.inputTokens, 0);
});

async function run(body: string, more: Partial<RunRequest> = {}) {
  const dir = await Deno.makeTempDir();
  try {
    const cli = await script(`${dir}/copilot`, `#!/bin/sh\n${body}\n`);
    const started = await startAgent(copilotDriver, agentRequest(cli, dir, { provider: "copilot", ...more }));
    const result = await started.run.result;
    await started.run.ended;
    return { result, events: started.events };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("copilot driver [CP-6] [CP-11] fails by exit code, and adds what stderr says", async () => {
  const result = `echo '{"type":"result","sessionId":"s","exitCode":1}'`;
  const bare = (await run(`${result}; echo broken >&2; exit 1`)).result;
  assert.equal(bare.status, "failed");
  assert.equal(bare.error, "copilot exited with code 1; copilot stderr: broken");
  const both = await run(`echo '{"type":"session.error","data":{"message":"no model"}}'; ${result}; exit 1`);
  assert.equal(both.result.error, "no model; copilot exited with code 1");
  const alone = await run(`echo '{"type":"session.error","data":{"message":"no model"}}'`);
  assert.equal(alone.result.status, "failed");
  assert.ok(alone.events.some((event) => event.type === "log" && event.level === "error"));
  assert.equal((await run("exit 3")).result.error, "copilot exited with error: exit status 3");
});

Deno.test("copilot driver announces the session it gave, before the CLI tells it", async () => {
  const body =
    `cat >prompt; echo '{"type":"assistant.turn_start","data":{}}'; echo '{"type":"assistant.message","data":{"content":"ok"}}'`;
  const { result, events } = await run(body, { cliVersion: "1.0.102" });
  assert.equal(result.status, "completed", result.error);
  assert.match(result.sessionId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(events.find((event) => event.type === "session"), {
    type: "session",
    sessionId: result.sessionId,
  });
});

Deno.test("copilot driver takes a result that answers the stop for no outcome, and one before it for one", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/turn`, '{"type":"assistant.turn_start","data":{}}\n');
  await Deno.writeTextFile(`${dir}/result`, '{"type":"result","sessionId":"s","exitCode":0}\n');
  const untilStopped = "while :; do sleep 0.05; done";
  const plays = [
    ["late", `trap "cat result; exit 0" TERM; cat turn; ${untilStopped}`, "aborted"],
    ["early", `trap "exit 0" TERM; cat result turn; ${untilStopped}`, "completed"],
  ] as const;
  try {
    for (const [name, body, status] of plays) {
      const executable = await script(`${dir}/${name}`, `#!/bin/sh\n${body}\n`);
      const started = await startAgent(copilotDriver, agentRequest(executable, dir, { provider: "copilot" }));
      await started.event((event) => event.type === "activity");
      started.abort();
      assert.equal((await started.run.result).status, status, name);
      await started.run.ended;
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
