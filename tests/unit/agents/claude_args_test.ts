/** Claude's command line, prompt line, permission answers and preflight. */
import assert from "node:assert/strict";
import { allowInForeground } from "../../../lib/agents/claude.ts";
import { claudeArgs, claudePreflight } from "../../../lib/agents/claude_args.ts";
import { promptLine } from "../../../lib/agents/stream_json_run.ts";
import { writeMcpFile } from "../../../lib/agents/stream_json_mcp.ts";
import { agentRequest } from "../../helpers/agent_run.ts";

const BASE = [
  ...["-p", "--output-format", "stream-json", "--input-format", "stream-json", "--verbose"],
  ...["--permission-mode", "bypassPermissions", "--disallowedTools", "AskUserQuestion"],
];

Deno.test("claudeArgs() [CL-9] are the protocol's alone for an empty request", () => {
  assert.deepEqual(claudeArgs(agentRequest("/c", "/w"), ""), BASE);
});

Deno.test("claudeArgs() follow the later order (spec 06 §10.9, §11.1)", () => {
  const request = agentRequest("/c", "/w", {
    model: "m1",
    resumeSessionId: "s1",
    thinkingLevel: "high",
    customArgs: ["--foo", "bar"],
    systemPrompt: "never sent",
  });
  assert.deepEqual(claudeArgs(request, "/t/f.json"), [
    ...BASE,
    "--strict-mcp-config",
    ...["--model", "m1", "--effort", "high", "--resume", "s1", "--foo", "bar", "--mcp-config", "/t/f.json"],
  ]);
});

Deno.test("claudeArgs() give the host's settings last, in the place of the agent's own (spec 06 §11, 04 §20.8)", () => {
  const customArgs = ["--settings", "own.json", "--settings=x", "--foo"];
  const request = agentRequest("/c", "/w", { settingsFile: "/e/s.json", customArgs });
  assert.deepEqual(claudeArgs(request, ""), [...BASE, "--foo", "--settings", "/e/s.json"]);
  assert.deepEqual(claudeArgs({ ...request, settingsFile: "" }, ""), [...BASE, ...customArgs]);
});

Deno.test("claudeArgs() [CL-10] [CL-11] filter extra before custom, and put the prefix first", () => {
  const request = agentRequest("/c", "/w", {
    prefixArgs: ["start", "q36", "--output-format", "text", "--model", "composer-2.5"],
    extraArgs: ["--max-turns", "50", "--mcp-config", "evil"],
    customArgs: ["--output-format", "text", "--model", "o3"],
  });
  assert.deepEqual(claudeArgs(request, ""), [
    ...["start", "q36", "--model", "composer-2.5", ...BASE],
    ...["--max-turns", "50", "--model", "o3"],
  ]);
});

Deno.test("promptLine() [CL-12] is one line with the text block; NUL is left out", () => {
  const line = promptLine("say\n\0pong");
  assert.ok(line.endsWith("\n") && line.indexOf("\n") === line.length - 1);
  assert.deepEqual(JSON.parse(line), {
    type: "user",
    message: { role: "user", content: [{ type: "text", text: "say\npong" }] },
  });
});

Deno.test("allowInForeground() [CL-4] [CL-5] rewrites run_in_background only when it is true", () => {
  const rewritten = allowInForeground({ command: "make", run_in_background: true, timeout: 5 });
  assert.deepEqual(rewritten, {
    behavior: "allow",
    updatedInput: { command: "make", run_in_background: false, timeout: 5 },
  });
  for (const input of [{ command: "ls" }, { run_in_background: "true" }, { run_in_background: false }]) {
    assert.deepEqual(allowInForeground(input), { behavior: "allow", updatedInput: input });
  }
});

Deno.test("claudePreflight() [N-12] refuses only root with bypass and no sandbox flag", () => {
  const bypass = ["--permission-mode", "bypassPermissions"];
  const root = { uid: 0, os: "linux" };
  assert.throws(() => claudePreflight(bypass, {}, root), /IS_SANDBOX=1/);
  assert.throws(() => claudePreflight(["--permission-mode=bypassPermissions"], { IS_SANDBOX: "0" }, root));
  assert.throws(() => claudePreflight(["--dangerously-skip-permissions"], {}, root));
  for (const value of ["1", "true", "yes", "on", "TRUE"]) {
    claudePreflight(bypass, { IS_SANDBOX: value }, root);
  }
  claudePreflight(bypass, {}, { uid: 1000, os: "linux" });
  claudePreflight(bypass, {}, { uid: undefined, os: "linux" });
  claudePreflight(bypass, {}, { uid: 0, os: "windows" });
  claudePreflight(["--permission-mode", "plan"], {}, root);
});

Deno.test("writeMcpFile() [CL-14] has a private directory and is gone after remove()", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const config = { mcpServers: { toy: { command: "x", env: { KEY: "secret" } } } };
    const file = await writeMcpFile(config, dir);
    assert.match(file.path, /\/multica-mcp-[^/]+\/mcp-config\.json$/);
    assert.equal(await Deno.readTextFile(file.path), JSON.stringify(config));
    assert.equal((await Deno.stat(file.path)).mode! & 0o777, 0o600);
    await file.remove();
    assert.deepEqual([...Deno.readDirSync(dir)], []);
    await assert.rejects(writeMcpFile({}, `${dir}/missing`), /^LaunchError: create mcp config temp file: /);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
