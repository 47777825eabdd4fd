/** The real Claude Code CLI, run by our driver against the scripted model. */
import assert from "node:assert/strict";
import { classifyFailure } from "../../lib/agents/mod.ts";
import { claudeSkillSettings } from "../../lib/workdir/disabled_skills.ts";
import { markerAlive } from "../helpers/process_control.ts";
import { processesOf, story, withRealAgent } from "../helpers/real_agent.ts";
import { realCli, shellCall } from "../helpers/real_clis.ts";

const claude = await realCli("claude");

Deno.test("claude (real) thinks, writes a file, answers; a second run resumes the session", async () => {
  const turns = [
    {
      thinking: "A file is wanted.",
      text: "Writing now.",
      tools: [{ name: "Write", input: { file_path: "hello.txt", content: "hi\n" } }],
      usage: { input: 100, output: 20, cacheRead: 7 },
    },
    { text: "All done.", usage: { input: 50, output: 3, cacheWrite: 9 } },
  ];
  await withRealAgent(claude, turns, async (house) => {
    const first = await house.start({ prompt: "write hello", model: "claude-sonnet-5" });
    const result = await first.run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal(result.output, "All done.");
    assert.deepEqual(result.usage, {
      "claude-sonnet-5": { inputTokens: 150, outputTokens: 23, cacheReadTokens: 7, cacheWriteTokens: 9 },
    });
    assert.ok(result.costUsdTicks > 0);
    assert.match(result.sessionId, /^[0-9a-f-]{36}$/);
    assert.equal(first.events.find((event) => event.type !== "activity")?.type, "session");
    assert.deepEqual(story(first.events), [
      "thinking A file is wanted.",
      "text Writing now.",
      "tool_use Write",
      "tool_result",
      "text All done.",
    ]);
    assert.equal(await Deno.readTextFile(`${house.work}/hello.txt`), "hi\n");
    assert.equal((await first.run.ended).empty, true);

    const second = await house.start({
      prompt: "and now?",
      model: "claude-sonnet-5",
      resumeSessionId: result.sessionId,
    });
    const resumed = await second.run.result;
    assert.equal(resumed.status, "completed", resumed.error);
    assert.equal(resumed.sessionId, result.sessionId);
    assert.match(JSON.stringify(house.model.requests.at(-1)!.body.messages), /write hello/);
    await second.run.ended;
  });
});

Deno.test("claude (real) [N-13] cancelled in mid-tool leaves no process, not even one in a session of its own", async () => {
  const tools = [shellCall("claude", "setsid sleep 300 & echo started; sleep 300")];
  await withRealAgent(claude, [{ tools }], async (house) => {
    const { run, events, event, abort } = await house.start();
    await event((event) => event.type === "tool_use");
    const marker = run.group.marker;
    await processesOf(marker, "sleep 300", 2);
    abort();
    const result = await run.result;
    assert.equal(result.status, "aborted");
    assert.equal(result.error, "execution cancelled");
    assert.notEqual(result.sessionId, "");
    assert.equal((await run.ended).empty, true);
    assert.equal(markerAlive(marker), false);
    assert.ok(events.length > 0);
  });
});

for (
  const [name, error, reason, words] of [
    [
      "401",
      { status: 401, type: "authentication_error", message: "invalid x-api-key" },
      "provider_auth_or_access",
      /API key/,
    ],
    [
      "429",
      { status: 429, type: "rate_limit_error", message: "limited" },
      "provider_capacity_or_rate_limit",
      /429/,
    ],
    [
      "529",
      { status: 529, type: "overloaded_error", message: "Overloaded" },
      "provider_capacity_or_rate_limit",
      /Overloaded/,
    ],
    [
      "400",
      {
        status: 400,
        type: "invalid_request_error",
        message: "prompt is too long: 250000 tokens > 200000 maximum",
      },
      "context_overflow",
      /terminal_reason=prompt_too_long/,
    ],
  ] as const
) {
  Deno.test(`claude (real) a model error ${name} fails the run with the provider's text, classified`, async () => {
    await withRealAgent(claude, [{ error }], async (house) => {
      const { run } = await house.start();
      const result = await run.result;
      assert.equal(result.status, "failed");
      assert.equal(result.output, "");
      assert.match(result.error, words);
      assert.equal(classifyFailure(result.error), `agent_error.${reason}`);
      assert.equal(result.resumeRejected, false);
      assert.notEqual(result.sessionId, "");
      await run.ended;
    });
  });
}

