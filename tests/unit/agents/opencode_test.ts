import assert from "node:assert/strict";
import { openCodeArgs, openCodeDriver, openCodeEnv } from "../../../lib/agents/opencode.ts";
import { openCodeMcp } from "../../../lib/agents/opencode_mcp.ts";
import { OpenCodeState } from "../../../lib/agents/opencode_state.ts";
import { type AgentEvent, classifyFailure, type RunRequest } from "../../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";
import { markerAlive } from "../../helpers/process_control.ts";

function opencode(model = "p/m") {
  const events: AgentEvent[] = [];
  const state = new OpenCodeState((event) => void (event.type === "activity" || events.push(event)), model);
  const say = (type: string, part: object = {}, more: object = {}) => state.take({ type, part, ...more });
  return { state, events, say };
}

const request = (more: Partial<RunRequest> = {}) =>
  agentRequest("/x", "/w", { provider: "opencode", ...more });

Deno.test("opencode state [OC-1] [OC-10] reads text and session", () => {
  const { state, events, say } = opencode();
  say("text", { text: "ok" }, { sessionID: "ses_1" });
  say("text", { text: "" });
  assert.deepEqual(events, [{ type: "session", sessionId: "ses_1" }, { type: "text", text: "ok" }]);
  assert.equal(state.output, "ok");
  assert.equal(state.sessionId, "ses_1");
});

Deno.test("opencode state [OC-2] [OC-3] [OC-4] reads tools, failed ones included", () => {
  const { events, say } = opencode();
  const tool = (callID: string, state?: object) =>
    say("tool_use", { tool: "bash", callID, ...(state ? { state } : {}) });
  tool("c1", { status: "completed", input: { command: "pwd" }, output: "/w" });
  tool("c2", { status: "pending", input: {} });
  tool("c3", { status: "completed", output: { a: [1] } });
  tool("c4");
  tool("c5", { status: "error", error: "no such file" });
  assert.deepEqual(events, [
    { type: "tool_use", tool: "bash", callId: "c1", input: { command: "pwd" } },
    { type: "tool_result", tool: "bash", callId: "c1", output: "/w" },
    { type: "tool_use", tool: "bash", callId: "c2", input: {} },
    { type: "tool_use", tool: "bash", callId: "c3" },
    { type: "tool_result", tool: "bash", callId: "c3", output: '{"a":[1]}' },
    { type: "tool_use", tool: "bash", callId: "c4" },
    { type: "tool_use", tool: "bash", callId: "c5" },
    { type: "tool_result", tool: "bash", callId: "c5", output: "no such file" },
  ]);
});

Deno.test("opencode state [OC-5] words every shape of error", () => {
  const error = (value?: object) => {
    const { state } = opencode();
    state.take({ type: "error", ...(value === undefined ? {} : { error: value }) });
    return state.error;
  };
  assert.equal(error({ name: "UnknownError", data: { message: "model not found" } }), "model not found");
  assert.equal(error({ name: "UnknownError" }), "UnknownError");
  assert.equal(error(), "unknown opencode error");
  assert.equal(error({ data: { message: "it broke", statusCode: 503 } }), "it broke (HTTP 503)");
});

Deno.test("opencode state [OC-6] [OC-7] sums the usage of all steps", () => {
  const { state, say } = opencode("");
  const finish = (input: number, reason: string) =>
    say("step_finish", { reason, cost: 0.01, tokens: { input, output: 2, cache: { read: 1, write: 3 } } });
  say("step_start");
  finish(5, "tool-calls");
  say("step_start");
  say("text", { text: "done" });
  finish(7, "stop");
  assert.deepEqual(state.usage, {
    unknown: { inputTokens: 12, outputTokens: 4, cacheReadTokens: 2, cacheWriteTokens: 6 },
  });
  assert.equal(state.costUsd, 0.02);
  assert.equal(say("brand-new"), false);
});

