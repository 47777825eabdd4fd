import assert from "node:assert/strict";
import fc from "fast-check";
import { cursorArgs, cursorDriver } from "../../../lib/agents/cursor.ts";
import { cursorErrorText, cursorLine, CursorState } from "../../../lib/agents/cursor_state.ts";
import type { AgentEvent, RunRequest } from "../../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";
import { markerAlive } from "../../helpers/process_control.ts";

const request = (more: Partial<RunRequest> = {}) => agentRequest("/x", "/w", { provider: "cursor", ...more });

Deno.test("cursorArgs() [CU-1] [N-20] never carries the prompt", () => {
  const base = ["-p", "--output-format", "stream-json", "--yolo", "--workspace", "/w"];
  assert.deepEqual(cursorArgs(request({ systemPrompt: "S" })), base);
  assert.deepEqual(
    cursorArgs(request({ model: "m1", resumeSessionId: "s1", customArgs: ["--foo", "bar"] })),
    [...base, "--model", "m1", "--resume", "s1", "--foo", "bar"],
  );
  assert.deepEqual(
    cursorArgs(request({ customArgs: ["--extra", "val", "--yolo", "--output-format", "text"] })),
    [...base, "--extra", "val"],
  );
});

Deno.test("cursorLine() [CU-2] gives the chapter's vectors", () => {
  for (
    const [line, clean] of [
      ['stdout: {"type":"init"}', '{"type":"init"}'],
      ['stderr: {"type":"error"}', '{"type":"error"}'],
      ['stdout:{"type":"init"}', '{"type":"init"}'],
      ['  {"type":"assistant"}  ', '{"type":"assistant"}'],
      ["", ""],
      ["   ", ""],
      ["plain text", "plain text"],
      ['STDOUT={"a":1}', '{"a":1}'],
      ["stdoutfoo", "foo"],
    ] as const
  ) assert.equal(cursorLine(line), clean);
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const line = JSON.stringify({ value });
    for (const mark of ["", "stdout:", "STDERR = ", "  stdout "]) assert.equal(cursorLine(mark + line), line);
  }));
});

function cursor(model = "") {
  const events: AgentEvent[] = [];
  const state = new CursorState((event) => void (event.type === "activity" || events.push(event)), model);
  return { state, events };
}

Deno.test("cursor state [CU-3] reads blocks of assistant messages", () => {
  const { state, events } = cursor();
  state.take({
    type: "assistant",
    message: {
      content: [{ type: "output_text", text: "Hi" }, {
        type: "tool_use",
        name: "read",
        id: "c",
        input: { a: 1 },
      }],
    },
  });
  assert.deepEqual(events, [{ type: "text", text: "Hi" }, {
    type: "tool_use",
    tool: "read",
    callId: "c",
    input: { a: 1 },
  }]);
  assert.equal(state.output, "Hi");
});

Deno.test("cursorErrorText() [CU-4] prefers error, detail, result", () => {
  assert.equal(cursorErrorText({ error: "a", detail: "b", result: "c" }), "a");
  assert.equal(cursorErrorText({ error: "", detail: "b", result: "c" }), "b");
  assert.equal(cursorErrorText({ result: "c" }), "c");
  assert.equal(cursorErrorText({}), "");
  assert.equal(cursorErrorText({ error: { message: "m" } }), "m");
});

const U = (inputTokens: number, outputTokens: number, cacheReadTokens: number, cacheWriteTokens: number) => ({
  inputTokens,
  outputTokens,
  cacheReadTokens,
  cacheWriteTokens,
});

Deno.test("cursor state [CU-5] [CU-6] reads every shape of usage under the right model", () => {
  const usage = (event: object, model = "") => {
    const { state } = cursor(model);
    state.take({ type: "result", ...event });
    return state.usage;
  };
  assert.deepEqual(
    usage({
      usage: { input_tokens: 1, output_tokens: 2, cached_input_tokens: 3, cache_creation_input_tokens: 4 },
    }),
    { cursor: U(1, 2, 3, 4) },
  );
  assert.deepEqual(
    usage(
      { usage: { inputTokens: 26640, outputTokens: 40, cacheReadTokens: 467, cacheWriteTokens: 12 } },
      " conf ",
    ),
    { conf: U(26640, 40, 467, 12) },
  );
  assert.deepEqual(usage({ model: "ev", inputTokens: 5, usage: { inputTokens: 9 } }, "conf"), {
    ev: U(5, 0, 0, 0),
  });
  assert.deepEqual(usage({}), {});
});

Deno.test("cursor state [CU-7] counts steps only when the result counted nothing", () => {
  const step = (input: number, output: number, read: number, model = "") => ({
    type: "step_finish",
    model,
    part: { tokens: { input, output, cache: { read } } },
  });
  const { state } = cursor();
  state.take({ type: "assistant", message: { content: [], usage: { input_tokens: 99 } } });
  state.take(step(300, 100, 50));
  state.take(step(200, 80, 30));
  state.take({ type: "result" });
  assert.deepEqual(state.usage, { cursor: U(500, 180, 80, 0) });
  const counted = cursor().state;
  counted.take(step(300, 100, 50, "a"));
  counted.take(step(1, 1, 1, "b"));
  counted.take({ type: "result", usage: { inputTokens: 1, outputTokens: 1 } });
  assert.deepEqual(counted.usage, { cursor: U(1, 1, 0, 0) });
  const zero = cursor().state;
  zero.take(step(300, 100, 50));
  zero.take({ type: "result", usage: {} });
  assert.deepEqual(zero.usage, {});
});

