import assert from "node:assert/strict";
import fc from "fast-check";
import { CodexSession, isTurnProgress, type TurnEnd } from "../../../lib/agents/codex_session.ts";
import type { AgentEvent } from "../../../lib/agents/mod.ts";

class Heard {
  readonly events: AgentEvent[] = [];
  readonly activities: string[] = [];
  readonly ends: TurnEnd[] = [];
  readonly session: CodexSession;

  constructor(threadId = "th1", open = true) {
    this.session = new CodexSession({
      emit: (event) => void (event.type === "activity" || this.events.push(event)),
      activity: (what) => void this.activities.push(what),
      turnEnded: (end) => void this.ends.push(end),
    });
    this.session.threadId = threadId;
    if (open) this.session.openGate();
  }

  raw(method: string, params: object = {}): this {
    this.session.notification(method, { threadId: "th1", ...params });
    return this;
  }

  started(id = "tu1"): this {
    return this.raw("turn/started", { turn: { id } });
  }

  legacy(type: string, fields: object = {}): this {
    this.session.notification("codex/event", { msg: { type, ...fields } });
    return this;
  }
}

Deno.test("codex session [CX-5] follows the legacy dialect", () => {
  const heard = new Heard().legacy("task_started").legacy("agent_message", { message: "hi" })
    .legacy("exec_command_begin", { call_id: "c", command: ["ls"] })
    .legacy("exec_command_end", { call_id: "c", output: "a\n" })
    .legacy("task_complete", { usage: { input_tokens: 3, output_tokens: 2 } });
  assert.deepEqual(heard.events, [
    { type: "text", text: "hi" },
    { type: "tool_use", tool: "exec_command", callId: "c", input: { command: ["ls"] } },
    { type: "tool_result", tool: "exec_command", callId: "c", output: "a\n" },
  ]);
  assert.deepEqual(heard.ends, [{ aborted: false, settled: true }]);
  assert.equal(heard.session.usage.usage.inputTokens, 3);
  assert.deepEqual(new Heard().legacy("turn_aborted").ends, [{ aborted: true, settled: true }]);
});

Deno.test("codex session [CX-5] shows legacy patches, sorted by path", () => {
  const heard = new Heard().legacy("patch_apply_begin", {
    call_id: "p",
    changes: {
      "b.ts": { update: { unified_diff: "@@\n+x\n\nMoved to: c.ts", move_path: "c.ts" } },
      "a.ts": { add: { content: "" } },
    },
  }).legacy("patch_apply_end", {
    call_id: "p",
    success: false,
    stdout: "",
    stderr: "no\n",
    changes: { "a.ts": {} },
  });
  assert.deepEqual(heard.events[0], {
    type: "tool_use",
    tool: "patch_apply",
    callId: "p",
    input: {
      changes: [
        { path: "a.ts", kind: "add", content: "" },
        { path: "b.ts", kind: "update", diff: "@@\n+x", move_path: "c.ts" },
      ],
    },
  });
  assert.deepEqual(heard.events[1], {
    type: "tool_result",
    tool: "patch_apply",
    callId: "p",
    output: "failed (1 file)\nno",
  });
});

Deno.test("codex session [CX-6] ends a turn once, by id", () => {
  const heard = new Heard().started();
  assert.equal(heard.session.turnId, "tu1");
  heard.raw("turn/completed", { turn: { id: "tu1", status: "completed" } })
    .raw("turn/completed", { turn: { id: "tu1", status: "completed" } });
  assert.deepEqual(heard.ends, [{ aborted: false, settled: true }]);
  for (const status of ["cancelled", "canceled", "aborted", "interrupted"]) {
    assert.equal(
      new Heard().started().raw("turn/completed", { turn: { id: "tu1", status } }).ends[0]?.aborted,
      true,
    );
  }
  const failed = new Heard().started().raw("turn/completed", {
    turn: { id: "tu1", status: "failed", error: { message: "why" } },
  });
  assert.equal(failed.session.turnError, "why");
  const bare = new Heard().started().raw("turn/completed", { turn: { id: "tu1", status: "failed" } });
  assert.equal(bare.session.turnError, "codex turn failed");
});