/** Steps in short: `(` start, `)` stop, `+` continue, `.` finish without reason, `t` text, `T` tool, `R` remote tool, `u` usage. */
function guardOf(story: string): string {
  const { state, say } = opencode();
  for (const char of story) {
    if (char === "(") say("step_start");
    if (char === "t") say("text", { text: "x" });
    if (char === "T") {
      say("tool_use", { tool: "b", callID: crypto.randomUUID(), state: { status: "completed" } });
    }
    if (char === "E") {
      say("tool_use", { tool: "b", callID: crypto.randomUUID(), state: { status: "error", error: "e" } });
    }
    if (char === "R") {
      say("tool_use", { tool: "b", callID: crypto.randomUUID(), metadata: { providerExecuted: true } });
    }
    const reason = { ")": "stop", "+": "tool-calls", ".": undefined, "u": "stop" }[char];
    if (")+.u".includes(char)) {
      say("step_finish", { reason, ...(char === "u" ? { tokens: { reasoning: 1 } } : {}) });
    }
  }
  return state.guard;
}

Deno.test("opencode state [OC-guard] knows a stream that was cut short", () => {
  const open = "opencode stream ended without a terminal signal (step still open at EOF)";
  const cont =
    "opencode stream ended without a terminal signal (last step required a continuation that never started)";
  const empty =
    "opencode stream ended on an empty step (no text, no tool call, no reported usage) — the provider produced nothing";
  for (
    const [story, guard] of [
      ["(t", open],
      ["(T", open],
      ["(t)", ""],
      ["(T+(t)", ""],
      ["(T+", cont],
      ["(tT)", cont],
      ["(T)(t)", ""],
      ["(R)", ""],
      ["(tT.", ""],
      ["(E+(t)", ""],
      ["(t)()", empty],
      ["()(t)", ""],
      ["(R)", ""],
      ["(u", ""],
      ["(", open],
      ["", ""],
    ] as const
  ) assert.equal(guardOf(story), guard, story);
  for (const text of [open, cont, empty]) assert.equal(classifyFailure(text), "agent_error.provider_network");
});

Deno.test("opencode state answers with the last step's words, not with its narration", () => {
  const { state, say } = opencode();
  say("step_start");
  say("text", { text: "I look." });
  say("tool_use", { tool: "b", callID: "c", state: { status: "completed" } });
  say("step_finish", { reason: "tool-calls" });
  say("step_start");
  say("text", { text: "Found " });
  say("text", { text: "it." });
  say("step_finish", { reason: "stop" });
  assert.equal(state.output, "Found it.");
});

Deno.test("openCodeArgs() [OC-15] [OC-16] [OC-18] [OC-19] keeps its own flags", () => {
  assert.deepEqual(openCodeArgs(request({ systemPrompt: "S", prompt: "hi" })), [
    "run",
    "--format",
    "json",
    "--dangerously-skip-permissions",
    "--dir",
    "/w",
  ]);
  const args = openCodeArgs(request({
    model: "opencode/deepseek-v4",
    thinkingLevel: "max",
    resumeSessionId: "ses_1",
    customArgs: ["--variant", "low", "--dir", "/evil", "--agent", "build"],
  }));
  assert.deepEqual(args.slice(6), [
    "--model",
    "opencode/deepseek-v4",
    "--variant",
    "max",
    "--session",
    "ses_1",
    "--agent",
    "build",
  ]);
});

Deno.test("openCodeEnv() [OC-17] [OC-mcp-15] [OC-mcp-16] [OC-mcp-17] sets PWD and MCP, never permissions", () => {
  const env = { OPENCODE_PERMISSION: "{}", OPENCODE_CONFIG_CONTENT: "mine", A: "b" };
  assert.deepEqual(openCodeEnv({ env, cwd: "/w", mcpConfig: undefined }), {
    A: "b",
    PWD: "/w",
    OPENCODE_CONFIG_CONTENT: "mine",
  });
  const managed = openCodeEnv({ env, cwd: "/w", mcpConfig: { mcpServers: { a: { url: "http://x" } } } });
  assert.equal(managed.OPENCODE_CONFIG_CONTENT, '{"mcp":{"a":{"type":"remote","url":"http://x"}}}');
  assert.ok(!("OPENCODE_CONFIG_CONTENT" in openCodeEnv({ env: {}, cwd: "/w", mcpConfig: {} })));
});

const mcp = (config: Record<string, unknown>) => {
  const text = openCodeMcp(config);
  return text === "" ? undefined : JSON.parse(text).mcp;
};
const OAUTH = { clientId: "i", clientSecret: "s", scope: "a b", callbackPort: 8080, redirectUri: "http://r" };

