import assert from "node:assert/strict";
import { nearest } from "../../../lib/cli/nearest.ts";
import { presentError } from "../../../lib/cli/present_error.ts";
import { ago, labelled, table } from "../../../lib/cli/table.ts";
import { endLines, messageLines, painter, shortTask } from "../../../lib/cli/task_lines.ts";
import { RequestError, TransportError } from "../../../lib/control/mod.ts";
import { HostError } from "../../../lib/core/mod.ts";
import type { LocalTask } from "../../../lib/plane/mod.ts";

function presented(error: unknown, debug = false): { code: number; text: string } {
  const lines: string[] = [];
  const code = presentError(error, (text) => lines.push(text), debug);
  return { code, text: lines.join("\n") };
}

Deno.test("presentError() gives each class its sentence, hint and exit code [03 §13.2] [03 §13.3]", () => {
  const status = (status: number, body = "") =>
    new RequestError({ method: "GET", path: "/api/x", status, body });
  const transport = (kind: ConstructorParameters<typeof TransportError>[0]) =>
    new TransportError(kind, "GET", "/api/x", "why");
  const cases: [HostError, number, RegExp][] = [
    [transport("network_timeout"), 2, /did not answer in time[^]*MULTICA_HTTP_TIMEOUT/],
    [transport("network_dns"), 2, /name cannot be found[^]*--server-url/],
    [transport("network_refused"), 2, /Nobody answers/],
    [transport("network_tls"), 2, /secure connection[^]*clock[^]*CA/],
    [transport("network_offline"), 2, /cannot be reached/],
    [status(401), 3, /does not accept the token[^]*login/],
    [status(403), 3, /refuses[^]*administrator/],
    [status(404), 4, /does not know/],
    [status(409, '{"error":"Name is taken"}'), 1, /same time: Name is taken/],
    [status(400, '{"code":"bad","message":"Too long"}'), 5, /Invalid request: Too long/],
    [status(422, "plain"), 5, /Invalid request\n.*--help/],
    [status(429), 1, /slow down/],
    [
      status(503, '{"error":"db_down","detail":"The database is away"}'),
      1,
      /has a problem: The database is away/,
    ],
  ];
  for (const [error, code, text] of cases) {
    const shown = presented(error);
    assert.equal(shown.code, code, error.message);
    assert.match(shown.text, text);
    assert.ok(!shown.text.includes("/api/x"), shown.text);
  }
});

Deno.test("presentError() keeps a message of ours, and shows the chain with --debug only [03 §13.3]", () => {
  const error = new HostError("Cannot do it", {
    code: "x",
    exitCode: 7,
    hint: "do that",
    cause: new Error("inner"),
  });
  assert.deepEqual(presented(error), { code: 7, text: "error: Cannot do it\n  → do that" });
  const { text } = presented(error, true);
  assert.match(text, /\n\n\[debug\] [^]*Cannot do it[^]*code=x/);
  assert.match(text, /\[debug\] Error: inner/);
  assert.equal(presented(new Error("bug")).code, 1);
});

Deno.test("nearest() finds the word that was meant, and none when nothing is near", () => {
  const words = ["status", "stop", "logs", "local", "login", "agents"];
  assert.equal(nearest("stauts", words), "status");
  assert.equal(nearest("log", words), "logs");
  assert.equal(nearest("agent", words), "agents");
  assert.equal(nearest("frobnicate", words), undefined);
});

Deno.test("labelled() aligns values also with a long label [03 §7.9]", () => {
  assert.deepEqual(labelled([["Host [staging]", "running"], ["Agents", "claude"]]), [
    "Host [staging]:  running",
    "Agents:          claude",
  ]);
});

Deno.test("table() pads columns, never the last one", () => {
  assert.deepEqual(table([["a", "b"], ["long", "c"]], ["X", "Y"]), ["X     Y", "a     b", "long  c"]);
});

Deno.test("ago() speaks in the unit that fits", () => {
  assert.deepEqual([0, 30, 90, 7200, 200_000].map((s) => ago(0, s * 1000)), [
    "just now",
    "30s ago",
    "1m ago",
    "2h ago",
    "2d ago",
  ]);
});

const plain = painter(false);

Deno.test("messageLines() shows what an agent does in few lines", () => {
  const at = { created_at: "2026-01-01T00:00:00Z" };
  assert.deepEqual(
    messageLines({ ...at, seq: 1, type: "tool_use", tool: "Bash", input: { command: "ls\n-la" } }, plain),
    ["→ Bash ls -la"],
  );
  const output = Array.from({ length: 9 }, (_, n) => `line ${n}`).join("\n");
  const result = messageLines({ ...at, seq: 2, type: "tool_result", output }, plain);
  assert.equal(result.length, 7);
  assert.equal(result.at(-1), "  … 3 more lines");
  assert.deepEqual(messageLines({ ...at, seq: 3, type: "tool_result", output: '"done\\n"' }, plain), [
    "  done",
  ]);
  assert.deepEqual(messageLines({ ...at, seq: 4, type: "text", content: "Hello\n" }, plain), ["", "Hello"]);
  assert.ok(!messageLines({ ...at, seq: 5, type: "error", content: "bad" }, plain)[0]!.includes("\x1b"));
  assert.ok(
    messageLines({ ...at, seq: 5, type: "error", content: "bad" }, painter(true))[0]!.includes("\x1b[31m"),
  );
});

Deno.test("endLines() tells how a task ended", () => {
  const task = {
    status: "failed",
    started_at: 1000,
    completed_at: 43_040,
    error: "model not found",
    failure_reason: "agent_error.model_not_found",
    work_dir: "/w",
    session_id: "",
  } as LocalTask;
  assert.deepEqual(endLines(task, [], plain), [
    "✗ failed in 42s",
    "  model not found",
    "  reason: agent_error.model_not_found",
    "  work directory: /w",
  ]);
  assert.equal(shortTask("01a212f6-7a9a-7bb0-8096-3e7a736b79fb"), "736b79fb");
});
