import assert from "node:assert/strict";
import { classifyFailure, driverFor, type ProviderRow, PROVIDERS } from "../../../lib/agents/mod.ts";
import { loadDriver } from "../../../lib/agents/catalog_drivers.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

/** All it takes to add a provider that speaks a known protocol: this row and the fixture below. */
const ROW: ProviderRow = {
  ...PROVIDERS.find((row) => row.provider === "claude")!,
  provider: "wondercode",
  label: "Wonder Code",
  command: "wondercode",
  header: "wondercode (stream-json)",
};

const STREAM = [
  { type: "system", subtype: "init", session_id: "w1", model: "wonder-1" },
  {
    type: "assistant",
    session_id: "w1",
    message: {
      id: "a",
      model: "wonder-1",
      content: [{ type: "tool_use", id: "t", name: "Bash", input: { command: "ls" } }],
    },
  },
  {
    type: "user",
    session_id: "w1",
    message: { content: [{ type: "tool_result", tool_use_id: "t", content: "a" }] },
  },
  {
    type: "result",
    subtype: "success",
    session_id: "w1",
    result: "done",
    usage: { input_tokens: 3, output_tokens: 2 },
    model: "wonder-1",
  },
].map((event) => JSON.stringify(event)).join("\n");

Deno.test("a new provider with a known protocol is one catalog row and one fixture", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/stream`, STREAM + "\n");
    const cli = await script(`${dir}/${ROW.command}`, `#!/bin/sh\nread -r prompt\ncat stream\n`);
    const driver = await loadDriver(ROW.driver!);
    const { run, events } = await startAgent(driver, agentRequest(cli, dir, { provider: ROW.provider }));
    const result = await run.result;
    await run.ended;
    assert.equal(result.status, "completed", result.error);
    assert.equal(result.output, "done");
    assert.equal(result.sessionId, "w1");
    assert.deepEqual(result.usage, {
      "wonder-1": { inputTokens: 3, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 },
    });
    assert.deepEqual(events.filter((event) => event.type.startsWith("tool")).length, 2);

    const broken = await script(
      `${dir}/broken`,
      "#!/bin/sh\nread -r prompt\necho '401 bad key' >&2\nexit 2\n",
    );
    const failed = await startAgent(driver, agentRequest(broken, dir, { provider: ROW.provider }));
    const error = (await failed.run.result).error;
    await failed.run.ended;
    assert.equal(error, "wondercode exited with error: exit status 2; wondercode stderr: 401 bad key");
    assert.equal(classifyFailure(error), "agent_error.provider_auth_or_access");
    await assert.rejects(driverFor(ROW.provider), /unknown agent type: "wondercode"/, "not without its row");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
