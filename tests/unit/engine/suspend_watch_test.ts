import assert from "node:assert/strict";
import { LOOK_MS, sleptBetween, suspendLoop } from "../../../lib/engine/suspend_watch.ts";
import { StatusBoard } from "../../../lib/engine/status_board.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

Deno.test("sleptBetween() sees a late timer and a jump of the wall clock, not ordinary jitter", () => {
  const at = (wall: number, monotonic: number) => ({ wall, monotonic });
  assert.equal(sleptBetween(at(0, 0), at(LOOK_MS + 300, LOOK_MS + 300)), false);
  assert.equal(sleptBetween(at(0, 0), at(LOOK_MS + 15_001, LOOK_MS + 15_001)), true);
  assert.equal(sleptBetween(at(0, 0), at(LOOK_MS + 5_001, LOOK_MS)), true);
  assert.equal(sleptBetween(at(0, 0), at(LOOK_MS - 3_600_000, LOOK_MS)), false);
});

Deno.test("suspendLoop() [f06] calls once for a suspend of ten minutes, within one look", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  let wakes = 0;
  const loop = suspendLoop(clock, new StatusBoard(), () => wakes++, stop.signal);
  await clock.advance(LOOK_MS);
  assert.equal(wakes, 0);
  clock.jumpWall(600_000);
  await clock.advance(LOOK_MS);
  await clock.advance(LOOK_MS * 3);
  assert.equal(wakes, 1);
  stop.abort(new Error("done"));
  await assert.rejects(loop);
});
