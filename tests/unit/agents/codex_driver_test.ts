import assert from "node:assert/strict";
import { codexDriver } from "../../../lib/agents/codex.ts";
import type { RunRequest } from "../../../lib/agents/mod.ts";
import { LaunchError } from "../../../lib/core/mod.ts";
import { agentRequest, script, startAgent, type Started } from "../../helpers/agent_run.ts";
import type { FakeScript, FakeStep } from "../../helpers/fake_codex.ts";
import { markerAlive } from "../../helpers/process_control.ts";

interface Message {
  readonly method?: string;
  readonly id?: unknown;
  // deno-lint-ignore no-explicit-any
  readonly params?: any;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

interface Fake {
  readonly dir: string;
  readonly executable: string;
  readonly launches: () => number;
  readonly args: (launch?: number) => string[];
  readonly received: (
    launch?: number,
  ) => Message[];
}

/** Writes a fake Codex that plays one script per launch; the last one repeats. */
async function fakeCodex(dir: string, ...scripts: FakeScript[]): Promise<Fake> {
  const source = new URL("../../helpers/fake_codex.ts", import.meta.url).pathname;
  await Deno.writeTextFile(`${dir}/script.json`, JSON.stringify(scripts));
  const executable = await script(
    `${dir}/codex`,
    `#!/bin/sh\nexec "${Deno.execPath()}" run --quiet --no-lock -A "${source}" "${dir}" "$@"\n`,
  );
  const lines = (name: string) => Deno.readTextFileSync(`${dir}/${name}`).trim().split("\n");
  return {
    dir,
    executable,
    launches: () => Number(Deno.readTextFileSync(`${dir}/launches`)),
    args: (launch = 1) => JSON.parse(Deno.readTextFileSync(`${dir}/args-${launch}`)),
    received: (launch = 1) => lines(`received-${launch}`).map((line) => JSON.parse(line)),
  };
}

async function withFake(
  scripts: FakeScript[],
  more: Partial<RunRequest>,
  check: (started: Started, fake: Fake) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const fake = await fakeCodex(dir, ...scripts);
    const request = agentRequest(fake.executable, dir, {
      provider: "codex",
      ...more,
      env: { DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`, ...more.env },
    });
    const started = await startAgent(codexDriver, request);
    await check(started, fake);
    const report = await started.run.ended;
    assert.ok(report.empty, "tree is empty");
    assert.ok(!markerAlive(request.marker), "no process with the marker");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const threadId = "th1";
const turn = (status: string, more: object = {}): FakeStep => ({
  notify: ["turn/completed", { threadId, turn: { id: "tu1", status, ...more } }],
});
const item = (when: "started" | "completed", fields: object): FakeStep => ({
  notify: [`item/${when}`, { threadId, turnId: "tu1", item: fields }],
});
const startTurn: FakeStep[] = [
  { reply: { turn: { id: "tu1" } } },
  { notify: ["turn/started", { threadId, turn: { id: "tu1" } }] },
];
const finalText = item("completed", {
  type: "agentMessage",
  id: "m1",
  text: "All good",
  phase: "final_answer",
});

Deno.test("codex driver [CX-14] [CX-7] runs a turn and tells the order of things", async () => {
  const steps = [
    ...startTurn,
    item("completed", { type: "agentMessage", id: "m0", text: "I look.", phase: "commentary" }),
    item("started", { type: "commandExecution", id: "c1", command: "ls" }),
    item("completed", { type: "commandExecution", id: "c1", command: "ls", aggregatedOutput: "a\n" }),
    finalText,
    turn("completed", { usage: { input_tokens: 1000, cached_input_tokens: 300, output_tokens: 50 } }),
  ];
  await withFake(
    [{ "turn/start": steps }],
    { threadName: " A  title ", model: "gpt-x" },
    async (started, fake) => {
      const result = await started.run.result;
      assert.equal(result.status, "completed", result.error);
      assert.equal(result.output, "All good");
      assert.equal(result.sessionId, "th1");
      assert.deepEqual(result.usage, {
        "gpt-x": { inputTokens: 700, outputTokens: 50, cacheReadTokens: 300, cacheWriteTokens: 0 },
      });
      const said = started.events.filter((event) => event.type !== "activity").map((event) => event.type);
      assert.deepEqual(said.filter((type) => type !== "session"), [
        "text",
        "tool_use",
        "tool_result",
        "text",
      ]);
      const sent = fake.received();
      assert.deepEqual(sent.map((message) => message.method), [
        "initialize",
        "initialized",
        "thread/start",
        "thread/name/set",
        "turn/start",
      ]);
      assert.deepEqual(sent[0]?.params.clientInfo, {
        name: "multica-agent-sdk",
        title: "Multica Agent SDK",
        version: "0.2.0",
      });
      assert.equal(sent[2]?.params.persistExtendedHistory, true);
      assert.equal(sent[2]?.params.cwd, fake.dir);
      assert.equal(sent[2]?.params.developerInstructions, null);
      assert.ok(!("serviceTier" in sent[2]!.params));
      assert.deepEqual(sent[3]?.params, { threadId: "th1", name: "A  title" });
      assert.deepEqual(sent[4]?.params.input, [{ type: "text", text: "say pong" }]);
      assert.ok(!("effort" in sent[4]!.params));
      assert.deepEqual(fake.args(), ["app-server", "--listen", "stdio://"]);
      assert.ok(started.events.some((event) => event.type === "session" && event.sessionId === "th1"));
    },
  );
});

Deno.test("codex driver [CX-14] goes on when the title is refused, and carries effort and tier", async () => {
  const steps = [...startTurn, finalText, turn("completed")];
  await withFake(
    [{ "thread/name/set": [{ error: { code: 1, message: "no" } }], "turn/start": steps }],
    { threadName: "t", thinkingLevel: "high", serviceTier: "priority" },
    async (started, fake) => {
      assert.equal((await started.run.result).status, "completed");
      const sent = fake.received();
      assert.deepEqual(sent[2]?.params.config, { model_reasoning_effort: "high" });
      assert.equal(sent[2]?.params.serviceTier, "priority");
      assert.equal(sent[4]?.params.effort, "high");
      assert.equal(sent[4]?.params.serviceTier, "priority");
      assert.deepEqual(fake.args().slice(-2), ["--enable", "fast_mode"]);
    },
  );
});

Deno.test("codex driver [CX-15] resumes without a start", async () => {
  const steps: FakeStep[] = [
    { reply: { turn: { id: "tu2" } } },
    { notify: ["turn/completed", { threadId: "th0", turn: { id: "tu-old", status: "completed" } }] },
    { notify: ["turn/started", { threadId: "th0", turn: { id: "tu2" } }] },
    {
      notify: ["item/completed", {
        threadId: "th0",
        turnId: "tu-old",
        item: { type: "agentMessage", text: "old" },
      }],
    },
    { notify: ["item/completed", { threadId: "th0", item: { type: "agentMessage", id: "x", text: "new" } }] },
    { notify: ["turn/completed", { threadId: "th0", turn: { id: "tu2", status: "completed" } }] },
  ];
  const replay: FakeStep = {
    notify: ["turn/completed", { threadId: "th0", turn: { id: "tu-old", status: "completed" } }],
  };
  await withFake(
    [{
      "thread/resume": [replay, { reply: { thread: { id: "th0" } } }],
      "turn/start": [steps[0]!, ...steps.slice(2)],
    }],
    { resumeSessionId: "th0", continuityNotice: "NOTICE", threadName: "t" },
    async (started, fake) => {
      const result = await started.run.result;
      assert.equal(result.status, "completed", result.error);
      assert.equal(result.output, "new");
      assert.equal(result.sessionId, "th0");
      assert.deepEqual(fake.received().map((message) => message.method), [
        "initialize",
        "initialized",
        "thread/resume",
        "turn/start",
      ]);
      assert.equal(fake.received()[3]?.params.input[0].text, "say pong");
    },
  );
});

Deno.test("codex driver [CX-15] starts fresh, with the notice, when the thread is refused or has no id", async () => {
  for (
    const answer of [{ error: { code: -32600, message: "no rollout found" } }, { reply: { thread: {} } }]
  ) {
    await withFake(
      [{ "thread/resume": [answer], "turn/start": [...startTurn, finalText, turn("completed")] }],
      { resumeSessionId: "gone", continuityNotice: "NOTICE" },
      async (started, fake) => {
        const result = await started.run.result;
        assert.equal(result.status, "completed", result.error);
        assert.equal(result.sessionId, "th1");
        assert.equal(fake.received()[4]?.params.input[0].text, "NOTICE\n\nsay pong");
      },
    );
  }
});

Deno.test("codex driver [CX-15] starts fresh at once when the thread has no rollout in the task's home", async () => {
  const home = await Deno.makeTempDir();
  await Deno.mkdir(`${home}/sessions/2026/01/01`, { recursive: true });
  const path = `${home}/sessions/2026/01/01/rollout-2026-01-01T00-00-00-th1.jsonl`;
  try {
    const steps = [{ write: [path, "{}\n"] } as FakeStep, ...startTurn, finalText, turn("completed")];
    await withFake(
      [{ "turn/start": steps }],
      { resumeSessionId: "gone", env: { CODEX_HOME: home } },
      async (started, fake) => {
        const result = await started.run.result;
        assert.equal(result.sessionId, "th1");
        assert.ok(!fake.received().some((message) => message.method === "thread/resume"));
      },
    );
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("codex driver [CX-15] fails without a fresh start when the process dies while resuming", async () => {
  await withFake([{ "thread/resume": [{ exit: 0 }] }], { resumeSessionId: "th0" }, async (started, fake) => {
    const result = await started.run.result;
    assert.equal(result.status, "failed");
    assert.equal(result.error, "codex thread/resume failed: codex process exited");
    assert.equal(result.resumeRejected, false);
    assert.ok(!fake.received().some((message) => message.method === "thread/start"));
  });
});

Deno.test("codex driver [CX-15] [N-17] says which start failed, without stderr", async () => {
  await withFake(
    [{ "thread/start": [{ stderr: "SECRET=1\n" }, { error: { code: 7, message: "nope" } }] }],
    {},
    async (started) => {
      const result = await started.run.result;
      assert.equal(result.error, "codex thread/start failed: thread/start: nope (code=7)");
      assert.equal(result.sessionId, "");
    },
  );
});

Deno.test("codex driver [CX-18] reports an exit before the handshake with its stderr", async () => {
  await withFake([{ start: [{ stderr: "boom: token=abc\n" }, { exit: 3 }] }], {}, async (started) => {
    const result = await started.run.result;
    assert.equal(result.status, "failed");
    assert.match(
      result.error,
      /^codex initialize failed: codex process exited; codex stderr: boom: token=\[REDACTED\]/,
    );
  });
});

Deno.test("codex driver [CX-19] [CX-29] times out a turn that stalls after a tool result", async () => {
  const steps = [
    ...startTurn,
    item("started", { type: "commandExecution", id: "c1", command: "ls" }),
    item("completed", { type: "commandExecution", id: "c1", aggregatedOutput: "" }),
  ];
  await withFake([{ "turn/start": steps }], { semanticInactivityMs: 400 }, async (started) => {
    const result = await started.run.result;
    assert.equal(result.status, "timeout");
    assert.match(
      result.error,
      /^codex semantic inactivity timeout after 400ms without agent progress \(last activity: tool-result:exec_command; /,
    );
    assert.equal(result.sessionId, "th1");
    const rows = started.events.filter((event) => event.type === "tool_use" || event.type === "tool_result");
    assert.equal(rows.length, 2);
  });
});

Deno.test("codex driver [CX-20] [CX-22] times out a turn without any progress, and says why", async () => {
  const retrying: FakeStep = {
    notify: ["error", { threadId, willRetry: true, error: { message: "again" } }],
  };
  const stderr = "failed to refresh available models: timeout waiting for child process to exit\n";
  const steps = [{ stderr } as FakeStep, ...startTurn, retrying];
  await withFake([{ "turn/start": steps }], {
    semanticInactivityMs: 5_000,
    firstTurnMs: 300,
    cliVersion: "codex-cli 0.169.0",
  }, async (started, fake) => {
    const result = await started.run.result;
    assert.equal(result.status, "timeout");
    assert.match(
      result.error,
      /^codex app-server no progress timeout after 300ms: received turn start but no item/,
    );
    assert.match(
      result.error,
      /\(codex_version="codex-cli 0\.169\.0" thread_id="th1" turn_id="tu1" model="default\(empty\)"\)/,
    );
    assert.match(result.error, /; diagnosis: .*model catalog.*; codex stderr: failed to refresh/);
    assert.equal(result.sessionId, "th1");
    assert.equal(fake.launches(), 2, "a catalog failure is tried once more");
  });
});

Deno.test("codex driver retries a catalog failure on a fresh thread and never pins the dead one", async () => {
  const stalled = [{ stderr: "failed to refresh available models\n" } as FakeStep, ...startTurn];
  const good = [
    { reply: { turn: { id: "tu9" } } } as FakeStep,
    { notify: ["turn/started", { threadId: "th9", turn: { id: "tu9" } }] } as FakeStep,
    {
      notify: ["item/completed", { threadId: "th9", item: { type: "agentMessage", text: "ok" } }],
    } as FakeStep,
    { notify: ["turn/completed", { threadId: "th9", turn: { id: "tu9", status: "completed" } }] } as FakeStep,
  ];
  await withFake(
    [{ "turn/start": stalled }, {
      "thread/start": [{ reply: { thread: { id: "th9" } } }],
      "turn/start": good,
    }],
    { firstTurnMs: 200 },
    async (started) => {
      const result = await started.run.result;
      assert.equal(result.status, "completed", result.error);
      assert.equal(result.sessionId, "th9");
      // A turn that is over before its thread's file was looked for is not pinned: its result names the thread.
      const pinned = started.events.flatMap((event) => event.type === "session" ? [event.sessionId] : []);
      assert.deepEqual(pinned.filter((id) => id !== "th9"), []);
    },
  );
});

Deno.test("codex driver [CX-21] fails at once when the process exits in a running turn", async () => {
  const steps = [...startTurn, { stderr: "segfault\n" } as FakeStep, { exit: 1 } as FakeStep];
  await withFake([{ "turn/start": steps }], {}, async (started) => {
    const result = await started.run.result;
    assert.equal(result.status, "failed");
    assert.equal(result.error, "codex process exited; codex stderr: segfault");
    assert.equal(result.sessionId, "th1");
  });
});

Deno.test("codex driver [CX-21] lets the deadline win over the exit it causes", async () => {
  await withFake([{ "turn/interrupt": [{ exit: 0 }] }], { timeoutMs: 1_500 }, async (started) => {
    const result = await started.run.result;
    assert.equal(result.status, "timeout");
    assert.equal(result.error, "codex timed out after 1.5s");
  });
});

Deno.test("codex driver [CX-13] interrupts the turn when cancelled, and keeps the thread", async () => {
  await withFake(
    [{ "turn/start": [...startTurn, item("started", { type: "commandExecution", id: "c", command: "x" })] }],
    {},
    async (started, fake) => {
      await started.event((event) => event.type === "tool_use");
      started.abort();
      const result = await started.run.result;
      assert.equal(result.status, "aborted");
      assert.equal(result.error, "execution cancelled");
      assert.equal(result.sessionId, "th1");
      assert.ok(fake.received().some((message) => message.method === "turn/interrupt"));
    },
  );
});

Deno.test("codex driver [CX-2] [CX-3] [CX-4] answers requests, and fails the turn it cannot serve", async () => {
  const permissions = { network: { enabled: true }, fileSystem: { read: ["/"] }, gpu: true, camera: null };
  const steps: FakeStep[] = [
    ...startTurn,
    { ask: [0, "item/commandExecution/requestApproval", {}] },
    { ask: ["a", "applyPatchApproval", {}] },
    { ask: [2, "item/permissions/requestApproval", { permissions }] },
    { ask: [3, "item/permissions/requestApproval", { permissions: 7 }] },
    { ask: [4, "mcpServer/elicitation/request", {}] },
    { ask: [5, "item/tool/call", {}] },
    turn("interrupted"),
  ];
  await withFake([{ "turn/start": steps }], {}, async (started, fake) => {
    const result = await started.run.result;
    assert.equal(result.status, "aborted");
    assert.equal(result.error, "unsupported codex app-server request: item/tool/call");
    await started.run.ended;
    const answers = fake.received().filter((message) => message.method === undefined);
    assert.deepEqual(answers.map((answer) => answer.id), [0, "a", 2, 3, 4, 5]);
    assert.deepEqual(answers[0]?.result, { decision: "accept" });
    assert.deepEqual(answers[1]?.result, { decision: "approved" });
    assert.deepEqual(answers[2]?.result, {
      permissions: { network: { enabled: true }, fileSystem: { read: ["/"] } },
      scope: "turn",
    });
    assert.deepEqual(answers[3]?.result, { permissions: {}, scope: "turn" });
    assert.deepEqual(answers[4]?.result, { action: "accept", content: null, _meta: null });
    assert.equal(answers[5]?.error?.code, -32601);
    assert.ok(!("result" in answers[5]!));
  });
});

for (const method of ["initialize", "thread/start", "thread/resume", "thread/name/set", "turn/start"]) {
  Deno.test(`codex driver [N-14] [N-16] ends a silent ${method} within its limit, descendants included`, async () => {
    const silent: FakeStep[] = [{ child: "sleep 60" }];
    await withFake(
      [{ [method]: silent }],
      { handshakeMs: 600, threadName: "t", resumeSessionId: method === "thread/resume" ? "th0" : "" },
      async (started, fake) => {
        const result = await started.run.result;
        assert.equal(result.status, "failed");
        assert.ok(
          result.error.startsWith(
            `codex ${method} failed: codex app-server handshake timeout: ${method} did not respond after 600ms`,
          ),
          result.error,
        );
        assert.equal(fake.launches(), method === "initialize" ? 2 : 1);
      },
    );
  });
}

Deno.test("codex driver [N-15] retries a silent initialize once", async () => {
  const good = { "turn/start": [...startTurn, finalText, turn("completed")] };
  await withFake([{ initialize: [] }, good], { handshakeMs: 1_000 }, async (started, fake) => {
    const result = await started.run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal(fake.launches(), 2);
  });
});

Deno.test("codex driver [N-15] does not retry after activity", async () => {
  const busy: FakeStep[] = [{ notify: ["item/started", { item: { type: "reasoning" } }] }];
  // Items before the gate are no activity of the turn; a launch that talks must still answer in time.
  await withFake([{ "initialize": busy }], { handshakeMs: 500 }, async (started, fake) => {
    const result = await started.run.result;
    assert.match(result.error, /initialize did not respond/);
    assert.equal(fake.launches(), 1);
  });
});

Deno.test("codex driver [N-18] flags an over-long response only while resuming", async () => {
  for (const [method, rejected] of [["thread/resume", true], ["thread/start", false]] as const) {
    await withFake(
      [{ [method]: [{ bytes: 33 * 1024 * 1024 }] }],
      { resumeSessionId: rejected ? "th0" : "" },
      async (started) => {
        const result = await started.run.result;
        assert.equal(result.status, "failed");
        assert.equal(result.resumeRejected, rejected);
        assert.match(result.error, new RegExp(`codex ${method} failed: .*token too long`));
      },
    );
  }
});

Deno.test("codex driver [N-26] withholds the id of a thread that never reached the disk", async () => {
  const home = await Deno.makeTempDir();
  try {
    const steps = [...startTurn, finalText, turn("completed")];
    await withFake(
      [{
        "thread/start": [{ reply: { thread: { id: "th1", path: `${home}/sessions/rollout-x-th1.jsonl` } } }],
        "turn/start": steps,
      }],
      { env: { CODEX_HOME: home } },
      async (started) => {
        const result = await started.run.result;
        assert.equal(result.status, "completed");
        assert.equal(result.sessionId, "");
        assert.equal(result.sessionRolloutMissing, true);
        assert.ok(!started.events.some((event) => event.type === "session"));
      },
    );
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("codex driver [CX-7] reads usage from the thread's own rollout when nothing told it", async () => {
  const home = await Deno.makeTempDir();
  const path = `${home}/sessions/rollout-x-th1.jsonl`;
  await Deno.mkdir(`${home}/sessions`);
  const rollout = [
    { type: "turn_context", payload: { model: "m9" } },
    {
      type: "event_msg",
      payload: {
        type: "token_count",
        info: {
          total_token_usage: {
            input_tokens: 1000,
            cached_input_tokens: 300,
            output_tokens: 40,
            reasoning_output_tokens: 10,
          },
        },
      },
    },
  ].map((line) => JSON.stringify(line)).join("\n");
  try {
    const steps = [{ write: [path, rollout] } as FakeStep, ...startTurn, finalText, turn("completed")];
    await withFake([{ "turn/start": steps }], { env: { CODEX_HOME: home } }, async (started) => {
      const result = await started.run.result;
      assert.deepEqual(result.usage, {
        m9: { inputTokens: 700, outputTokens: 50, cacheReadTokens: 300, cacheWriteTokens: 0 },
      });
    });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("codex driver [CX-26] launches nothing when the managed MCP set cannot be written", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const fake = await fakeCodex(dir, {});
    const refused = async (more: Partial<RunRequest>, text: RegExp) => {
      const request = agentRequest(fake.executable, dir, { provider: "codex", ...more });
      await assert.rejects(startAgent(codexDriver, request), (error: unknown) => {
        assert.ok(error instanceof LaunchError);
        assert.match(error.message, text);
        return true;
      });
    };
    await refused({ mcpConfig: {} }, /mcp_config is set but CODEX_HOME env var is not configured/);
    const env = { CODEX_HOME: dir };
    await refused(
      { mcpConfig: { mcpServers: { "bad name": {} } }, env },
      /^apply codex mcp_config: server "bad name"/,
    );
    await refused({ mcpConfig: { mcpServers: { a: [] } }, env }, /server "a": entry must be a JSON object/);
    await Deno.symlink("/etc/hostname", `${dir}/config.toml`);
    await refused({ mcpConfig: {}, env }, /not a regular file/);
    assert.throws(() => fake.launches(), Deno.errors.NotFound);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("codex driver [CX-25] keeps a managed MCP set out of the arguments", async () => {
  const home = await Deno.makeTempDir();
  try {
    const mcpConfig = { mcpServers: { one: { command: "x", env: { KEY: "s3cret-value" } } } };
    await withFake([{ "turn/start": [...startTurn, finalText, turn("completed")] }], {
      mcpConfig,
      env: { CODEX_HOME: home },
      customArgs: ["-c", 'mcp_servers.evil.command="x"', "-c", 'model="o3"'],
    }, async (started, fake) => {
      await started.run.result;
      assert.deepEqual(fake.args(), ["app-server", "--listen", "stdio://", "-c", 'model="o3"']);
      const path = `${home}/config.toml`;
      assert.match(
        await Deno.readTextFile(path),
        /\[mcp_servers\.one\]\ncommand = "x"\nenv = \{ KEY = "s3cret-value" \}/,
      );
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
