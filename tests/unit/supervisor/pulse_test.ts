import assert from "node:assert/strict";
import { Pulse } from "../../../lib/supervisor/pulse.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

function setup() {
  const clock = new FakeClock();
  const pings: number[] = [];
  const hung: number[] = [];
  const pulse = new Pulse({ clock, ping: (id) => pings.push(id), onHung: (silentMs) => hung.push(silentMs) });
  pulse.start();
  return { clock, pings, hung, pulse };
}

Deno.test("Pulse calls an engine hung after six unanswered pings, once [f21]", async () => {
  const { clock, pings, hung, pulse } = setup();
  pulse.heard();
  await clock.advance(34_999);
  assert.deepEqual([pings.length, hung.length], [6, 0]);
  await clock.advance(60_000);
  assert.deepEqual(hung, [35_000]);
  assert.equal(clock.pending, 0);
});

Deno.test("Pulse gives an engine two minutes for its first word", async () => {
  const { clock, hung } = setup();
  await clock.advance(124_999);
  assert.deepEqual(hung, []);
  await clock.advance(1);
  assert.deepEqual(hung, [125_000]);
});

Deno.test("Pulse takes any message as a sign of life", async () => {
  const { clock, hung, pulse } = setup();
  for (let i = 0; i < 10; i++) {
    await clock.advance(29_000);
    pulse.heard();
  }
  assert.equal(hung.length, 0);
  pulse.stop();
  assert.equal(clock.pending, 0);
});

Deno.test("Pulse counts nothing while its own loop was late", () => {
  const timers: (() => void)[] = [];
  let now = 0;
  const hung: number[] = [];
  const pulse = new Pulse({
    clock: {
      now: () => now,
      monotonic: () => now,
      timer: (_, fn) => (timers.push(fn), { cancel: () => {} }),
    },
    ping: () => {},
    onHung: (ms) => hung.push(ms),
  });
  pulse.start();
  for (let i = 0; i < 20; i++) {
    now += 9_000;
    timers.shift()?.();
  }
  assert.equal(hung.length, 0);
});
