import assert from "node:assert/strict";
import fc from "fast-check";
import { readLines } from "../../../lib/core/mod.ts";

async function read(chunks: readonly Uint8Array[], maxBytes?: number) {
  const stream = ReadableStream.from(chunks.map((chunk) => chunk.slice()));
  const lines: string[] = [];
  let cut = 0;
  await readLines(stream, (batch) => {
    lines.push(...batch.lines);
    cut += batch.cut.reduce((sum, { bytes }) => sum + bytes, 0);
  }, maxBytes === undefined ? {} : { maxBytes });
  return { lines, cut };
}

function pieces(text: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...at, bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i]!, edge)).filter((piece) => piece.length > 0);
}

const text = fc.string({ unit: fc.constantFrom("a", "é", "✓", "\n", "x") });

Deno.test("readLines() gives the same lines however the bytes are cut", async () => {
  await fc.assert(fc.asyncProperty(text, fc.array(fc.nat()), async (content, cuts) => {
    const { lines } = await read(pieces(content, cuts));
    const expected = content.split("\n");
    if (expected.at(-1) === "") expected.pop();
    assert.deepEqual(lines, expected);
  }));
});

Deno.test("readLines() keeps every line within the limit and declares the rest, however the bytes are cut", async () => {
  const ascii = fc.string({ unit: fc.constantFrom("a", "\n", "b") });
  await fc.assert(
    fc.asyncProperty(
      ascii,
      fc.array(fc.nat()),
      fc.integer({ min: 1, max: 5 }),
      async (content, cuts, max) => {
        const { lines, cut } = await read(pieces(content, cuts), max);
        const expected = content.split("\n");
        if (expected.at(-1) === "") expected.pop();
        assert.deepEqual(lines, expected.map((line) => line.slice(0, max)));
        assert.equal(cut, expected.reduce((sum, line) => sum + Math.max(0, line.length - max), 0));
      },
    ),
  );
});
