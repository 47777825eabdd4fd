import assert from "node:assert/strict";
import fc from "fast-check";
import type { AgentEvent } from "../../../lib/agents/mod.ts";
import type { TaskMessage } from "../../../lib/control/mod.ts";
import { Redactor, utf8Length } from "../../../lib/core/mod.ts";
import { type EncodedBatch, Transcript } from "../../../lib/tasks/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const SECRET = "geheim-wort-42";

function open(options: { lastSeq?: number; fail?: () => boolean } = {}) {
  const clock = new FakeClock();
  const batches: EncodedBatch[] = [];
  const transcript = new Transcript({
    clock,
    redactor: new Redactor({ secrets: [SECRET] }),
    lastSeq: options.lastSeq ?? 0,
    flush: (more) => {
      if (options.fail?.()) throw new Error("full");
      batches.push(...more);
    },
  });
  const rows = () => batches.flatMap(rowsOf);
  return { clock, transcript, batches, rows };
}

function rowsOf(batch: EncodedBatch): TaskMessage[] {
  return JSON.parse(new TextDecoder().decode(batch.body)).messages;
}

Deno.test("Transcript numbers rows in true order: text stands before the tool call it was said before", () => {
  const { transcript } = open();
  const events: AgentEvent[] = [
    { type: "text", text: "first " },
    { type: "text", text: "words" },
    { type: "tool_use", tool: "Bash", callId: "c", input: { command: "ls" } },
    { type: "thinking", text: "hm" },
    { type: "tool_result", callId: "c", output: "out" },
    { type: "error", text: "" },
    { type: "log", level: "info", text: "no row" },
    { type: "activity" },
    { type: "gap", what: "an over-long line", bytes: 9 },
  ];
  for (const event of events) transcript.push(event);
  assert.equal(transcript.toolCount, 1);
  assert.deepEqual(transcript.close().flatMap(rowsOf), [
    { seq: 1, type: "text", content: "first words" },
    { seq: 2, type: "tool_use", tool: "Bash", input: { command: "ls" } },
    { seq: 3, type: "thinking", content: "hm" },
    { seq: 4, type: "tool_result", tool: "Bash", output: "out" },
    { seq: 5, type: "error" },
    { seq: 6, type: "error", content: "[transcript gap: an over-long line, 9 bytes left out]" },
  ]);
});

Deno.test("Transcript flushes after 250 ms, then 500 ms, and keeps no timer while nothing waits", async () => {
  const { clock, transcript, rows } = open();
  assert.equal(clock.pending, 0);
  transcript.push({ type: "text", text: "Hello." });
  await clock.advance(249);
  assert.equal(rows().length, 0);
  await clock.advance(1);
  assert.equal(rows().length, 1);
  assert.equal(clock.pending, 0);
  transcript.push({ type: "text", text: "More." });
  await clock.advance(499);
  assert.equal(rows().length, 1);
  await clock.advance(1);
  assert.deepEqual(rows().map((row) => [row.seq, row.content]), [[1, "Hello."], [2, "More."]]);
  assert.equal(clock.pending, 0);
});

Deno.test("Transcript holds a possible secret over a flush, and lets the rest go when nothing more comes [f17]", async () => {
  const { clock, transcript, rows } = open();
  transcript.push({ type: "text", text: "see geheim" });
  await clock.advance(250);
  assert.deepEqual(rows().map((row) => row.content), ["see "]);
  transcript.push({ type: "text", text: "-wort-42 ok" });
  await clock.advance(500);
  await clock.advance(500);
  assert.equal(rows().map((row) => row.content).join(""), "see [REDACTED] ok");
  assert.equal(clock.pending, 0);
});

Deno.test("Transcript flushes at once when 256 KiB wait, and keeps batches within 500 rows", () => {
  const { transcript, batches } = open();
  for (let i = 0; i < 40; i++) {
    transcript.push({ type: "tool_result", callId: "", output: "x".repeat(8_000) });
  }
  assert.ok(batches.length >= 1);
  for (let i = 0; i < 1_200; i++) transcript.push({ type: "error", text: "e" });
  const rest = transcript.close();
  assert.ok(rest.every((batch) => batch.lastSeq - batch.firstSeq < 500));
  assert.deepEqual(
    [...batches, ...rest].flatMap(rowsOf).map((row) => row.seq),
    Array.from({ length: 1_240 }, (_, i) => i + 1),
  );
});

Deno.test("Transcript cuts outputs at a character, 8192 bytes, and splits long text", () => {
  const { transcript, rows: flushed } = open();
  transcript.push({ type: "tool_result", callId: "", output: "ä".repeat(5_000) });
  transcript.push({ type: "tool_result", callId: "", output: "😀".repeat(2_100) });
  transcript.push({ type: "tool_result", callId: "", output: "a ".repeat(10_000_000) });
  transcript.push({ type: "text", text: "😀".repeat(100_001) });
  const last = transcript.close().flatMap(rowsOf);
  const rows = [...flushed(), ...last];
  assert.equal(rows[0]!.output, "ä".repeat(4_096));
  assert.equal(rows[1]!.output, "😀".repeat(2_048));
  assert.equal(utf8Length(rows[2]!.output!), 8_192);
  assert.equal(rows.slice(3).map((row) => row.content).join(""), "😀".repeat(100_001));
});

