/** The real Codex CLI, run by our driver against the scripted model. */
import assert from "node:assert/strict";
import { classifyFailure } from "../../lib/agents/mod.ts";
import { codexDisabledFiles } from "../../lib/workdir/disabled_skills.ts";
import { processesOf, story, withRealAgent } from "../helpers/real_agent.ts";
import { realCli, shellCall } from "../helpers/real_clis.ts";
import { markerAlive } from "../helpers/process_control.ts";

const codex = await realCli("codex");
const run = (command: string) => shellCall("codex", command);

Deno.test("codex (real) thinks, runs a command, answers; a second run resumes the thread", async () => {
  const turns = [
    {
      thinking: "A file.",
      text: "Writing now.",
      tools: [run("echo hi > hello.txt; cat hello.txt")],
      usage: { input: 100, output: 20, cacheRead: 7 },
    },
    { text: "All done.", usage: { input: 50, output: 3 } },
  ];
  await withRealAgent(codex, turns, async (house) => {
    const first = await house.start({ prompt: "write hello", model: "gpt-scripted", threadName: "Hello" });
    const result = await first.run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal(result.output, "All done.");
    assert.deepEqual(result.usage, {
      "gpt-scripted": { inputTokens: 150, outputTokens: 23, cacheReadTokens: 7, cacheWriteTokens: 0 },
    });
    assert.deepEqual(story(first.events), [
      "thinking A file.",
      "text Writing now.",
      "tool_use exec_command",
      "tool_result",
      "text All done.",
    ]);
    assert.ok(first.events.some((event) => event.type === "session" && event.sessionId === result.sessionId));
    assert.equal(await Deno.readTextFile(`${house.work}/hello.txt`), "hi\n");
    assert.equal((await first.run.ended).empty, true);

    const second = await house.start({
      prompt: "and now?",
      model: "gpt-scripted",
      resumeSessionId: result.sessionId,
    });
    const resumed = await second.run.result;
    assert.equal(resumed.status, "completed", resumed.error);
    assert.equal(resumed.sessionId, result.sessionId);
    assert.deepEqual(resumed.usage, result.usage, "only its own tokens");
    assert.match(JSON.stringify(house.model.requests.at(-1)!.body.input), /write hello/);
    await second.run.ended;
  });
});

Deno.test("codex (real) cancelled in mid-tool leaves no process, not even one in a session of its own", async () => {
  const turns = [{ tools: [run("setsid sleep 300 & echo started; sleep 300")] }];
  await withRealAgent(codex, turns, async (house) => {
    const { run, event, abort } = await house.start();
    await event((event) => event.type === "tool_use");
    const { marker } = run.group;
    await processesOf(marker, "sleep 300", 2);
    abort();
    const result = await run.result;
    assert.equal(result.status, "aborted");
    assert.equal(result.error, "execution cancelled");
    assert.notEqual(result.sessionId, "");
    assert.ok(Object.values(result.usage)[0]!.inputTokens > 0, "usage survives a cancel");
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
    ["429", { status: 429, type: "rate_limit_error", message: "limited" }, "provider_capacity_or_rate_limit"],
    ["500", { status: 500, type: "server_error", message: "boom" }, "provider_server_error"],
    [
      "404",
      { status: 404, type: "model_not_found", message: "The model `x` does not exist" },
      "model_not_found_or_unavailable",
    ],
  ] as const
) {
  Deno.test(`codex (real) a model error ${name} fails the run, classified, and keeps the thread`, async () => {
    await withRealAgent(codex, [{ error }], async (house) => {
      const { run } = await house.start();
      const result = await run.result;
      assert.equal(result.status, "failed");
      assert.equal(result.output, "");
      assert.equal(classifyFailure(result.error), `agent_error.${reason}`, result.error);
      assert.notEqual(result.sessionId, "");
      await run.ended;
    });
  });
}

Deno.test("codex (real) completes on a fresh thread when its session files are gone", async () => {
  await withRealAgent(codex, [{ text: "hello" }], async (house) => {
    const first = await house.start();
    const { sessionId } = await first.run.result;
    await first.run.ended;
    await Deno.remove(`${house.home}/codex/sessions`, { recursive: true });
    const second = await house.start({ resumeSessionId: sessionId, continuityNotice: "NOTICE" });
    const result = await second.run.result;
    assert.equal(result.status, "completed", result.error);
    assert.notEqual(result.sessionId, sessionId);
    assert.match(house.model.requests.at(-1)!.lastUserText, /^NOTICE\n\nsay pong/);
    await second.run.ended;
  });
});

Deno.test("codex (real) finds a program of the task's own PATH in its tools", async () => {
  await withRealAgent(codex, [{ tools: [run("multica --hello")] }, { text: "ok" }], async (house) => {
    await Deno.mkdir(`${house.home}/bin`);
    await Deno.writeTextFile(`${house.home}/bin/multica`, "#!/bin/sh\necho found $1\n", { mode: 0o755 });
    const { run, events } = await house.start({ env: { PATH: `${house.home}/bin:${Deno.env.get("PATH")}` } });
    assert.equal((await run.result).status, "completed");
    const said = events.find((event) => event.type === "tool_result");
    assert.match(said?.type === "tool_result" ? said.output : "", /found --hello/);
    await run.ended;
  });
});

Deno.test("codex (real) sees exactly the managed MCP set", async () => {
  await withRealAgent(codex, [{ text: "ok" }], async (house) => {
    const log = `${house.home}/started`;
    await Deno.writeTextFile(`${house.home}/mcp`, `#!/bin/sh\necho $KEY >>${log}\nexit 1\n`, { mode: 0o755 });
    const mcpConfig = { mcpServers: { toy: { command: `${house.home}/mcp`, env: { KEY: "managed" } } } };
    const { run } = await house.start({
      mcpConfig,
      customArgs: ["-c", `mcp_servers.evil.command="${house.home}/mcp"`],
    });
    assert.equal((await run.result).status, "completed");
    await run.ended;
    assert.equal((await Deno.readTextFile(log)).trim().split("\n").every((line) => line === "managed"), true);
  });
});

Deno.test("codex (real) does not offer a skill that is disabled, and offers the others [C11.12]", async () => {
  await withRealAgent(codex, [{ text: "Hello." }], async (house) => {
    const codexHome = `${house.home}/codex`;
    for (const name of ["deploy", "lint"]) {
      await Deno.mkdir(`${codexHome}/skills/${name}`, { recursive: true });
      await Deno.writeTextFile(
        `${codexHome}/skills/${name}/SKILL.md`,
        `---\nname: ${name}\ndescription: The ${name} skill of this machine.\n---\nDo it.\n`,
      );
    }
    const [file] = codexDisabledFiles(
      [{ key: "deploy", names: ["deploy"], universal: false, plugin: false }],
      { codexHome, home: house.home },
    );
    const entry = `[[skills.config]]\npath = "${file}"\nenabled = false\n`;
    await Deno.writeTextFile(`${codexHome}/config.toml`, entry, { append: true });
    const { run } = await house.start();
    assert.equal((await run.result).status, "completed");
    await run.ended;
    const asked = JSON.stringify(house.model.requests);
    assert.match(asked, /The lint skill of this machine/);
    assert.doesNotMatch(asked, /The deploy skill of this machine/);
  });
});
