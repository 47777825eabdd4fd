/** The real OpenCode CLI, run by our driver against the scripted model. */
import assert from "node:assert/strict";
import { classifyFailure, shouldRetryFresh } from "../../lib/agents/mod.ts";
import { DirectProcessControl, launch, systemClock } from "../../lib/core/mod.ts";
import { ModelLists } from "../../lib/runtimes/mod.ts";
import { processesOf, story, withRealAgent } from "../helpers/real_agent.ts";
import { realCli, shellCall } from "../helpers/real_clis.ts";
import { markerAlive } from "../helpers/process_control.ts";

const opencode = await realCli("opencode");
const bash = (command: string) => shellCall("opencode", command);

Deno.test("opencode (real) runs a command, answers; a second run resumes the session", async () => {
  const turns = [
    {
      text: "Writing now.",
      tools: [bash("echo hi > hello.txt; cat hello.txt; pwd")],
      usage: { input: 100, output: 20, cacheRead: 7 },
    },
    { text: "All done.", usage: { input: 50, output: 3 } },
  ];
  await withRealAgent(opencode, turns, async (house) => {
    const prompt = `write hello ${"and more ".repeat(20_000)}`;
    const first = await house.start({ prompt, model: "scripted/m1" });
    const result = await first.run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal(result.output, "All done.");
    assert.deepEqual(result.usage, {
      "scripted/m1": { inputTokens: 150, outputTokens: 23, cacheReadTokens: 7, cacheWriteTokens: 0 },
    });
    assert.deepEqual(story(first.events), [
      "text Writing now.",
      "tool_use bash",
      "tool_result",
      "text All done.",
    ]);
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

Deno.test("opencode (real) cancelled in mid-tool leaves no process, not even one in a session of its own", async () => {
  const turns = [{ tools: [bash("setsid sleep 300 & echo started; sleep 300")] }];
  await withRealAgent(opencode, turns, async (house) => {
    const { run, abort } = await house.start();
    const { marker } = run.group;
    await processesOf(marker, "sleep 300", 2);
    abort();
    const result = await run.result;
    assert.equal(result.status, "aborted");
    assert.equal((await run.ended).empty, true);
    assert.equal(markerAlive(marker), false);
  });
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
  Deno.test(`opencode (real) a model error ${name} fails the run, classified`, async () => {
    await withRealAgent(opencode, [{ error }], async (house) => {
      const { run } = await house.start();
      const result = await run.result;
      assert.equal(result.status, "failed");
      assert.equal(classifyFailure(result.error), `agent_error.${reason}`, result.error);
      await run.ended;
    });
  });
}

Deno.test("opencode (real) a session it no longer has is a rejected resume, and a fresh start follows", async () => {
  await withRealAgent(opencode, [{ text: "hello" }], async (house) => {
    const first = await house.start();
    const { sessionId } = await first.run.result;
    await first.run.ended;
    await Deno.remove(`${house.home}/.local/share/opencode`, { recursive: true });
    const second = await house.start({ resumeSessionId: sessionId });
    const result = await second.run.result;
    await second.run.ended;
    assert.equal(result.status, "failed");
    assert.equal(result.resumeRejected, true, result.error);
    assert.ok(shouldRetryFresh({ result, provider: "opencode", toolCount: 0, resumeRequested: true }));
  });
});

Deno.test("opencode (real) names its models when it is asked", async () => {
  await withRealAgent(opencode, [], async (house) => {
    const { executable } = opencode;
    const env = {
      HOME: house.home,
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
    };
    const processes = new DirectProcessControl();
    const lists = new ModelLists({ clock: systemClock, launch, processes, env, home: house.home });
    const { models } = await lists.list({ provider: "opencode", executable, prefixArgs: [] });
    assert.ok(models.some((model) => model.id === "scripted/m1"), JSON.stringify(models));
  });
});
