import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { follow, lastLines } from "../../../lib/cli/tail.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

async function withFile(text: string, work: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(dir, "daemon.log"), text);
    await work(join(dir, "daemon.log"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("lastLines() gives the last lines of any file, across its read blocks [03 §7.10]", async () => {
  await withFile("", async (path) => {
    const line = fc.string({ unit: fc.constantFrom("a", "ü", "€"), maxLength: 4000 });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.nat(14), async (lines, count) => {
        await Deno.writeTextFile(path, lines.map((text) => `${text}\n`).join(""));
        const { text } = await lastLines(path, count);
        assert.equal(text, count === 0 ? "" : lines.slice(-count).map((each) => `${each}\n`).join(""));
      }),
      { numRuns: 60 },
    );
  });
});

Deno.test("lastLines() keeps a last line without its newline", async () => {
  await withFile("a\nb\nc", async (path) => {
    assert.equal((await lastLines(path, 2)).text, "b\nc");
    assert.equal((await lastLines(path, 9)).text, "a\nb\nc");
  });
});

Deno.test("follow() passes on what comes, over a rotation, and ends with its signal [03 §17.7]", async () => {
  await withFile("old\n", async (path) => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const seen: string[] = [];
    const done = follow(path, 4, (bytes) => seen.push(new TextDecoder().decode(bytes)), {
      clock,
      signal: abort.signal,
    });
    const until = async (text: string) => {
      for (let n = 0; n < 200 && seen.join("") !== text; n++) await clock.advance(250, { io: true });
      assert.equal(seen.join(""), text);
    };
    await Deno.writeTextFile(path, "one\n", { append: true });
    await until("one\n");
    await Deno.writeTextFile(path, "two\n", { append: true });
    await Deno.rename(path, `${path}.1`);
    await Deno.writeTextFile(path, "three\n");
    await until("one\ntwo\nthree\n");
    abort.abort();
    await done;
  });
});