Deno.test("codex session [CX-8] tells a retrying error from a terminal one", () => {
  const retry = new Heard().started().raw("error", { willRetry: true, error: { message: "again" } });
  assert.equal(retry.session.turnError, "");
  assert.deepEqual(retry.ends, []);
  assert.equal(retry.activities.at(-1), "error:retry");
  const over = new Heard().started().raw("error", { error: { message: "gone" } });
  assert.equal(over.session.turnError, "gone");
  assert.deepEqual(over.ends, [{ aborted: false, settled: true }]);
  assert.equal(over.activities.at(-1), "error:terminal");
  assert.deepEqual(new Heard().started().raw("error", { error: {} }).ends, []);
});

Deno.test("codex session [CX-8] puts the structured cause into words that say nothing", () => {
  const error = { message: "It did not work.", codexErrorInfo: "contextWindowExceeded" };
  assert.equal(
    new Heard().started().raw("error", { error }).session.turnError,
    "It did not work. (context_length_exceeded)",
  );
  const said = { message: "429 rate limit", codexErrorInfo: "rateLimitExceeded" };
  assert.equal(new Heard().started().raw("error", { error: said }).session.turnError, "429 rate limit");
});

Deno.test("isTurnProgress() [CX-9] follows the table", () => {
  for (const what of ["", "status:running", "error:retry"]) assert.ok(!isTurnProgress(what), what);
  for (
    const what of [
      "error",
      "text",
      "tool-use:x",
      "tool-result:x",
      "item/started:reasoning",
      "error:terminal",
      "turn:completed",
    ]
  ) assert.ok(isTurnProgress(what), what);
});

Deno.test("codex session [CX-10] keeps the first error", () => {
  const heard = new Heard();
  heard.session.fail("");
  heard.session.fail("one");
  heard.session.fail("two");
  assert.equal(heard.session.turnError, "one");
});

Deno.test("codex session [CX-11] maps a command to one use and one result; final answer and idle hint at the end", () => {
  const command = { type: "commandExecution", id: "c1", command: "ls" };
  const heard = new Heard().started().raw("item/started", { item: command }).raw("item/started", {
    item: command,
  })
    .raw("item/completed", { item: { ...command, aggregatedOutput: "a" } });
  assert.deepEqual(heard.events.map((event) => event.type), ["tool_use", "tool_result"]);
  heard.raw("item/completed", {
    item: { type: "agentMessage", id: "m", text: "All good", phase: "final_answer" },
  });
  assert.deepEqual(heard.ends, [{ aborted: false, settled: false }]);
  assert.equal(heard.session.output, "All good");
  const idle = new Heard().raw("thread/started").raw("thread/status/changed", { status: { type: "idle" } });
  assert.deepEqual(idle.ends, []);
  idle.started().raw("thread/status/changed", { status: { type: "idle" } });
  assert.deepEqual(idle.ends, [{ aborted: false, settled: false }]);
});

Deno.test("codex session shows a call that was never announced, MCP calls without payload, and other tools", () => {
  const heard = new Heard().started()
    .raw("item/completed", {
      item: { type: "commandExecution", id: "c", command: "ls", aggregatedOutput: "" },
    })
    .raw("item/started", {
      item: { type: "mcpToolCall", id: "m", server: "s", tool: "look", arguments: { token: "x" } },
    })
    .raw("item/completed", {
      item: {
        type: "mcpToolCall",
        id: "m",
        server: "s",
        tool: "look",
        status: "failed",
        durationMs: 12,
        error: { message: "password=hunter2 no" },
      },
    })
    .raw("item/started", { item: { type: "webSearch", id: "w", query: "q" } });
  assert.deepEqual(heard.events.slice(0, 2).map((event) => event.type), ["tool_use", "tool_result"]);
  assert.deepEqual(heard.events[3], {
    type: "tool_result",
    tool: "look",
    callId: "m",
    output: "failed\nduration: 12 ms\nerror: password=[REDACTED] no",
  });
  assert.deepEqual(heard.events[4], {
    type: "tool_use",
    tool: "web_search",
    callId: "w",
    input: { query: "q" },
  });
});