Deno.test("cursor state [N-22] [N-24] answers with what came after the last tool, and picks the tool by name", () => {
  const { state, events } = cursor();
  const text = (said: string) =>
    state.take({ type: "assistant", message: { content: [{ type: "text", text: said }] } });
  text("Looking.");
  state.take({
    type: "tool_call",
    subtype: "started",
    call_id: "a\nb",
    tool_call: { zToolCall: {}, aToolCall: { args: { q: 1 } } },
  });
  state.take({
    type: "tool_call",
    subtype: "completed",
    call_id: "a\nb",
    tool_call: { aToolCall: { result: { ok: 1 } } },
  });
  assert.deepEqual(events.slice(1), [
    { type: "tool_use", tool: "a", callId: "a", input: { q: 1 } },
    { type: "tool_result", tool: "a", callId: "a", output: '{"ok":1}' },
  ]);
  text("Done.");
  state.take({ type: "result", result: "Looking.Done." });
  assert.equal(state.output, "Done.");
  assert.equal(state.take({ type: "thinking", subtype: "mystery" }), false);
  assert.equal(state.take({ type: "user" }), true);
  const quiet = cursor();
  quiet.state.take({ type: "result", result: "Only here" });
  assert.deepEqual(quiet.events, [{ type: "text", text: "Only here" }]);
  assert.equal(quiet.state.output, "Only here");
});

async function run(body: string, more: Partial<RunRequest> = {}) {
  const dir = await Deno.makeTempDir();
  const cli = await script(`${dir}/cursor-agent`, `#!/bin/sh\n${body}\n`);
  const asked = agentRequest(cli, dir, { provider: "cursor", ...more });
  const started = await startAgent(cursorDriver, asked);
  return {
    ...started,
    dir,
    marker: asked.marker,
    done: async () => {
      const result = await started.run.result;
      const report = await started.run.ended;
      assert.ok(report.empty && !markerAlive(asked.marker));
      return result;
    },
    dispose: () => Deno.remove(dir, { recursive: true }),
  };
}

for (
  const [kind, event, status] of [["success", '"subtype":"success","result":"ok"', "completed"], [
    "error",
    '"is_error":true,"error":"bad"',
    "failed",
  ]] as const
) {
  Deno.test(`cursor driver [CU-8] ends at a ${kind} result although the child sleeps on`, async () => {
    const it = await run(`cat >/dev/null; echo '{"type":"result",${event},"session_id":"s1"}'; sleep 60`);
    try {
      const result = await it.run.result;
      assert.equal(result.status, status);
      assert.equal(result.sessionId, "s1");
      await it.done();
    } finally {
      await it.dispose();
    }
  });
}

Deno.test("cursor driver [N-20] hands a large prompt over byte for byte while the child talks", async () => {
  const prompt = `"quotes" 'and'\nnewlines ✓ ${"x".repeat(2_000_000)}`;
  const noise =
    `i=0; while [ $i -lt 2000 ]; do echo '{"type":"assistant","message":{"content":[]}}'; i=$((i+1)); done`;
  const it = await run(`${noise}; cat >prompt; echo '{"type":"result","result":"ok"}'`, { prompt });
  try {
    assert.equal((await it.done()).status, "completed");
    assert.equal(await Deno.readTextFile(`${it.dir}/prompt`), prompt);
  } finally {
    await it.dispose();
  }
});

Deno.test("cursor driver [N-20] cancel frees a writer nobody reads from", async () => {
  const it = await run(`echo '{"type":"system","subtype":"init"}'; sleep 60`, {
    prompt: "x".repeat(1_000_000),
  });
  try {
    await it.event((event) => event.type === "activity");
    it.abort();
    const result = await it.done();
    assert.equal(result.status, "aborted");
    assert.equal(result.error, "execution cancelled");
  } finally {
    await it.dispose();
  }
});

Deno.test("cursor driver [N-23] fails without a result, and says what it knew", async () => {
  const clean = await run(
    `cat >/dev/null; echo '{"type":"assistant","message":{"content":[{"type":"text","text":"x"}]}}'`,
  );
  const cut = await run(`cat >/dev/null; printf '{"type":"result","resu'`);
  const told = await run(
    `cat >/dev/null; echo '{"type":"error","error":"no model"}'; echo 'token=abc' >&2; exit 4`,
  );
  try {
    const ended = await clean.done();
    assert.match(
      ended.error,
      /^cursor-agent stream ended without terminal result \(result_seen=false, exit_code=0, /,
    );
    assert.equal(ended.output, "");
    assert.match((await cut.done()).error, /invalid_event_count=1/);
    assert.match(
      (await told.done()).error,
      /^no model \(.*exit_code=4.*; cursor stderr: token=\[REDACTED\]$/,
    );
  } finally {
    for (const it of [clean, cut, told]) await it.dispose();
  }
});
