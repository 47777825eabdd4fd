import assert from "node:assert/strict";
import { allowCodebuddy, codebuddyArgs, codebuddyDriver } from "../../../lib/agents/codebuddy.ts";
import type { RunRequest } from "../../../lib/agents/mod.ts";
import { LaunchError } from "../../../lib/core/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

const request = (more: Partial<RunRequest> = {}) =>
  agentRequest("/x", "/w", { provider: "codebuddy", ...more });
const BASE =
  "-p --output-format stream-json --input-format stream-json --verbose --permission-mode bypassPermissions --disallowedTools AskUserQuestion EnterPlanMode ExitPlanMode"
    .split(" ");

Deno.test("codebuddyArgs() [CB-1] [CB-2] [CB-3] orders its arguments, with one effort and no strict MCP", () => {
  assert.deepEqual(codebuddyArgs(request(), ""), BASE);
  assert.deepEqual(
    codebuddyArgs(
      request({
        model: "m1",
        thinkingLevel: "high",
        resumeSessionId: "s1",
        extraArgs: ["--extra", "--effort", "low"],
        customArgs: ["--foo", "bar", "--effort=max", "--permission-mode", "plan"],
      }),
      "/t/f.json",
    ),
    [
      ...BASE,
      "--model",
      "m1",
      "--effort",
      "high",
      "--resume",
      "s1",
      "--extra",
      "--foo",
      "bar",
      "--mcp-config",
      "/t/f.json",
    ],
  );
});

Deno.test("allowCodebuddy() says `allowed` beside the unchanged input", () => {
  const input = { command: "x", run_in_background: true };
  assert.deepEqual(allowCodebuddy(input), { behavior: "allow", updatedInput: input, allowed: true });
});

Deno.test("codebuddy driver [CB-5] [CB-6] names a missing program and an early exit", async () => {
  await assert.rejects(
    startAgent(codebuddyDriver, agentRequest("/no/codebuddy", "/tmp", { provider: "codebuddy" })),
    (error: unknown) =>
      error instanceof LaunchError && error.message.startsWith("codebuddy executable not found"),
  );
  const dir = await Deno.makeTempDir();
  try {
    const cli = await script(`${dir}/codebuddy`, "#!/bin/sh\nread -r prompt\necho 'no login' >&2\nexit 1\n");
    const { run } = await startAgent(codebuddyDriver, agentRequest(cli, dir, { provider: "codebuddy" }));
    const result = await run.result;
    await run.ended;
    assert.equal(result.status, "failed");
    assert.match(result.error, /codebuddy exited with error: exit status 1; codebuddy stderr: no login/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("codebuddy driver [CB-4] [CB-7] speaks Claude's wire and answers permissions in its own words", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const cli = await script(
      `${dir}/codebuddy`,
      `#!/bin/sh
IFS= read -r prompt; printf '%s' "$prompt" >prompt
echo '{"type":"control_request","request_id":"r1","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"ls"}}}'
IFS= read -r answer; printf '%s' "$answer" >answer
echo '{"type":"result","subtype":"success","session_id":"s","result":"ok","is_error":false}'
`,
    );
    const { run } = await startAgent(codebuddyDriver, agentRequest(cli, dir, { provider: "codebuddy" }));
    assert.equal((await run.result).output, "ok");
    await run.ended;
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${dir}/prompt`)), {
      type: "user",
      message: { role: "user", content: [{ type: "text", text: "say pong" }] },
    });
    const answer = JSON.parse(await Deno.readTextFile(`${dir}/answer`));
    assert.deepEqual(answer.response, {
      subtype: "success",
      request_id: "r1",
      response: { behavior: "allow", updatedInput: { command: "ls" }, allowed: true },
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
