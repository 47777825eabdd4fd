import assert from "node:assert/strict";
import { join } from "node:path";
import { getLog } from "../../../lib/core/log.ts";
import { plainLine, type PlainRecord, prettyLine } from "../../../lib/core/log_format.ts";
import { LogFileTrouble, openLogs } from "../../../lib/core/log_sinks.ts";

/** The desktop application's pattern (spec 03 §8). */
const DESKTOP = /^(\d{2}:\d{2}:\d{2}\.\d{3})\s+(DEBUG|DBG|INFO|INF|WARN|WRN|ERROR|ERR)(?:[+-]\d+)?\s+(.+)$/;

async function withDir(work: (dir: string) => Promise<void> | void): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const RECORD: PlainRecord = {
  timestamp: Date.UTC(2026, 10, 25, 12, 0, 0, 7),
  level: "info",
  component: "tasks",
  message: "task finished",
  fields: { task: "550e8400", note: "two words", empty: "", quote: 'a"b', line: "a\nb" },
};

Deno.test("plainLine() is the line the desktop application reads, with a date at its end [03 §8]", () => {
  const line = plainLine(RECORD);
  const match = DESKTOP.exec(line.trimEnd());
  assert.ok(match, line);
  assert.equal(match[2], "INF");
  assert.equal(
    match[3],
    'task finished component=tasks task=550e8400 note="two words" empty="" quote="a\\"b" line="a\\nb" ts=2026-11-25T12:00:00.007Z',
  );
  assert.equal(line.split("\n").length, 2);
});

Deno.test("plainLine() keeps a message with newlines on one line", () => {
  assert.match(plainLine({ ...RECORD, message: "a\r\nb" }), / INF a b component=/);
});

Deno.test("prettyLine() has colours only when asked", () => {
  assert.ok(!prettyLine(RECORD, false).includes("\x1b"));
  assert.ok(prettyLine({ ...RECORD, level: "error" }, true).includes("\x1b[31mERR"));
});

Deno.test("openLogs() writes masked lines of the level and above, file 0600 [03 §8]", async () => {
  await withDir(async (dir) => {
    const path = join(dir, "profile", "daemon.log");
    const streamed: string[] = [];
    const logs = openLogs({
      level: "info",
      mask: (text) => text.replaceAll("mul_secret", "***"),
      file: { path, maxBytes: 1_000_000, maxFiles: 5 },
      stream: { write: (text) => streamed.push(text), pretty: false, colour: false },
    });
    const log = getLog("engine", "sync");
    log.debug("not seen");
    log.info("token mul_secret used", {
      header: "Bearer mul_secret",
      error: new Error("bad mul_secret"),
      count: 3,
    });
    log.warn("nested", { value: { token: "mul_secret" } });
    logs.close();
    log.info("after close");
    const text = await Deno.readTextFile(path);
    assert.ok(!text.includes("mul_secret"), text);
    assert.match(
      text,
      /INF token \*\*\* used component=engine\/sync header="Bearer \*\*\*" error="bad \*\*\*" count=3 ts=/,
    );
    assert.equal(text.trimEnd().split("\n").length, 2);
    assert.equal(streamed.join(""), text);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  });
});

Deno.test("openLogs() rotates by size and keeps the number of files [03 §17.7]", async () => {
  await withDir(async (dir) => {
    const path = join(dir, "daemon.log");
    const logs = openLogs({
      level: "info",
      mask: (text) => text,
      file: { path, maxBytes: 300, maxFiles: 2 },
    });
    const log = getLog("core");
    for (let n = 0; n < 20; n++) log.info("line", { n });
    logs.close();
    const names = [...Deno.readDirSync(dir)].map((entry) => entry.name).sort();
    assert.deepEqual(names, ["daemon.log", "daemon.log.1", "daemon.log.2"]);
    for (const name of names) assert.ok((await Deno.stat(join(dir, name))).size <= 300, name);
    assert.match(await Deno.readTextFile(path), / n=19 /);
  });
});

Deno.test("openLogs() goes on after a write failed and says how many lines were lost [f07]", async () => {
  await withDir(async (dir) => {
    const sub = join(dir, "sub");
    const path = join(sub, "daemon.log");
    const logs = openLogs({
      level: "info",
      mask: (text) => text,
      file: { path, maxBytes: 100, maxFiles: 1 },
    });
    const log = getLog("core");
    log.info("first");
    await Deno.remove(sub, { recursive: true });
    log.info("lost one");
    log.info("lost two");
    await Deno.mkdir(sub);
    log.info("back");
    logs.close();
    const text = await Deno.readTextFile(path);
    assert.match(text, /WRN log lines could not be written component=log lost=2 /);
    assert.match(text, /INF back /);
  });
});

Deno.test("openLogs() refuses a file that cannot be opened in one sentence", async () => {
  await withDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "file"), "");
    const path = join(dir, "file", "daemon.log");
    assert.throws(
      () => openLogs({ level: "info", mask: (text) => text, file: { path, maxBytes: 100, maxFiles: 1 } }),
      (error) => error instanceof LogFileTrouble && error.message.includes(path) && error.hint !== undefined,
    );
  });
});

Deno.test("attachFile() opens the file only when asked, and gives it what was logged before", async () => {
  await withDir(async (dir) => {
    const path = join(dir, "daemon.log");
    const logs = openLogs({ level: "info", mask: (text) => text });
    getLog("core").info("before");
    assert.deepEqual([...Deno.readDirSync(dir)], []);
    logs.attachFile({ path, maxBytes: 1e6, maxFiles: 2 });
    getLog("core").info("after");
    logs.close();
    assert.match(await Deno.readTextFile(path), / before .*\n.* after .*\n$/);
  });
});
