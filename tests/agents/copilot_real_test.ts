/** The real Copilot CLI, run by our driver against the scripted model (its own provider setting, no account). */
import assert from "node:assert/strict";
import { classifyFailure, shouldRetryFresh } from "../../lib/agents/mod.ts";
import { processesOf, story, withRealAgent } from "../helpers/real_agent.ts";
import { realCli, shellCall } from "../helpers/real_clis.ts";
import { markerAlive } from "../helpers/process_control.ts";

const copilot = await realCli("copilot");
const bash = (command: string) => shellCall("copilot", command);

Deno.test("copilot (real) thinks once, runs a command, answers; a second run resumes the session", async () => {
  const turns = [
    { thinking: "A file.", text: "Writing now.", tools: [bash("echo hi > hello.txt; cat hello.txt")] },
    { text: "All done." },
  ];
  await withRealAgent(copilot, turns, async (house) => {
    const prompt = `write hello ${"and more ".repeat(20_000)}`;
    const first = await house.start({ prompt });
    await first.event((event) => event.type === "session");
    const result = await first.run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal(result.output, "All done.");
    assert.deepEqual(story(first.events), [
      "thinking A file.",
      "text Writing now.",
      "tool_use bash",
      "tool_result",
      "text All done.",
    ]);
    const pinned = first.events.filter((event) => event.type === "session");
    assert.deepEqual(
      pinned,
      [{ type: "session", sessionId: result.sessionId }],
      "announced once, before its end",
    );
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

Deno.test("copilot (real) cancelled in mid-tool leaves no process, not even one in a session of its own", async () => {
  const turns = [{ tools: [bash("setsid sleep 300 & echo started; sleep 300")] }];
  await withRealAgent(copilot, turns, async (house) => {
    const { run, abort } = await house.start();
    const { marker } = run.group;
    await processesOf(marker, "sleep 300", 2);
    abort();
    const result = await run.result;
    assert.equal(result.status, "aborted", result.error);
    assert.notEqual(result.sessionId, "");
    assert.equal((await run.ended).empty, true);
    assert.equal(markerAlive(marker), false);
  });
});

Deno.test("copilot (real) a model error fails the run, classified", async () => {
  const error = { status: 404, type: "model_not_found", message: "The model does not exist" };
  await withRealAgent(copilot, [{ error }], async (house) => {
    const { run } = await house.start();
    const result = await run.result;
    assert.equal(result.status, "failed");
    assert.equal(classifyFailure(result.error), "agent_error.model_not_found_or_unavailable", result.error);
    await run.ended;
  });
});

Deno.test("copilot (real) without an account says so, classified", async () => {
  await withRealAgent({ ...copilot, prepare: () => Promise.resolve({}) }, [], async (house) => {
    const { run } = await house.start();
    const result = await run.result;
    assert.equal(result.status, "failed");
    assert.equal(classifyFailure(result.error), "agent_error.provider_auth_or_access", result.error);
    await run.ended;
  });
});

Deno.test("copilot (real) a session it no longer has is a rejected resume, and a fresh start follows", async () => {
  await withRealAgent(copilot, [{ text: "hello" }], async (house) => {
    const first = await house.start();
    const { sessionId } = await first.run.result;
    await first.run.ended;
    await Deno.remove(`${house.home}/.copilot`, { recursive: true });
    const second = await house.start({ resumeSessionId: sessionId });
    const result = await second.run.result;
    await second.run.ended;
    assert.equal(result.status, "failed");
    assert.equal(result.resumeRejected, true, result.error);
    assert.ok(shouldRetryFresh({ result, provider: "copilot", toolCount: 0, resumeRequested: true }));
  });
});
