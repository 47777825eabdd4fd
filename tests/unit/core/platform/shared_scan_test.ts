import assert from "node:assert/strict";
import { type ProcessScan, SharedScan } from "../../../../lib/core/mod.ts";
import { FakeClock } from "../../../helpers/fake_clock.ts";

Deno.test("SharedScan runs one scan at a time and gives all who ask meanwhile the next one", async () => {
  const rounds: { markers: readonly string[]; done: PromiseWithResolvers<ProcessScan> }[] = [];
  const open = (markers: readonly string[]) => {
    const done = Promise.withResolvers<ProcessScan>();
    rounds.push({ markers, done });
    return done.promise;
  };
  const clock = new FakeClock();
  const scans = new SharedScan(
    { scan: open, findMarked: async (markers) => (await open(markers)).marked },
    clock,
  );
  const first = scans.marked("M=1");
  await Promise.resolve();
  const later = [scans.marked("M=2"), scans.marked("M=3"), scans.table("M=4")];
  await Promise.resolve();
  assert.deepEqual(rounds.map((round) => round.markers), [["M=1"]]);
  rounds[0]!.done.resolve({ rows: [], marked: new Map([["M=1", [7]]]) });
  assert.deepEqual(await first, [7]);
  await Promise.resolve();
  assert.deepEqual(rounds[1]?.markers, ["M=2", "M=3", "M=4"]);
  rounds[1]!.done.resolve({ rows: [], marked: new Map([["M=3", [9]]]) });
  assert.deepEqual(await Promise.all(later.slice(0, 2)), [[], [9]]);
  await later[2];
  assert.equal(rounds.length, 2);
});

Deno.test("SharedScan hands a failed scan to its own askers only", async () => {
  let calls = 0;
  const clock = new FakeClock();
  const scans = new SharedScan({
    scan: () => Promise.reject(new Error("never")),
    findMarked: () =>
      calls++ === 0 ? Promise.reject(new Error("broken")) : Promise.resolve(new Map([["M=1", [1]]])),
  }, clock);
  await assert.rejects(scans.marked("M=1"), /broken/);
  await clock.advance(50);
  assert.deepEqual(await scans.marked("M=1"), [1]);
});

Deno.test("SharedScan lets looks that follow closely wait for company, and none that is needed to end something", async () => {
  const clock = new FakeClock();
  const began: [string, number][] = [];
  const note = (kind: string) => void began.push([kind, clock.monotonic()]);
  const scans = new SharedScan({
    findMarked: (markers) => (note(markers.join(" ")), Promise.resolve(new Map())),
    scan: (markers) => (note(`table ${markers.join(" ")}`), Promise.resolve({ rows: [], marked: new Map() })),
  }, clock);
  const start = clock.monotonic();
  await scans.marked("M=1");
  const two = scans.marked("M=2");
  await clock.advance(30);
  const three = scans.marked("M=3");
  await clock.advance(20);
  await Promise.all([two, three]);
  const four = scans.marked("M=4");
  await clock.advance(10);
  await scans.table("M=5");
  await four;
  assert.deepEqual(began.map(([kind, at]) => [kind, at - start]), [
    ["M=1", 0],
    ["M=2 M=3", 50],
    ["table M=4 M=5", 60],
  ]);
});
