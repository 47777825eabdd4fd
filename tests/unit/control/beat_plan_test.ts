import assert from "node:assert/strict";
import fc from "fast-check";
import { beatPlan } from "../../../lib/control/beat_plan.ts";

/** Beats of the first `ms` milliseconds: id → times. */
function play(ids: string[], intervalMs: number, ms: number): Map<string, number[]> {
  const beats = new Map<string, number[]>(ids.map((id) => [id, []]));
  let now = 0;
  for (const step of beatPlan(ids, intervalMs)) {
    for (const id of step.ids) beats.get(id)!.push(now);
    now += step.thenMs;
    if (now > ms) break;
  }
  return beats;
}

Deno.test("beatPlan() beats up to ten runtimes together, the first at once", () => {
  const ids = Array.from({ length: 10 }, (_, n) => `r${n}`);
  for (const times of play(ids, 15_000, 45_000).values()) {
    assert.deepEqual(times, [0, 15_000, 30_000, 45_000]);
  }
});

Deno.test("beatPlan() has nothing to do without runtimes, and takes 15 s for no interval", () => {
  assert.deepEqual([...beatPlan([], 15_000)], []);
  assert.deepEqual(play(["r"], 0, 15_000).get("r"), [0, 15_000]);
});

Deno.test("beatPlan() spreads many runtimes: never more than ten at once, nobody later than an interval", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1_000, max: 60_000 }),
      (count, interval) => {
        const ids = Array.from({ length: count }, (_, n) => `r${n}`);
        const beats = play(ids, interval, 5 * interval);
        assert.equal(beats.get("r0")![0], 0);
        const together = new Map<number, number>();
        for (const times of beats.values()) {
          assert.ok(times[0]! < interval + 1);
          for (const [n, at] of times.entries()) {
            together.set(at, (together.get(at) ?? 0) + 1);
            if (n === 0) continue;
            const gap = at - times[n - 1]!;
            assert.ok(gap <= interval + 1e-6, `gap ${gap}`);
            if (n > 1) {
              assert.ok(Math.abs(gap - interval) < 1e-6, `steady gap ${gap}`);
            }
          }
        }
        assert.ok(Math.max(...together.values()) <= 20);
      },
    ),
  );
});
