import assert from "node:assert/strict";
import fc from "fast-check";
import { patchInput } from "../../../lib/agents/codex_patch.ts";
import { CodexUsage, RolloutScan } from "../../../lib/agents/codex_usage.ts";
import { firstTurnLimit, type Stall, TurnWatch } from "../../../lib/agents/codex_watch.ts";
import { withStderr } from "../../../lib/agents/child_run.ts";
import { StderrTail } from "../../../lib/agents/child_stderr.ts";
import { parseRpc, RpcClient, RpcError, RpcTransportError } from "../../../lib/agents/json_rpc.ts";
import { sanitiseDiagnostic } from "../../../lib/agents/sanitise.ts";
import { utf8Length } from "../../../lib/core/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const buckets = (inputTokens: number, outputTokens: number, cacheReadTokens: number) => ({
  inputTokens,
  outputTokens,
  cacheReadTokens,
  cacheWriteTokens: 0,
});

Deno.test("parseRpc() [CX-1] reads responses, requests and notifications, and nothing else", () => {
  assert.deepEqual(parseRpc('{"id":0,"result":null}'), {
    kind: "response",
    id: 0,
    result: null,
    error: undefined,
  });
  assert.equal(parseRpc('{"id":"a","method":"m"}')?.kind, "request");
  assert.equal(parseRpc('{"method":"m","params":{}}')?.kind, "notification");
  for (const line of ["", "{", "{}", "[]", "null", "7", '{"id":{}}', '{"id":1}']) {
    assert.equal(parseRpc(line), undefined, line);
  }
  fc.assert(fc.property(fc.string(), (line) => void parseRpc(line)));
});

Deno.test("RpcClient [CX-1] [CX-13] matches responses, and writes nothing once closed", async () => {
  const lines: string[] = [];
  const rpc = new RpcClient({ send: (line) => lines.push(line), clock: new FakeClock(), peer: "x" });
  const first = rpc.request("one", {});
  const second = rpc.request("two", {});
  assert.deepEqual(rpc.pending, ["one", "two"]);
  rpc.receive({ kind: "response", id: 99, result: 1, error: undefined });
  rpc.receive({ kind: "response", id: 2, result: undefined, error: { message: "no", code: 5 } });
  rpc.receive({ kind: "response", id: 1, result: "yes", error: undefined });
  assert.equal(await first, "yes");
  await assert.rejects(
    second,
    (error: unknown) => error instanceof RpcError && error.message === "two: no (code=5)",
  );
  const third = rpc.request("three", {});
  rpc.close(new RpcTransportError("codex process exited"));
  await assert.rejects(third, /^RpcTransportError: codex process exited$/);
  await assert.rejects(rpc.request("four", {}), /codex process exited/);
  rpc.notify("late");
  assert.equal(lines.length, 3);
});

Deno.test("RpcClient names the request that was not answered in time, and the write that failed", async () => {
  const clock = new FakeClock();
  let broken = "";
  const rpc = new RpcClient({ send: () => {}, clock, peer: "codex app-server", writeError: () => broken });
  const asked = rpc.request("initialize", {}, 30_000);
  const refused = assert.rejects(
    asked,
    /codex app-server handshake timeout: initialize did not respond after 30s/,
  );
  await clock.advance(30_000);
  await refused;
  broken = "Broken pipe";
  await assert.rejects(rpc.request("turn/start", {}), /write turn\/start: Broken pipe/);
});

Deno.test("CodexUsage [CX-7] subtracts the cache and adds up turn objects", () => {
  const usage = new CodexUsage(() => false);
  usage.turnObject({ usage: { input_tokens: 1000, cached_input_tokens: 300, output_tokens: 50 } });
  assert.deepEqual(usage.usage, buckets(700, 50, 300));
  usage.turnObject({
    token_usage: { prompt_tokens: 10, completion_tokens: 1, cache_creation_input_tokens: 4 },
  });
  assert.deepEqual(usage.usage, { ...buckets(710, 51, 300), cacheWriteTokens: 4 });
});

Deno.test("CodexUsage counts growth of the thread's totals, replays and resets included", () => {
  const total = (inputTokens: number, cachedInputTokens: number, outputTokens: number, last = 0) => ({
    total: { inputTokens, cachedInputTokens, outputTokens },
    last: { inputTokens: last, cachedInputTokens: 0, outputTokens: 0 },
  });
  const resumed = new CodexUsage(() => true);
  resumed.threadTotals(total(1000, 700, 50), false);
  resumed.threadTotals(total(1800, 1400, 100), true);
  assert.deepEqual(resumed.usage, buckets(100, 50, 700));
  const unreplayed = new CodexUsage(() => true);
  unreplayed.threadTotals(total(1000, 0, 0, 200), true);
  assert.equal(unreplayed.usage.inputTokens, 200);
  const reset = new CodexUsage(() => false);
  reset.threadTotals(total(500, 0, 5), true);
  reset.threadTotals(total(500, 0, 5), true);
  reset.threadTotals(total(40, 0, 1), true);
  assert.deepEqual(reset.usage, buckets(540, 6, 0));
});

const rollout = (at: string, totals: object) =>
  JSON.stringify({ timestamp: at, payload: { type: "token_count", info: { total_token_usage: totals } } });

