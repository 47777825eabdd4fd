/** What the Claude driver writes to the log: counts and flag names, nothing of the task (I-9, N-10). */
import assert from "node:assert/strict";
import { configure, reset } from "@logtape/logtape";
import { claudeDriver } from "../../../lib/agents/claude.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

Deno.test("claude driver [N-10] logs a summary of counts and no prompt, argument, text or base URL", async () => {
  const records: string[] = [];
  await configure({
    sinks: {
      memory: (record) => records.push(JSON.stringify([record.message.join(""), record.properties])),
    },
    loggers: [
      { category: ["multica"], sinks: ["memory"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  const dir = await Deno.makeTempDir();
  try {
    const said = '{"type":"assistant","message":{"content":[{"type":"text","text":"TEXT-SECRET"}]}}';
    const ask =
      '{"type":"control_request","request_id":"r","request":{"tool_name":"Bash","input":{"a":"INPUT-SECRET"}}}';
    const done = '{"type":"result","session_id":"s","result":"RESULT-SECRET"}';
    const body = [said, ask, '{"type":"odd_event"}', "junk", done].map((line) => `echo '${line}'`).join("\n");
    const cli = await script(`${dir}/cli`, `#!/bin/sh\nread -r p\n${body}\nread -r a\nread -r rest\n`);
    const { run } = await startAgent(
      claudeDriver,
      agentRequest(cli, dir, {
        prompt: "PROMPT-SECRET",
        customArgs: ["--api-key", "ARG-SECRET", "--token=INLINE-SECRET"],
        mcpConfig: { mcpServers: { a: { env: { K: "MCP-SECRET" } } } },
        env: { ANTHROPIC_BASE_URL: "http://URL-SECRET", TOKEN: "ENV-SECRET" },
      }),
    );
    assert.equal((await run.result).status, "completed");
    await run.ended;
  } finally {
    await reset();
    await Deno.remove(dir, { recursive: true });
  }
  assert.doesNotMatch(records.join("\n"), /SECRET/);
  const summary = records.map((text) => JSON.parse(text)).find(([message]) =>
    message === "agent protocol summary"
  );
  const counts = summary![1] as Record<string, unknown>;
  assert.equal(counts.event_count, 5);
  assert.equal(counts.invalid_event_count, 1);
  assert.equal(counts.assistant_event_count, 1);
  assert.equal(counts.saw_result, true);
  assert.equal(counts.result_bytes, "RESULT-SECRET".length);
  assert.equal(counts.anthropic_base_url_configured, true);
  assert.deepEqual(counts.unhandled_event_types, ["odd_event"]);
  const launch = records.map((text) => JSON.parse(text)).find(([message]) => message === "agent launch");
  assert.ok((launch![1].arguments as string[]).includes("--api-key"));
});
