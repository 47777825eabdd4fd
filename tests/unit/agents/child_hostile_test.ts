/** Hostile agents: bounded memory, the right verdict, no process left. */
import assert from "node:assert/strict";
import { claudeDriver } from "../../../lib/agents/claude.ts";
import type { AgentEvent, AgentResult, RunRequest } from "../../../lib/agents/mod.ts";
import type { EndReport } from "../../../lib/core/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";
import { markerAlive } from "../../helpers/process_control.ts";

const INIT = '{"type":"system","session_id":"s-1"}';
const DONE = '{"type":"result","subtype":"success","session_id":"s-1","result":"Done."}';

interface Outcome {
  readonly result: AgentResult;
  readonly report: EndReport;
  readonly events: AgentEvent[];
  /** Highest growth of resident memory seen while it ran, bytes. */
  readonly memory: number;
}

async function attack(body: string, more: Partial<RunRequest> = {}, keep = true): Promise<Outcome> {
  const dir = await Deno.makeTempDir();
  const before = Deno.memoryUsage().rss;
  let memory = 0;
  const gauge = setInterval(() => memory = Math.max(memory, Deno.memoryUsage().rss - before), 20);
  try {
    const cli = await script(`${dir}/cli`, `#!/bin/sh\n${body}\n`);
    const request = agentRequest(cli, dir, more);
    const started = await startAgent(
      claudeDriver,
      request,
      keep ? {} : { emit: () => void started?.events.splice(0) },
    );
    const result = await started.run.result;
    const report = await started.run.ended;
    assert.equal(report.empty, true);
    assert.equal(markerAlive(request.marker), false);
    return { result, report, events: started.events, memory };
  } finally {
    clearInterval(gauge);
    await Deno.remove(dir, { recursive: true });
  }
}

const say = (line: string) => `printf '%s\\n' '${line}'`;

Deno.test("hostile agent: a line of 64 MiB is cut, declared, and costs bounded memory", async () => {
  const { result, events, memory } = await attack(
    `${say(INIT)}; head -c 67108864 /dev/zero | tr '\\0' x; echo; ${say(DONE)}; read -r p; read -r rest`,
  );
  assert.equal(result.status, "completed");
  assert.deepEqual(events.filter((event) => event.type === "gap").map((event) => event.bytes), [
    64 * 1024 * 1024 - 16 * 1024,
  ]);
  assert.ok(memory < 150e6, `${Math.round(memory / 1e6)} MB`);
});

Deno.test("hostile agent [N-6]: an over-long line and no result is a read error, also when it was the result itself", async () => {
  const flood = "head -c 40000000 /dev/zero | tr '\\0' x";
  const first = await attack(`read -r p; ${say(INIT)}; ${flood}; echo; exit 0`);
  assert.deepEqual([first.result.status, first.result.output], ["failed", ""]);
  assert.match(first.result.error, /^claude stdout read error: /);
  const second = await attack(
    `${say(INIT)}; printf '%s' '{"type":"result","result":"'; ${flood}; echo '"}'; read -r p; read -r rest`,
  );
  assert.match(second.result.error, /^claude stdout read error: /);
});

Deno.test("hostile agent: invalid UTF-8 and NULs cost no event around them", async () => {
  const { result, events } = await attack(
    `${say(INIT)}; printf '\\377\\376\\0\\0\\n'
printf '{"type":"assistant","message":{"content":[{"type":"text","text":"a\\303(b\\\\u0000"}]}}\\n'
${say(DONE)}; read -r p; read -r rest`,
  );
  assert.equal(result.status, "completed");
  assert.deepEqual(events.filter((event) => event.type === "text"), [{ type: "text", text: "a\ufffd(b\0" }]);
});

Deno.test("hostile agent: half a JSON line at the exit is no event and no crash", async () => {
  const { result } = await attack(`read -r p; ${say(INIT)}; printf '{"type":"result","resu'; exit 0`);
  assert.equal(result.error, "claude stream ended without terminal result");
});

Deno.test("hostile agent: output after the result changes nothing", async () => {
  const late = '{"type":"result","is_error":true,"result":"late"}';
  const { result } = await attack(`${say(INIT)}; ${say(DONE)}; ${say(late)}; read -r p; exit 7`);
  assert.deepEqual([result.status, result.output], ["completed", "Done."]);
});

Deno.test("hostile agent: a double-forked daemon that holds the pipes does not hold the run", async () => {
  const began = performance.now();
  const { result, report } = await attack(
    `(setsid sh -c 'trap "" TERM; while :; do sleep 1; done' & ) ; ${say(INIT)}; ${say(DONE)}; exit 0`,
  );
  assert.equal(result.status, "completed");
  assert.equal(report.killed, true);
  assert.ok(performance.now() - began < 7_000); // grace of 5 s + 2 s
});

Deno.test("hostile agent: stderr without end is drained, its tail kept", async () => {
  const { result, memory } = await attack(
    `read -r p; head -c 100000000 /dev/zero | tr '\\0' e >&2; printf 'é last words' >&2; exit 3`,
  );
  assert.match(result.error, /claude stderr: e+é last words$/);
  assert.ok(result.error.length < 2_200);
  assert.ok(memory < 150e6, `${Math.round(memory / 1e6)} MB`);
});

Deno.test("hostile agent: half a gigabyte of events at full speed leaves memory flat", async () => {
  const line = JSON.stringify({
    type: "assistant",
    message: { id: "m", model: "x", content: [{ type: "text", text: "y".repeat(4_000) }] },
  });
  const { result, memory } = await attack(
    `${say(INIT)}; yes '${line}' | head -c 500000000; echo; ${say(DONE)}; read -r p; read -r rest`,
    {},
    false,
  );
  assert.equal(result.status, "completed", result.error);
  assert.ok(memory < 200e6, `${Math.round(memory / 1e6)} MB`);
});

Deno.test("hostile agent: permission requests without end that nobody reads answers to stay bounded", async () => {
  const ask = JSON.stringify({
    type: "control_request",
    request_id: "r",
    request: { tool_name: "Bash", input: { command: "x".repeat(1_000) } },
  });
  const { result, memory } = await attack(
    `yes '${ask}' | head -c 300000000; sleep 100`,
    { timeoutMs: 4_000 },
    false,
  );
  assert.equal(result.status, "timeout");
  assert.ok(memory < 200e6, `${Math.round(memory / 1e6)} MB`);
});