Deno.test("claude (real) a session it no longer has is a rejected resume", async () => {
  await withRealAgent(claude, [{ text: "hello" }], async (house) => {
    const first = await house.start();
    const { sessionId } = await first.run.result;
    await first.run.ended;
    await Deno.remove(`${house.home}/.claude/projects`, { recursive: true });
    const second = await house.start({ resumeSessionId: sessionId });
    const result = await second.run.result;
    assert.equal(result.status, "failed");
    assert.equal(result.resumeRejected, true);
    assert.equal(result.sessionId, "");
    assert.match(result.error, /No conversation found with session ID/);
    await second.run.ended;
  });
});

Deno.test("claude (real) runs a subagent in the foreground and keeps its words out of the answer", async () => {
  await withRealAgent(claude, [], async (house) => {
    house.model.script((request) => {
      const inside = request.lastUserText.includes("SUBPROMPT");
      if (inside) {
        return request.rounds === 0
          ? { text: "sub speaks", tools: [shellCall("claude", "echo from-sub")] }
          : { text: "sub answer" };
      }
      return request.rounds === 0
        ? {
          tools: [{
            name: "Task",
            input: { description: "d", prompt: "SUBPROMPT", subagent_type: "general-purpose" },
          }],
        }
        : { text: "parent answer" };
    });
    const { run, events } = await house.start({ prompt: "delegate" });
    const result = await run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal(result.output, "parent answer");
    assert.deepEqual(story(events).filter((line) => line.startsWith("tool_use")), [
      "tool_use Task",
      "tool_use Bash",
    ]);
    assert.deepEqual(story(events).filter((line) => line.startsWith("text")), ["text parent answer"]);
    await run.ended;
  });
});

Deno.test("claude (real) gets exactly the managed MCP set, in a file that is gone afterwards", async () => {
  await withRealAgent(claude, [{ text: "hello" }], async (house) => {
    const server = `${house.work}/mcp.sh`;
    await Deno.writeTextFile(server, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const { run } = await house.start({ mcpConfig: { mcpServers: { toy: { command: server } } } });
    const result = await run.result;
    assert.equal(result.status, "completed", result.error);
    assert.equal((await run.ended).empty, true);
    const left = [...Deno.readDirSync(`${house.home}/tmp`)].filter((entry) =>
      entry.name.startsWith("multica-mcp-")
    );
    assert.deepEqual(left, []);
  });
});

Deno.test("claude (real) does not offer a skill that is disabled, and offers the others [C11.12]", async () => {
  await withRealAgent(claude, [{ text: "Hello." }], async ({ home, work, model, start }) => {
    for (const name of ["deploy", "lint"]) {
      await Deno.mkdir(`${home}/.claude/skills/${name}`, { recursive: true });
      await Deno.writeTextFile(
        `${home}/.claude/skills/${name}/SKILL.md`,
        `---\nname: ${name}\ndescription: The ${name} skill of this machine.\n---\nDo it.\n`,
      );
    }
    const disabled = [{ key: "deploy", names: ["deploy"], universal: false, plugin: false }];
    const settingsFile = `${work}/settings.json`;
    await Deno.writeTextFile(settingsFile, claudeSkillSettings(disabled));
    const { run } = await start({ settingsFile });
    assert.equal((await run.result).status, "completed");
    await run.ended;
    const asked = JSON.stringify(model.requests);
    assert.match(asked, /The lint skill of this machine/);
    assert.doesNotMatch(asked, /The deploy skill of this machine/);
  });
});
