import assert from "node:assert/strict";
import { narrowWindow, tickMs, Watchdog, type WatchdogOptions } from "../../../lib/tasks/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const MINUTE = 60_000;

function open(more: Partial<WatchdogOptions> = {}) {
  const clock = new FakeClock();
  const fired: { at: number; text: string }[] = [];
  const watchdog = new Watchdog({
    clock,
    idleMs: 30 * MINUTE,
    toolMs: 120 * MINUTE,
    cpuTime: () => Promise.resolve(undefined),
    onFire: (text) => fired.push({ at: clock.monotonic(), text }),
    ...more,
  });
  return { clock, watchdog, fired };
}

Deno.test("Watchdog fires between one and one and a half windows of silence [10.6][HD-4]", async () => {
  for (const idleMs of [30 * MINUTE, 10 * MINUTE, MINUTE, 200, 50]) {
    const { clock, fired } = open({ idleMs });
    await clock.advance(idleMs * 3);
    assert.equal(fired.length, 1);
    assert.ok(fired[0]!.at >= idleMs && fired[0]!.at <= idleMs * 1.5, `${idleMs}: ${fired[0]!.at}`);
    assert.equal(clock.pending, 0);
  }
  assert.equal(tickMs(30 * MINUTE), 30_000);
  assert.equal(tickMs(200), 100);
});

Deno.test("Watchdog starts anew with every sign of life and stops for good [HD-4]", async () => {
  const { clock, watchdog, fired } = open();
  await clock.advance(29 * MINUTE);
  watchdog.activity();
  await clock.advance(29 * MINUTE);
  assert.equal(fired.length, 0);
  watchdog.stop();
  await clock.advance(300 * MINUTE);
  assert.equal(fired.length, 0);
  assert.equal(clock.pending, 0);
});

Deno.test("Watchdog with window 0 never fires [HD-4][N-29]", async () => {
  const { clock, fired } = open({ idleMs: 0 });
  await clock.advance(1_000 * MINUTE);
  assert.equal(fired.length, 0);
  assert.equal(clock.pending, 0);
});

Deno.test("Watchdog gives a running tool its own window, by call id [HD-5][N-29]", async () => {
  const { clock, watchdog, fired } = open();
  watchdog.toolStarted("a");
  watchdog.toolStarted("b");
  await clock.advance(100 * MINUTE);
  assert.equal(fired.length, 0);
  watchdog.toolEnded("a");
  watchdog.toolEnded("unknown");
  await clock.advance(10 * MINUTE);
  assert.equal(fired.length, 0);
  await clock.advance(15 * MINUTE);
  assert.equal(fired.length, 1);
  const again = open();
  again.watchdog.toolStarted("a");
  again.watchdog.toolEnded("a");
  await again.clock.advance(31 * MINUTE);
  assert.equal(again.fired.length, 1);
  const never = open({ toolMs: 0 });
  never.watchdog.toolStarted("");
  await never.clock.advance(1_000 * MINUTE);
  assert.equal(never.fired.length, 0);
  never.watchdog.stop();
});

Deno.test("Watchdog spares a silent tree that works, for a bounded time", async () => {
  let cpu = 0;
  const { clock, fired } = open({
    cpuTime: () => {
      cpu += 20_000;
      return Promise.resolve(cpu);
    },
  });
  await clock.advance(60 * MINUTE);
  assert.equal(fired.length, 0);
  await clock.advance(65 * MINUTE);
  assert.equal(fired.length, 1);
});

Deno.test("Watchdog does not spare a tree that only ticks over", async () => {
  let cpu = 0;
  const { clock, fired } = open({ cpuTime: () => Promise.resolve(cpu += 100) });
  await clock.advance(31 * MINUTE);
  assert.equal(fired.length, 1);
});

Deno.test("narrowWindow() narrows, never widens, and 0 switches off [N-29]", () => {
  assert.equal(narrowWindow(30 * MINUTE, 10 * MINUTE), 10 * MINUTE);
  assert.equal(narrowWindow(5 * MINUTE, 10 * MINUTE), 5 * MINUTE);
  assert.equal(narrowWindow(30 * MINUTE, undefined), 30 * MINUTE);
  assert.equal(narrowWindow(0, 10 * MINUTE), 0);
});