Deno.test("openCodeMcp() [OC-mcp-1] [OC-mcp-2] [OC-mcp-3] [OC-mcp-4] [OC-mcp-5] [OC-mcp-14] translates and passes through", () => {
  assert.equal(openCodeMcp(undefined), "");
  assert.equal(openCodeMcp({}), "");
  assert.equal(openCodeMcp({ mcpServers: {} }), "");
  assert.deepEqual(mcp({ mcpServers: { a: { url: "http://x", headers: { A: "b" }, command: "no" } } }), {
    a: { type: "remote", url: "http://x", headers: { A: "b" } },
  });
  assert.deepEqual(
    mcp({
      mcpServers: {
        a: { command: "node", args: ["server.js"], env: { K: "v" } },
        b: { command: ["x", "y"], args: "ignored" },
      },
    }),
    {
      a: { type: "local", command: ["node", "server.js"], environment: { K: "v" } },
      b: { type: "local", command: ["x", "y"] },
    },
  );
  const native = {
    off: { type: "remote", url: "http://x", enabled: false },
    full: { type: "local", command: ["x"], environment: { A: "b" }, enabled: true, timeout: 5 },
    auth: { type: "remote", url: "http://x", oauth: OAUTH },
    plain: { type: "remote", url: "http://x", oauth: false },
    bare: { enabled: false },
  };
  assert.deepEqual(mcp({ mcp: native }), native);
  assert.deepEqual(
    mcp({ mcp: { a: { enabled: false } }, mcpServers: { a: { url: "u", oauth: OAUTH } } }).a.oauth,
    OAUTH,
  );
});

Deno.test("openCodeMcp() [OC-mcp-6] [OC-mcp-7] [OC-mcp-8] [OC-mcp-9] [OC-mcp-10] [OC-mcp-11] [OC-mcp-12] [OC-mcp-13] rejects what OpenCode would not take", () => {
  const local = { type: "local", command: ["x"] };
  const remote = { type: "remote", url: "u" };
  const natives: readonly (readonly [unknown, RegExp])[] = [
    [{ enabled: true, foo: 1 }, /missing required field `type`/],
    [{ command: ["x"] }, /missing required field `type`/],
    [{ type: "bogus" }, /invalid type "bogus" \(must be "local" or "remote"\)/],
    [{ type: "remote" }, /remote server missing required field `url`/],
    [{ type: "local" }, /local server missing required field `command`/],
    ["x", /entry must be a JSON object/],
    [7, /entry must be a JSON object/],
    [[], /entry must be a JSON object/],
    [null, /entry must be a JSON object/],
    [{ type: 42 }, /`type` must be a string, got number/],
    [{ ...local, command: "x" }, /`command`/],
    [{ ...local, command: ["node", 5] }, /`command`/],
    [{ ...local, environment: { A: 1 } }, /environment\.A/],
    [{ ...local, environment: [] }, /`environment` must be an object, got array/],
    [{ ...remote, headers: { A: 1 } }, /headers\.A/],
    [{ ...remote, headers: { A: true } }, /headers\.A/],
    [{ ...remote, oauth: true }, /`oauth`: must be an object or `false`, got true/],
    [{ ...remote, oauth: "x" }, /`oauth`: must be an object or `false`, got string/],
    [{ ...remote, oauth: { other: 1 } }, /unknown field `other`/],
    [{ ...remote, oauth: { callbackPort: 70000 } }, /`callbackPort` must be in 1\.\.65535, got 70000/],
    [{ ...remote, oauth: { callbackPort: -1 } }, /got -1/],
    [{ ...remote, oauth: { callbackPort: 0 } }, /got 0/],
    [{ ...local, timeout: 0 }, /`timeout` must be a positive integer, got 0/],
    [{ ...local, timeout: -1 }, /got -1/],
    [{ ...local, timeout: 60.5 }, /`timeout` must be an integer/],
    [{ ...local, timeout: "60" }, /`timeout` must be an integer, got string/],
    [{ ...local, foo: 1 }, /unknown field `foo`/],
    [{ ...local, url: "u" }, /unknown field `url`/],
    [{ ...remote, command: ["x"] }, /unknown field `command`/],
  ];
  for (const [entry, text] of natives) {
    assert.throws(() => openCodeMcp({ mcp: { X: entry } }), (error: Error) => {
      assert.match(error.message, /^opencode mcp_config: server "X": /);
      assert.match(error.message, text);
      return true;
    });
  }
  for (
    const [server, text] of [
      [{ args: [] }, 'server "X" has neither url nor command'],
      [{ command: ["a", 1] }, 'server "X": command array must contain only strings'],
      [{ command: 5 }, 'server "X": command must be a string or string array'],
      [{ command: "a", args: "b" }, 'server "X": args must be an array'],
      [{ command: "a", args: [1] }, 'server "X": args must contain only strings'],
    ] as const
  ) assert.throws(() => openCodeMcp({ mcpServers: { X: server } }), { message: text });
  assert.throws(() => openCodeMcp({ mcpServers: [] }), /opencode mcp_config: parse mcp_config/);
});

