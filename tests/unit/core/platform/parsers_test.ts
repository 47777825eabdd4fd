import assert from "node:assert/strict";
import { parseMarked, parseStats } from "../../../../lib/core/platform/linux.ts";
import { clockMs, parsePs, parsePsEnvironments } from "../../../../lib/core/platform/darwin.ts";
import { parseProcessList } from "../../../../lib/core/platform/windows.ts";

const TAIL = "34816 42 4194304 100 0 0 0 7 3 2 1 20 0 1 0 5000 1 1 1";

Deno.test("parseStats() reads ids, age, CPU with waited-for children, and zombies", () => {
  const rows = parseStats(`100.00 50.00\n42 (sh) S 1 42 42 ${TAIL}\n43 (x) Z 42 42 42 ${TAIL}\n`);
  assert.deepEqual(rows[0], {
    pid: 42,
    parent: 1,
    group: 42,
    session: 42,
    start: "5000",
    ageMs: 50_000,
    cpuMs: 130,
    zombie: false,
  });
  assert.equal(rows[1]?.zombie, true);
});

Deno.test("parseStats() is not misled by blanks, parentheses or newlines in a command", () => {
  const rows = parseStats(
    `7 (a) S 1 (b)) S 3 7 7 ${TAIL}\n8 (evil\n\n9 (q) R) S 3 8 8 ${TAIL}\n10 (z) R 1 1 1 ${TAIL}\n`,
  );
  assert.deepEqual(rows.map((row) => [row.pid, row.parent]), [[7, 3], [8, 3], [10, 1]]);
});

Deno.test("parseStats() skips what is no stat line", () => {
  assert.deepEqual(parseStats("cat: /proc/1/stat: gone\n\n12 (short) S 1 2\n"), []);
});

Deno.test("parseMarked() sorts pids by marker, values with '=' and ':' included", () => {
  const found = parseMarked("/proc/5/environ:M=a\0/proc/6/environ:M=b=c:d\0/proc/7/environ:M=a\0");
  assert.deepEqual([...found], [["M=a", [5, 7]], ["M=b=c:d", [6]]]);
});

Deno.test("parsePs() reads macOS rows", () => {
  const rows = parsePs(
    "  501   1   501 Ss    1:02.50 02-03:04:05 Wed Nov 25 13:09:48 2026\nPID junk\n 502 501 501 Z 0:00.00 00:01 Wed Nov  5 13:09:48 2026\n",
  );
  assert.equal(rows.length, 2);
  assert.deepEqual(rows[0], {
    pid: 501,
    parent: 1,
    group: 501,
    session: 0,
    start: "Wed Nov 25 13:09:48 2026",
    ageMs: ((2 * 24 + 3) * 3600 + 4 * 60 + 5) * 1000,
    cpuMs: 62_500,
    zombie: false,
  });
  assert.equal(rows[1]?.zombie, true);
});

Deno.test("clockMs() reads every ps time form", () => {
  assert.deepEqual(["0:01.25", "01:02", "1:00:00", "1-00:00:00", "", "x"].map(clockMs), [
    1250,
    62_000,
    3_600_000,
    86_400_000,
    undefined,
    undefined,
  ]);
});

Deno.test("parsePsEnvironments() takes whole words only", () => {
  const text = " 11 node a.js M=1 HOME=/x\n12 sh M=12 Z=1\n13 sh XM=1\n";
  assert.deepEqual([...parsePsEnvironments(text, ["M=1"])], [["M=1", [11]]]);
});

Deno.test("parseProcessList() drops a parent that is younger than its child (recycled pid)", () => {
  const text = "4|0||10000\r\n100|4|2026-11-25T10:00:00.0000000Z|20000\r\n" +
    "200|100|2026-11-25T10:00:01.0000000Z|0\r\n300|200|2026-11-25T09:00:00.0000000Z|0\r\nnow|2026-11-25T10:00:02.0000000Z\r\n";
  const rows = parseProcessList(text);
  assert.deepEqual(rows.map((row) => [row.pid, row.parent, row.ageMs, row.cpuMs]), [
    [4, 0, undefined, 1],
    [100, 4, 2000, 2],
    [200, 100, 1000, 0],
    [300, 0, 3_602_000, 0],
  ]);
});
