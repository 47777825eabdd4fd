/** The Claude driver end to end, with shell scripts as the CLI. */
import assert from "node:assert/strict";
import { claudeDriver } from "../../../lib/agents/claude.ts";
import type { AgentEvent, AgentResult, RunRequest } from "../../../lib/agents/mod.ts";
import { classifyFailure } from "../../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

const INIT = { type: "system", subtype: "init", session_id: "s-1", model: "claude-x" };
const DONE = { type: "result", subtype: "success", is_error: false, session_id: "s-1", result: "Done." };
const text = (words: string, more: object = {}) => assistant([{ type: "text", text: words }], more);
const assistant = (content: unknown, more: object = {}) => ({
  type: "assistant",
  parent_tool_use_id: null,
  message: { role: "assistant", model: "claude-x", content },
  ...more,
});
const toolUse = { type: "tool_use", id: "t1", name: "Read", input: { file_path: "a" } };
const toolResult = (content: unknown, more: object = {}) => ({
  type: "user",
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content }] },
  ...more,
});

interface Outcome {
  readonly result: AgentResult;
  readonly events: AgentEvent[];
}

/** Runs a script that reads the prompt, runs `body`, and prints `lines` from `$OUT`. */
async function play(lines: readonly unknown[], more: Play = {}): Promise<Outcome> {
  const dir = await Deno.makeTempDir();
  try {
    const out = lines.map((line) => typeof line === "string" ? line : JSON.stringify(line)).join("\n");
    await Deno.writeTextFile(`${dir}/out`, out === "" ? "" : out + "\n");
    const body = more.body ?? "read -r prompt; cat out; read -r rest; exit 0";
    const cli = await script(`${dir}/cli`, `#!/bin/sh\n${body}\n`);
    const { run, events, abort, event } = await startAgent(
      claudeDriver,
      agentRequest(cli, dir, more.request),
    );
    if (more.abortAt !== undefined) {
      await event(more.abortAt);
      abort();
    }
    const result = await run.result;
    assert.equal((await run.ended).empty, true);
    return { result, events: events.filter((event) => event.type !== "activity") };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

interface Play {
  readonly body?: string;
  readonly request?: Partial<RunRequest>;
  readonly abortAt?: (event: AgentEvent) => boolean;
}

Deno.test("claude driver [CL-1] [CL-2] [CL-3] maps text, tool call and tool result in order", async () => {
  const { result, events } = await play([
    INIT,
    assistant([{ type: "text", text: "Looking." }, toolUse]),
    toolResult("hi"),
    DONE,
  ]);
  assert.deepEqual(events, [
    { type: "session", sessionId: "s-1" },
    { type: "text", text: "Looking." },
    { type: "tool_use", tool: "Read", callId: "t1", input: { file_path: "a" } },
    { type: "tool_result", callId: "t1", output: '"hi"' },
  ]);
  assert.equal(result.status, "completed");
  assert.equal(result.output, "Done.");
  assert.equal(result.sessionId, "s-1");
});

Deno.test("claude driver reads thinking under `thinking`, then `text`; input that is no object is left out", async () => {
  const { events } = await play([
    INIT,
    assistant([{ type: "thinking", thinking: "real", signature: "x" }, { type: "thinking", text: "old" }]),
    assistant([{ type: "tool_use", id: "t2", name: "Odd", input: "text" }]),
    DONE,
  ]);
  assert.deepEqual(events.slice(1), [
    { type: "thinking", text: "real" },
    { type: "thinking", text: "old" },
    { type: "tool_use", tool: "Odd", callId: "t2" },
  ]);
});

Deno.test("claude driver [CL-7] survives foreign shapes", async () => {
  const { result, events } = await play([
    "not json",
    "[1]",
    '{"type":7}',
    INIT,
    { type: "assistant", message: "text" },
    { type: "user", message: { content: "plain" } },
    { type: "control_request", request_id: "r", request: "none" },
    { type: "stream_event" },
    { type: "log", log: { level: "warn", message: "careful" } },
    DONE,
  ]);
  assert.equal(result.status, "completed");
  assert.deepEqual(events.slice(1), [{ type: "log", level: "warn", text: "careful" }]);
});

Deno.test("claude driver [N-1] [N-2] [N-3] [N-4] chooses the final text", async () => {
  const empty = { ...DONE, result: "" };
  const outputs: [unknown[], string][] = [
    [[INIT, text("narration"), DONE], "Done."],
    [[INIT, text("one"), text("two"), empty], "two"],
    [[INIT, text("one"), assistant([{ type: "text", text: "x" }, toolUse]), empty], ""],
    [[INIT, text("answer"), assistant([{ type: "thinking", thinking: "t" }]), empty], "answer"],
    [[INIT, text("answer"), { type: "assistant", message: "text" }, empty], ""],
    [[INIT, text("answer"), assistant([{ type: "server_tool_use" }]), empty], ""],
    [[INIT, text("answer"), text("inner", { parent_tool_use_id: "t9" }), empty], "answer"],
  ];
  for (const [lines, output] of outputs) {
    const { result } = await play(lines);
    assert.deepEqual([result.status, result.output], ["completed", output], JSON.stringify(lines));
  }
});

Deno.test("claude driver [N-5] fails a clean exit without result", async () => {
  const { result } = await play([INIT, text("almost")], { body: "read -r prompt; cat out; exit 0" });
  assert.deepEqual([result.status, result.error, result.output], [
    "failed",
    "claude stream ended without terminal result",
    "",
  ]);
  assert.equal(result.sessionId, "s-1");
});

Deno.test("claude driver [CL-16] reports an early exit with its last words", async () => {
  const { result } = await play([], { body: "echo 'boom 401' >&2; exit 3" });
  assert.equal(result.status, "failed");
  assert.equal(result.error, "claude exited with error: exit status 3; claude stderr: boom 401");
});

Deno.test("claude driver [CL-6] [CL-21] fails a run that went to the background", async () => {
  for (
    const launched of [
      toolResult({ status: "async_launched" }),
      toolResult({ content: [{ status: "async_launched" }] }),
      toolResult([{ status: "async_launched" }]),
      toolResult([{ type: "text", text: "Async agent launched" }], {
        tool_use_result: { status: "async_launched" },
      }),
    ]
  ) {
    const { result } = await play([INIT, launched, DONE]);
    assert.equal(result.status, "failed");
    assert.match(result.error, /async background task/);
    assert.equal(result.sessionId, "s-1");
  }
  const { result } = await play([INIT, toolResult('{"status":"async_launched"}'), DONE]);
  assert.equal(result.status, "completed");
});

Deno.test("claude driver [CL-17] takes the result's usage per model; costs come along", async () => {
  const modelUsage = {
    "claude-x": { inputTokens: 3, outputTokens: 20, cacheReadInputTokens: 7, cacheCreationInputTokens: 2 },
    "<synthetic>": { inputTokens: 0 },
    "": { inputTokens: 5 },
  };
  const { result } = await play([INIT, { ...DONE, modelUsage, total_cost_usd: 0.25 }]);
  assert.deepEqual(result.usage, {
    "claude-x": { inputTokens: 3, outputTokens: 20, cacheReadTokens: 7, cacheWriteTokens: 2 },
  });
  assert.equal(result.costUsdTicks, 2_500_000_000);
});

Deno.test("claude driver counts repeated usage of one message once, subagents apart", async () => {
  const said = (id: string, input: number, parent: string | null = null) => ({
    type: "assistant",
    parent_tool_use_id: parent,
    message: { id, model: "claude-x", content: [], usage: { input_tokens: input, output_tokens: 1 } },
  });
  const { result } = await play([
    INIT,
    said("m1", 10),
    said("s1", 100, "t1"),
    said("m1", 11),
    said("s1", 100, "t1"),
    said("m2", 20),
    { ...DONE, modelUsage: {} },
  ]);
  assert.deepEqual(result.usage, {
    "claude-x": { inputTokens: 131, outputTokens: 3, cacheReadTokens: 0, cacheWriteTokens: 0 },
  });
});

Deno.test("claude driver falls back to the top-level usage under the requested model", async () => {
  const usage = { input_tokens: 5, output_tokens: 6 };
  const { result } = await play([INIT, { ...DONE, usage }], { request: { model: "asked" } });
  assert.deepEqual(result.usage, {
    asked: { inputTokens: 5, outputTokens: 6, cacheReadTokens: 0, cacheWriteTokens: 0 },
  });
});

Deno.test("claude driver [CL-15] reports the session as the table says", async () => {
  const init = (id: string) => ({ ...INIT, session_id: id });
  const none = { type: "result", is_error: false, result: "x" };
  const bad = { type: "result", is_error: true, result: "broken" };
  const cases: [string, unknown[], string, boolean][] = [
    ["", [init("A"), none], "A", false],
    ["A", [init("A"), none], "A", false],
    ["A", [init("A"), bad], "A", false],
    ["A", [init("B"), bad], "", true],
    ["A", [init("B"), none], "B", false],
    ["A", [none], "", false],
  ];
  for (const [asked, lines, reported, rejected] of cases) {
    const { result } = await play(lines, { request: { resumeSessionId: asked } });
    assert.deepEqual([result.sessionId, result.resumeRejected], [reported, rejected], JSON.stringify(lines));
  }
});

Deno.test("claude driver [N-32] keeps the session of a network failure, blanks one bound elsewhere", async () => {
  const broken = (words: string) => [INIT, { ...DONE, is_error: true, result: words }];
  const request = { resumeSessionId: "s-1" };
  const network = await play(broken("Unable to connect"), { request });
  assert.deepEqual([network.result.sessionId, network.result.resumeRejected], ["s-1", false]);
  const bound = await play(broken("会话已绑定另外的账号"), { request });
  assert.deepEqual([bound.result.sessionId, bound.result.resumeRejected], ["", true]);
});

Deno.test("claude driver [N-9] trims terminal_reason and leaves the others alone", async () => {
  const end = (terminal_reason: string, is_error: boolean, result: string) =>
    play([INIT, { ...DONE, is_error, terminal_reason, result }]).then((outcome) => outcome.result);
  assert.match((await end(" prompt_too_long ", false, "")).error, /terminal_reason=prompt_too_long/);
  assert.equal((await end("api_error", true, "API Error: 500 x")).error, "API Error: 500 x");
  for (const reason of ["completed", "", "max_turns", "api_error"]) {
    assert.equal((await end(reason, false, "fine")).status, "completed");
  }
  assert.equal(
    classifyFailure((await end("prompt_too_long", true, "")).error),
    "agent_error.context_overflow",
  );
  assert.equal((await end("x", true, "")).error, "claude returned an error result without details");
});

Deno.test("claude driver [CL-19] [CL-20] answers a permission request over the still open stdin", async () => {
  const ask = {
    type: "control_request",
    request_id: "r7",
    request: {
      subtype: "can_use_tool",
      tool_name: "Bash",
      input: { command: "make", run_in_background: true },
    },
  };
  const { result } = await play([INIT, ask], {
    body: `read -r prompt; cat out; read -r answer
printf '%s\\n' "{\\"type\\":\\"result\\",\\"session_id\\":\\"s-1\\",\\"result\\":\\"$(printf %s "$answer" | sed 's/"/\\\\"/g')\\"}"
read -r rest; exit 0`,
  });
  assert.deepEqual(JSON.parse(result.output), {
    type: "control_response",
    response: {
      subtype: "success",
      request_id: "r7",
      response: { behavior: "allow", updatedInput: { command: "make", run_in_background: false } },
    },
  });
});

Deno.test("claude driver [CL-18] does not deadlock on a start-up burst before a big prompt is read", async () => {
  const { result } = await play([DONE], {
    request: { prompt: "p".repeat(128 * 1024) },
    body: "head -c 262144 /dev/zero | tr '\\0' '\\n'; read -r prompt; cat out; read -r rest; exit 0",
  });
  assert.equal(result.status, "completed", result.error);
});

Deno.test("claude driver [N-7] an error result survives a later cancel", async () => {
  const { result } = await play([INIT, { ...DONE, is_error: true, result: "API Error: 529" }], {
    body: "cat out; exec sleep 100",
    request: {},
    abortAt: (event) => event.type === "session",
  });
  assert.deepEqual([result.status, result.error], ["failed", "API Error: 529"]);
});

Deno.test("claude driver reports cancel and deadline, with session and usage", async () => {
  const usage = { input_tokens: 4, output_tokens: 2 };
  const said = assistant([{ type: "text", text: "working" }]);
  const lines = [INIT, { ...said, message: { ...said.message, id: "m", usage } }];
  const body = "cat out; exec sleep 100";
  const cancelled = await play(lines, { body, abortAt: (event) => event.type === "text" });
  assert.deepEqual([cancelled.result.status, cancelled.result.error], ["aborted", "execution cancelled"]);
  assert.equal(cancelled.result.sessionId, "s-1");
  assert.equal(cancelled.result.usage["claude-x"]?.inputTokens, 4);
  const late = await play(lines, { body, request: { timeoutMs: 150 } });
  assert.deepEqual([late.result.status, late.result.error], ["timeout", "claude timed out after 150ms"]);
});

Deno.test("claude driver keeps a known result whatever the exit looks like (I-8)", async () => {
  const { result } = await play([INIT, DONE], { body: "cat out; exit 9" });
  assert.deepEqual([result.status, result.output], ["completed", "Done."]);
});

Deno.test("claude driver keeps subagents in the foreground unless the task says otherwise", async () => {
  const body =
    `read -r p; printf '{"type":"result","result":"%s"}\\n' "$CLAUDE_CODE_DISABLE_BACKGROUND_TASKS $PWD"
read -r rest; exit 0`;
  const { result } = await play([], { body });
  assert.match(result.output, /^1 \//);
  const other = await play([], { body, request: { env: { CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "0" } } });
  assert.match(other.result.output, /^0 /);
});