Deno.test("Transcript masks at the cut: a secret across byte 8192 loses all of its parts [f17]", () => {
  const { transcript } = open();
  transcript.push({ type: "tool_result", callId: "", output: "x ".repeat(4_092) + SECRET });
  transcript.push({ type: "tool_result", callId: "", output: "x ".repeat(32_765) + SECRET });
  const text = JSON.stringify(transcript.close().flatMap(rowsOf));
  assert.ok(!text.includes("geheim"));
});

Deno.test("Transcript keeps the beginning of an output that is one endless word", () => {
  const { transcript } = open();
  for (const size of [65_536, 98_304, 100_000, 5_000_000]) {
    transcript.push({ type: "tool_result", callId: "", output: "x".repeat(size) });
  }
  assert.deepEqual(transcript.close().flatMap(rowsOf).map((row) => row.output!.length), [
    8192,
    8192,
    8192,
    8192,
  ]);
});

Deno.test("Transcript tears no character where it masks and encodes a step of a long text", () => {
  const { transcript } = open();
  transcript.push({ type: "text", text: "a".repeat(8_190) + " \ud83d" });
  transcript.push({ type: "text", text: "\ude00 end" });
  assert.equal(
    transcript.close().flatMap(rowsOf).map((row) => row.content).join(""),
    `${"a".repeat(8_190)} 😀 end`,
  );
});

Deno.test("Transcript removes NUL and lone surrogates, also in nested input", () => {
  const { transcript } = open();
  transcript.push({ type: "text", text: "a\0b\ud800c\\u0000" });
  transcript.push({ type: "tool_use", tool: "T", callId: "", input: { "k\0": ["v\0\0", "\\u0000"] } });
  const rows = transcript.close().flatMap(rowsOf);
  assert.equal(rows[0]!.content, "ab\ufffdc\\u0000");
  assert.deepEqual(rows[1]!.input, { k: ["v", "\\u0000"] });
});

Deno.test("Transcript numbers go on after an earlier claim and over a fresh retry [C11.6]", () => {
  const { transcript } = open({ lastSeq: 7 });
  transcript.push({ type: "text", text: "one" });
  transcript.resetTools();
  transcript.push({ type: "text", text: "two" });
  assert.deepEqual(transcript.close().flatMap(rowsOf).map((row) => [row.seq, row.content]), [[8, "one"], [
    9,
    "two",
  ]]);
});

Deno.test("Transcript keeps rows the journal does not take, and declares a gap when there are too many [f07]", async () => {
  let full = true;
  const { clock, transcript, rows } = open({ fail: () => full });
  for (let i = 0; i < 2_000; i++) {
    transcript.push({ type: "tool_result", callId: "", output: "x".repeat(8_000) });
  }
  assert.ok(transcript.pending < 6 * 1024 * 1024);
  full = false;
  await clock.advance(1_000);
  const found = [...rows(), ...transcript.close().flatMap(rowsOf)];
  assert.match(found[0]!.content!, /^\[transcript gap: the disk was full, entries 1–\d+ are lost\]$/);
  assert.equal(found.at(-1)!.seq, 2_000);
});

Deno.test("Transcript keeps every word in order for any events and flushes", () => {
  const event = fc.oneof(
    fc.record({ type: fc.constant("text" as const), text: fc.string({ maxLength: 12 }) }),
    fc.record({ type: fc.constant("thinking" as const), text: fc.string({ maxLength: 12 }) }),
    fc.constant({ type: "tool_use" as const, tool: "T", callId: "1" }),
    fc.constant("flush" as const),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const { transcript, rows } = open();
      let said = "";
      for (const one of events) {
        if (one === "flush") transcript.flush();
        else {
          transcript.push(one);
          said += one.type === "tool_use" ? "|" : one.text;
        }
      }
      const all = [...rows(), ...transcript.close().flatMap(rowsOf)];
      assert.deepEqual(all.map((row) => row.seq), all.map((_, i) => i + 1));
      const text = all.map((row) => row.type === "tool_use" ? "|" : row.content).join("");
      // A string of single units may hold lone surrogates whose partner comes with the next event.
      if (said.isWellFormed()) {
        assert.equal(text.replaceAll("\ufffd", ""), new Redactor().text(said).replaceAll("\0", ""));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("Transcript masks a secret learned while half of it is held back", () => {
  const { transcript } = open();
  transcript.push({ type: "text", text: "the key is neues-" });
  transcript.maskWith(new Redactor({ secrets: [SECRET, "neues-wort-77"] }));
  transcript.push({ type: "text", text: "wort-77, and geheim-wort-42." });
  transcript.push({ type: "tool_use", tool: "Bash", callId: "c", input: { command: "echo neues-wort-77" } });
  const text = JSON.stringify(transcript.close().flatMap(rowsOf));
  assert.ok(!text.includes("wort-77") && !text.includes(SECRET), text);
});