Deno.test("codex session [CX-12] leaves a subagent's thread alone", () => {
  const heard = new Heard().started();
  heard.session.notification("turn/completed", { threadId: "sub", turn: { id: "x", status: "completed" } });
  heard.session.notification("item/completed", {
    threadId: "sub",
    item: { type: "agentMessage", text: "leak", phase: "final_answer" },
  });
  assert.deepEqual([heard.ends, heard.events], [[], []]);
  heard.raw("turn/completed", { turn: { id: "tu1", status: "completed" } });
  assert.equal(heard.ends.length, 1);
});

Deno.test("codex session [CX-16] ignores raw notifications once a legacy one came", () => {
  const heard = new Heard().legacy("task_started").raw("turn/completed", { turn: { id: "x" } })
    .raw("item/completed", { item: { type: "agentMessage", text: "no" } });
  assert.deepEqual([heard.ends, heard.events], [[], []]);
  assert.deepEqual(new Heard().raw("error", { error: { message: "early" } }).ends, [], "unknown dialect");
});

Deno.test("codex session [CX-22] [CX-23] counts legacy messages and item deltas as signs of life", () => {
  assert.ok(isTurnProgress(new Heard().legacy("agent_message", { message: "x" }).activities.at(-1)!));
  const heard = new Heard().started().raw("item/reasoning/summaryTextDelta", {
    itemId: "r",
    delta: "a",
    summaryIndex: 0,
  })
    .raw("item/mystery/progress");
  assert.deepEqual(heard.activities.slice(1), [
    "item/reasoning/summaryTextDelta:unknown",
    "thinking",
    "item/mystery/progress:unknown",
  ]);
});

Deno.test("codex session [CX-23] streams text and thought once, whatever the deltas were", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(fc.nat(20)), fc.boolean(), (text, cuts, complete) => {
      const heard = new Heard().started();
      const ends = [...new Set(cuts.map((cut) => cut % text.length))].sort((a, b) => a - b);
      let from = 0;
      for (const end of complete ? [...ends, text.length] : ends) {
        heard.raw("item/agentMessage/delta", { itemId: "m", delta: text.slice(from, end) });
        from = end;
      }
      heard.raw("item/completed", { item: { type: "agentMessage", id: "m", text } });
      const said = heard.events.map((event) => event.type === "text" ? event.text : "").join("");
      assert.equal(said, text);
      assert.equal(heard.session.output, text);
    }),
  );
  const thoughts = new Heard().started()
    .raw("item/reasoning/summaryTextDelta", { itemId: "r", delta: "a", summaryIndex: 0 })
    .raw("item/reasoning/summaryTextDelta", { itemId: "r", delta: "b", summaryIndex: 0 })
    .raw("item/completed", { item: { type: "reasoning", id: "r", summary: ["ab"] } })
    .raw("item/completed", { item: { type: "reasoning", id: "q", summary: ["c", "d"] } });
  assert.deepEqual(thoughts.events.map((event) => event.type === "thinking" ? event.text : ""), [
    "a",
    "b",
    "\n\nc\n\nd",
  ]);
});

Deno.test("codex session survives any notification", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(
      fc.constantFrom(
        "turn/started",
        "turn/completed",
        "item/started",
        "item/completed",
        "error",
        "codex/event",
        "thread/tokenUsage/updated",
        "x",
      ),
      fc.jsonValue(),
    )),
    (messages) => {
      const heard = new Heard();
      for (const [method, params] of messages) heard.session.notification(method, params);
    },
  ));
});
