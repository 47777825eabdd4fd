import assert from "node:assert/strict";
import { codexDriver } from "../../../lib/agents/codex.ts";
import { type AgentEvent, classifyFailure } from "../../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

const folder = new URL("../../fixtures/streams/codex/0.169.0/", import.meta.url);

/** Plays the server's lines, waiting for one of ours wherever the capture has one. */
const PLAYER = `#!/bin/sh
while IFS= read -r line <&3; do
  case "$line" in
    ">"*) IFS= read -r ours ;;
    *) printf '%s\\n' "\${line#< }" ;;
  esac
done 3<rpc
cat >/dev/null
`;

interface Played {
  readonly events: AgentEvent[];
  readonly result: Awaited<Awaited<ReturnType<typeof startAgent>>["run"]["result"]>;
}

async function play(name: string, resume = "", cancelOn?: AgentEvent["type"]): Promise<Played> {
  const dir = await Deno.makeTempDir();
  try {
    const text = (await Deno.readTextFile(new URL(`${name}.rpc`, folder)))
      .replaceAll("/home/agent/.codex", `${dir}/.codex`);
    await Deno.writeTextFile(`${dir}/rpc`, text);
    const rollout = /"path":"([^"]*rollout-[^"]*)"/.exec(text)?.[1];
    if (rollout !== undefined) {
      await Deno.mkdir(rollout.slice(0, rollout.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(rollout, "");
    }
    const cli = await script(`${dir}/codex`, PLAYER);
    const started = await startAgent(
      codexDriver,
      agentRequest(cli, dir, {
        provider: "codex",
        handshakeMs: name === "thread_gone" ? 1_000 : 30_000,
        resumeSessionId: resume,
        threadName: resume === "" ? "A title" : "",
      }),
    );
    if (cancelOn !== undefined) {
      await started.event((event) => event.type === cancelOn);
      started.abort();
    }
    const result = await started.run.result;
    await started.run.ended;
    return { events: started.events.filter((event) => event.type !== "activity"), result };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const THREAD = (await Deno.readTextFile(new URL("task.rpc", folder))).match(/"thread":\{"id":"([^"]*)"/)![1]!;

function shape(events: readonly AgentEvent[]): string[] {
  return events.filter((event) => event.type !== "session").map((event) =>
    event.type === "tool_use" || event.type === "tool_result"
      ? `${event.type} ${event.tool}`
      : "text" in event
      ? `${event.type} ${event.text}`
      : event.type
  );
}

Deno.test("codex 0.169.0 stream task [N-11] says things in the order they were said, and counts its own tokens", async () => {
  const { events, result } = await play("task");
  assert.deepEqual(shape(events), [
    "thinking Thinking about it",
    "text I will run a command.",
    "tool_use exec_command",
    "tool_result exec_command",
    "text All ",
    "text done.",
  ]);
  assert.equal(result.status, "completed", result.error);
  assert.equal(result.output, "All done.");
  assert.equal(result.sessionId, THREAD);
  assert.ok(events.some((event) => event.type === "session" && event.sessionId === THREAD));
  assert.deepEqual(result.usage, {
    m1: { inputTokens: 140, outputTokens: 40, cacheReadTokens: 60, cacheWriteTokens: 0 },
  });
});

Deno.test("codex 0.169.0 stream resume counts only what the resumed run used", async () => {
  const { result } = await play("resume", THREAD);
  assert.equal(result.status, "completed", result.error);
  assert.equal(result.sessionId, THREAD);
  assert.deepEqual(result.usage, {
    m1: { inputTokens: 140, outputTokens: 40, cacheReadTokens: 60, cacheWriteTokens: 0 },
  });
});

Deno.test("codex 0.169.0 stream thread_gone [CX-15] goes on to a fresh thread", async () => {
  const { result } = await play("thread_gone", "01a212d9-0000-7162-8b73-f00501e4fef6");
  // The capture ends there: what is asked next is a start.
  assert.match(result.error, /^codex thread\/start failed: /);
  assert.equal(result.resumeRejected, false);
});

Deno.test("codex 0.169.0 stream patch shows the changes", async () => {
  const { events } = await play("patch");
  const use = events.find((event) => event.type === "tool_use");
  assert.deepEqual(use?.type === "tool_use" ? use.input : undefined, {
    changes: [
      { path: "/home/agent/task/new.txt", kind: "add", content: "hi\nthere\n" },
      { path: "/home/agent/task/out.txt", kind: "update", diff: "@@ -1 +1 @@\n-hello\n+bye\n" },
    ],
  });
  const done = events.find((event) => event.type === "tool_result");
  assert.equal(done?.type === "tool_result" ? done.output : "", "completed (2 files)");
});

Deno.test("codex 0.169.0 stream approval is granted and completes", async () => {
  const { events, result } = await play("approval");
  assert.equal(result.status, "completed", result.error);
  assert.equal(events.filter((event) => event.type === "tool_use").length, 1);
});

Deno.test("codex 0.169.0 stream interrupt [I-8] is a cancel, though `idle` comes before the turn says so", async () => {
  const { result } = await play("interrupt", "", "tool_use");
  assert.equal(result.status, "aborted");
  assert.equal(result.error, "execution cancelled");
  assert.deepEqual(result.usage, {
    m1: { inputTokens: 70, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 0 },
  });
});

for (
  const [name, reason] of [
    ["auth_error", "provider_auth_or_access"],
    ["rate_limit", "provider_capacity_or_rate_limit"],
    ["model_not_found", "model_not_found_or_unavailable"],
    ["usage_limit", "provider_quota_limit"],
  ] as const
) {
  Deno.test(`codex 0.169.0 stream ${name} [CX-8] fails with ${reason}`, async () => {
    const { result } = await play(name);
    assert.equal(result.status, "failed");
    assert.equal(classifyFailure(result.error), `agent_error.${reason}`, result.error);
    assert.ok(result.sessionId !== "");
    if (name === "usage_limit") assert.match(result.usageWindow?.resetsAt ?? "", /^\d{4}-.*:00:00\.000Z$/);
  });
}