async function run(body: string, more: Partial<RunRequest> = {}) {
  const dir = await Deno.makeTempDir();
  const cli = await script(`${dir}/opencode`, `#!/bin/sh\n${body}\n`);
  const asked = agentRequest(cli, dir, { provider: "opencode", ...more });
  const started = await startAgent(openCodeDriver, asked);
  return {
    ...started,
    dir,
    done: async () => {
      const result = await started.run.result;
      const report = await started.run.ended;
      assert.ok(report.empty && !markerAlive(asked.marker));
      await Deno.remove(dir, { recursive: true });
      return result;
    },
  };
}

const step = (text: string) =>
  `echo '{"type":"step_start","sessionID":"s"}'; echo '{"type":"text","part":{"text":"${text}"}}'; ` +
  `echo '{"type":"step_finish","part":{"reason":"stop","tokens":{"input":1,"output":1}}}'`;

Deno.test("opencode driver [OC-8] [OC-9] [OC-12] fails for good on an error event, and skips noise", async () => {
  const it = await run(
    `cat >/dev/null; echo; echo 'not json'; echo '{"type":"error","error":{"name":"Bad"}}'; ${step("x")}`,
  );
  const result = await it.done();
  assert.equal(result.status, "failed");
  assert.equal(result.error, "Bad");
  assert.equal(result.sessionId, "s");
});

Deno.test("opencode driver [OC-stdin] gives the prompt on stdin to its end, and the work directory as PWD", async () => {
  const prompt = "p".repeat(100_000) + "\n“end”";
  const it = await run(`cat >prompt; printf %s "$PWD" >pwd; printf %s "$*" >args; ${step("x")}`, { prompt });
  const result = await it.run.result;
  assert.equal(result.status, "completed", result.error);
  assert.equal(await Deno.readTextFile(`${it.dir}/prompt`), prompt);
  assert.equal(await Deno.readTextFile(`${it.dir}/pwd`), it.dir);
  assert.ok(!(await Deno.readTextFile(`${it.dir}/args`)).includes("ppp"));
  await it.done();
});

Deno.test("opencode driver [OC-epipe] minds a broken prompt pipe only while no step has finished", async () => {
  const prompt = "p".repeat(1_000_000);
  const good = await (await run(`exec 0<&-; ${step("x")}`, { prompt })).done();
  assert.equal(good.status, "completed", good.error);
  const bad = await (await run(`exec 0<&-; echo '{"type":"step_start"}'`, { prompt })).done();
  assert.equal(bad.status, "failed");
  assert.match(bad.error, /^opencode (prompt write failed: |stream ended without a terminal signal)/);
});

Deno.test("opencode driver [OC-exit] adds the exit to a stream that was cut short", async () => {
  const result = await (await run(`cat >/dev/null; echo '{"type":"step_start"}'; exit 1`)).done();
  assert.equal(
    result.error,
    "opencode stream ended without a terminal signal (step still open at EOF); opencode exited with error: exit status 1",
  );
});

Deno.test("opencode driver [OC-cancel] ends the whole group when cancelled, by KILL if need be", async () => {
  for (const trap of ["", "trap '' TERM;"]) {
    const it = await run(
      `${trap} cat >/dev/null; echo '{"type":"step_start","sessionID":"s"}'; (sleep 60) & sleep 60`,
    );
    await it.event((event) => event.type === "session");
    it.abort();
    const result = await it.done();
    assert.equal(result.status, "aborted");
    assert.equal(result.sessionId, "s");
  }
});

Deno.test("opencode driver [OC-11] keeps what was said when the stream breaks off", async () => {
  const it = await run(
    `cat >/dev/null; ${step("so far")}; echo '{"type":"step_start"}'; printf '{"type":"te'`,
  );
  const result = await it.done();
  assert.equal(result.status, "failed");
  assert.equal(result.output, "so far");
  assert.ok(it.events.some((event) => event.type === "text" && event.text === "so far"));
});
