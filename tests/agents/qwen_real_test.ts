/** The real Qwen Code CLI, run by our driver against the scripted model. */
import assert from "node:assert/strict";
import { classifyFailure } from "../../lib/agents/mod.ts";
import { markerAlive } from "../helpers/process_control.ts";
import { processesOf, story, withRealAgent } from "../helpers/real_agent.ts";
import { realCli, shellCall } from "../helpers/real_clis.ts";

const qwen = await realCli("qwen");

const shell = (command: string) => shellCall("qwen", command);

Deno.test("qwen (real) reads its prompt from stdin, runs a command, answers; a second run resumes", async () => {
  const turns = [
    {
      thinking: "A file.",
      text: "Writing now.",
      tools: [shell("echo hi > hello.txt; cat hello.txt")],
      usage: { input: 100, output: 20, cacheRead: 7 },
    },
    { text: "All done.", usage: { input: 50, output: 3 } },
  ];
  await withRealAgent(qwen, turns, async (house) => {
    const prompt = `write hello ${"and more ".repeat(20_000)}to the end`;
    const first = await house.start({ prompt, model: "m1" });
    const result = await first.run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal(result.output, "All done.");
    assert.match(JSON.stringify(house.model.requests[0]!.body), /and more to the end/);
    assert.deepEqual(result.usage, {
      m1: { inputTokens: 150, outputTokens: 23, cacheReadTokens: 7, cacheWriteTokens: 0 },
    });
    assert.deepEqual(story(first.events), [
      "thinking A file.",
      "text Writing now.",
      "tool_use run_shell_command",
      "tool_result",
      "text All done.",
    ]);
    assert.ok(first.events.some((event) => event.type === "session" && event.sessionId === result.sessionId));
    assert.equal(await Deno.readTextFile(`${house.work}/hello.txt`), "hi\n");
    assert.equal((await first.run.ended).empty, true);

    const second = await house.start({ prompt: "and now?", resumeSessionId: result.sessionId });
    const resumed = await second.run.result;
    assert.equal(resumed.status, "completed", resumed.error);
    assert.equal(resumed.sessionId, result.sessionId);
    assert.match(JSON.stringify(house.model.requests.at(-1)!.body.messages), /write hello/);
    await second.run.ended;
  });
});

Deno.test("qwen (real) cancelled in mid-tool leaves no process, not even one in a session of its own", async () => {
  await withRealAgent(
    qwen,
    [{ tools: [shell("setsid sleep 300 & echo started; sleep 300")] }],
    async (house) => {
      const { run, abort } = await house.start();
      const { marker } = run.group;
      await processesOf(marker, "sleep 300", 2);
      abort();
      const result = await run.result;
      assert.equal(result.status, "aborted", result.error);
      assert.notEqual(result.sessionId, "");
      assert.equal((await run.ended).empty, true);
      assert.equal(markerAlive(marker), false);
    },
  );
});

for (
  const [name, error, reason] of [
    [
      "401",
      { status: 401, type: "invalid_request_error", message: "Incorrect API key provided" },
      "provider_auth_or_access",
    ],
    [
      "404",
      { status: 404, type: "model_not_found", message: "The model `x` does not exist" },
      "model_not_found_or_unavailable",
    ],
  ] as const
) {
  Deno.test(`qwen (real) a model error ${name} fails the run, classified, and keeps the session`, async () => {
    await withRealAgent(qwen, [{ error }], async (house) => {
      const { run } = await house.start();
      const result = await run.result;
      assert.equal(result.status, "failed");
      assert.equal(classifyFailure(result.error), `agent_error.${reason}`, result.error);
      assert.notEqual(result.sessionId, "");
      await run.ended;
    });
  });
}

Deno.test("qwen (real) a session it no longer has is a rejected resume", async () => {
  await withRealAgent(qwen, [{ text: "hello" }], async (house) => {
    const first = await house.start();
    const { sessionId } = await first.run.result;
    await first.run.ended;
    await Deno.remove(`${house.home}/.qwen`, { recursive: true });
    const second = await house.start({ resumeSessionId: sessionId });
    const result = await second.run.result;
    await second.run.ended;
    assert.equal(result.status, "failed");
    assert.equal(result.resumeRejected, true, result.error);
    assert.equal(result.sessionId, "");
  });
});

Deno.test("qwen (real) sees the managed MCP set, in a file that is gone afterwards", async () => {
  await withRealAgent(qwen, [{ text: "ok" }], async (house) => {
    const log = `${house.home}/started`;
    await Deno.writeTextFile(`${house.home}/mcp`, `#!/bin/sh\necho $KEY >>${log}\nexit 1\n`, { mode: 0o755 });
    const toy = { command: `${house.home}/mcp`, env: { KEY: "managed" } };
    const { run } = await house.start({ mcpConfig: { mcpServers: { toy } } });
    assert.equal((await run.result).status, "completed");
    await run.ended;
    assert.match(await Deno.readTextFile(log), /^(?:managed\n)+$/);
    const left = [...Deno.readDirSync(`${house.home}/tmp`)].filter(({ name }) =>
      name.startsWith("multica-mcp-")
    );
    assert.deepEqual(left, []);
  });
});