Deno.test("RolloutScan [CX-7] gives the chapter's vectors", () => {
  const start = Date.parse("2026-01-01T10:00:00Z");
  const scan = new RolloutScan(start, true);
  scan.line(
    rollout("2026-01-01T09:00:00Z", {
      input_tokens: 1000,
      cached_input_tokens: 700,
      output_tokens: 50,
      reasoning_output_tokens: 10,
    }),
  );
  scan.line(
    rollout("2026-01-01T10:01:00Z", {
      input_tokens: 1800,
      cached_input_tokens: 1400,
      output_tokens: 100,
      reasoning_output_tokens: 25,
    }),
  );
  assert.deepEqual(scan.result.usage, buckets(100, 65, 700));
  const cache = new RolloutScan(start, true);
  cache.line(rollout("2026-01-01T09:00:00Z", { input_tokens: 100, cached_input_tokens: 100 }));
  cache.line(rollout("2026-01-01T10:00:00Z", { input_tokens: 150, cached_input_tokens: 150 }));
  assert.equal(cache.result.usage.cacheReadTokens, 50);
  const real = new RolloutScan(start, false);
  real.line(
    rollout("", { input_tokens: 100, output_tokens: 20, reasoning_output_tokens: 5, total_tokens: 120 }),
  );
  real.line('{"half');
  real.line(JSON.stringify({ type: "turn_context", payload: { model: "m" } }));
  assert.deepEqual(real.result, { usage: buckets(100, 20, 0), model: "m" });
});

Deno.test("firstTurnLimit() gives the chapter's vectors", () => {
  for (
    const [semantic, limit] of [
      [0, 60_000],
      [-1, 60_000],
      [600_000, 60_000],
      [120_000, 60_000],
      [60_000, 48_000],
      [30_000, 24_000],
      [20_000, 16_000],
      [5_000, 4_000],
      [200, 160],
      [100, 80],
    ] as const
  ) assert.equal(firstTurnLimit(semantic), limit, String(semantic));
  assert.equal(firstTurnLimit(100, 7), 7);
  assert.equal(firstTurnLimit(100, -7), 80);
});

Deno.test("TurnWatch [CX-22] [CX-23] fires once, after silence or without progress", async () => {
  const clock = new FakeClock();
  const stalls: Stall[] = [];
  const watch = (semanticMs: number) => new TurnWatch(clock, { semanticMs }, (stall) => stalls.push(stall));
  const busy = watch(1_000);
  busy.arm();
  busy.activity("status:running");
  for (let i = 0; i < 10; i++) {
    await clock.advance(500);
    busy.activity("item/agentMessage/delta:unknown");
  }
  assert.equal(stalls.length, 0);
  await clock.advance(1_000);
  assert.deepEqual(stalls, [{
    kind: "semantic",
    limitMs: 1_000,
    lastActivity: "item/agentMessage/delta:unknown",
  }]);
  const idle = watch(1_000);
  idle.arm();
  idle.activity("status:running");
  idle.activity("error:retry");
  await clock.advance(800);
  assert.equal(stalls[1]?.kind, "first_turn");
  await clock.advance(5_000);
  assert.equal(stalls.length, 2);
  watch(1_000).stop();
  assert.equal(clock.pending, 0);
});

Deno.test("patchInput() cuts after redaction, at a character, and says so", () => {
  const redact = (text: string) => text.replaceAll("SECRET", "[X]");
  const big = "漢".repeat(40_000) + "SECRET";
  const input = patchInput([{ path: "a", kind: { type: "add" }, diff: "SECRET" }, {
    path: "b",
    kind: { type: "delete" },
    diff: big,
  }], redact);
  const changes = input?.changes as { content: string; truncated?: boolean }[];
  assert.equal(changes[0]?.content, "[X]");
  assert.equal(changes[1]?.truncated, true);
  assert.ok(utf8Length(changes[1]!.content) <= 64 * 1024 && !changes[1]!.content.includes("\ufffd"));
  assert.equal(input?.truncated, true);
  for (const bad of [7, [1], { a: 1 }, [{ kind: "add" }]]) assert.equal(patchInput(bad), undefined);
});

Deno.test("sanitiseDiagnostic() [N-23] hides credentials and control characters, and is idempotent", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["Authorization: Bearer abc def\nnext", "Authorization: [REDACTED]\nnext"],
    ['{"token": "a\\"b", "x": 1}', '{"token": "[REDACTED]", "x": 1}'],
    ["api_key=abc, rest", "api_key=[REDACTED], rest"],
    ["\u001b[31mred\u001b[0m\ttab\u0007", "red\ttab"],
  ];
  for (const [text, clean] of cases) {
    assert.equal(sanitiseDiagnostic(text), clean);
    assert.equal(sanitiseDiagnostic(clean), clean);
  }
  fc.assert(fc.property(fc.string(), (text) => {
    const once = sanitiseDiagnostic(text);
    assert.equal(sanitiseDiagnostic(once), once);
  }));
});

Deno.test("codex stderr [CX-17] is counted whole, kept as a bounded tail, and joined with its label", async () => {
  const tailOf = async (...chunks: string[]) => {
    const tail = new StderrTail(ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk))));
    await tail.done;
    return tail;
  };
  const long = await tailOf("a".repeat(3_000), "b".repeat(1_000), "end\n");
  assert.equal(long.bytes, 4_004);
  assert.ok(long.text().endsWith("bbbend") && long.text().length <= 2_048);
  assert.equal((await tailOf()).text(), "");
  assert.equal(withStderr("broke", "codex", "why"), "broke; codex stderr: why");
  assert.equal(withStderr("broke", "codex", ""), "broke");
  assert.equal(withStderr("", "codex", "why"), "");
});
