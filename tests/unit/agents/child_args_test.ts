/** The argument filter, the launch prefix and the loggable form, with the chapter's vectors. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type BlockedFlags, filterArgs, filterPrefix, loggableArgs } from "../../../lib/agents/args.ts";
import { CLAUDE_BLOCKED } from "../../../lib/agents/claude_args.ts";

const COPILOT: BlockedFlags = {
  "-p": "value",
  "--output-format": "value",
  "--resume": "value",
  "--allow-all": "none",
  "--acp": "none",
};
const CURSOR: BlockedFlags = { "--output-format": "value", "-p": "none", "--yolo": "none" };
const CODEX: BlockedFlags = { "--listen": "value" };

const VECTORS: readonly [BlockedFlags, string[], string[]][] = [
  [CLAUDE_BLOCKED, ["--output-format", "text", "--model", "o3"], ["--model", "o3"]],
  [CLAUDE_BLOCKED, ["--permission-mode=plan", "--verbose"], ["--verbose"]],
  [CLAUDE_BLOCKED, ["-p", "--max-turns", "10"], ["--max-turns", "10"]],
  [CLAUDE_BLOCKED, ["--deny-tool='write'"], ["--deny-tool=write"]],
  [CLAUDE_BLOCKED, ['--deny-tool="write"'], ["--deny-tool=write"]],
  [CLAUDE_BLOCKED, ["'write'"], ["write"]],
  [CLAUDE_BLOCKED, ['model="o3"'], ['model="o3"']],
  [CLAUDE_BLOCKED, [`--flag='val"`], [`--flag='val"`]],
  [CLAUDE_BLOCKED, ["--output-format='json'", "--verbose"], ["--verbose"]],
  [CLAUDE_BLOCKED, ["--output-format", "--verbose", "x"], ["x"]],
  [CLAUDE_BLOCKED, ["--effort"], []],
  [CLAUDE_BLOCKED, ["'--effort'", "max", "-x"], ["-x"]],
  [COPILOT, ["-p", "evil", "--resume", "bad", "--acp", "--max-turns", "50"], ["--max-turns", "50"]],
  [CURSOR, ["--extra", "val", "--yolo", "--output-format", "text"], ["--extra", "val"]],
  [CODEX, ["--listen", "tcp://evil", "--sandbox", "read-only", "--listen=bad"], ["--sandbox", "read-only"]],
  [CODEX, ["-c", 'model="o3"'], ["-c", 'model="o3"']],
  [CLAUDE_BLOCKED, [], []],
];

Deno.test("filterArgs() [CL-22] gives the chapter's vectors (spec 06 §10.1)", () => {
  for (const [blocked, input, output] of VECTORS) {
    const before = [...input];
    assert.deepEqual(filterArgs("test", input, blocked), output, input.join(" "));
    assert.deepEqual(input, before);
  }
});

Deno.test("filterArgs() lets an optional value go only when it is no flag", () => {
  const blocked: BlockedFlags = { "-w": "optional" };
  assert.deepEqual(filterArgs("test", ["-w", "tree", "x"], blocked), ["x"]);
  assert.deepEqual(filterArgs("test", ["-w", "--next"], blocked), ["--next"]);
});

Deno.test("filterPrefix() keeps a wrapper's sub-commands and drops protocol flags (spec 06 §11.3)", () => {
  const first = ["start", "q36", "-p", "--output-format", "text", "--model", "composer-2.5"];
  assert.deepEqual(filterPrefix("claude", first, CLAUDE_BLOCKED), [
    "start",
    "q36",
    "--model",
    "composer-2.5",
  ]);
  const second = ["start", "--permission-mode", "ask", "q36", "--output-format=text"];
  assert.deepEqual(filterPrefix("claude", second, CLAUDE_BLOCKED), ["start", "q36"]);
  const acp: BlockedFlags = { "acp": "none", "--yolo": "none" };
  assert.deepEqual(filterPrefix("test", ["acp", "--yolo"], acp), ["acp"]);
});

Deno.test("loggableArgs() shows flag names and sub-commands only (spec 06 §11.8)", () => {
  const input = ["--api-key", "s3cret", "--token=abc", "-c", 'model="x"', "-not-a-short-flag"];
  assert.deepEqual(loggableArgs([...input, `--${"a".repeat(64)}`, "--verbose"]), [
    ...["--api-key", "<redacted>", "--token", "-c", "<redacted>", "<redacted>", "<redacted>", "--verbose"],
  ]);
  assert.deepEqual(loggableArgs(["app-server", "x"], ["app-server"]), ["app-server", "<redacted>"]);
});

Deno.test("filterArgs() never lets a blocked flag through, whatever the quoting", () => {
  const token = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "--output-format",
      "'-p'",
      '--effort="x"',
      "--permission-mode=plan",
      "--model",
      "'--mcp-config'",
    ),
  );
  fc.assert(fc.property(fc.array(token), (args) => {
    const kept = filterArgs("test", args, CLAUDE_BLOCKED);
    assert.ok(kept.length <= args.length);
    assert.ok(kept.every((one) => !Object.hasOwn(CLAUDE_BLOCKED, one.split("=")[0]!) || one.startsWith("=")));
  }));
});
