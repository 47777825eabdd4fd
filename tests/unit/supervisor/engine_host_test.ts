import assert from "node:assert/strict";
import type { FromEngine, ToEngine } from "../../../lib/supervisor/protocol.ts";
import { EngineHost } from "../../../lib/supervisor/engine_host.ts";
import type { ThreadEvents } from "../../../lib/supervisor/engine_thread.ts";
import type { EngineBoot } from "../../../lib/supervisor/protocol.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

interface FakeThread {
  readonly posted: ToEngine[];
  readonly events: ThreadEvents;
  terminated: boolean;
}

function setup({ warm = false } = {}) {
  const clock = new FakeClock();
  const threads: FakeThread[] = [];
  const graces: number[] = [];
  const heard: FromEngine[] = [];
  const host = new EngineHost({
    clock,
    random: () => 0.5,
    startThread: (_, events) => {
      const thread: FakeThread = { posted: [], events, terminated: false };
      threads.push(thread);
      return { post: (message) => thread.posted.push(message), terminate: () => thread.terminated = true };
    },
    grant: () => ({}),
    boot: (restarts) => ({ restarts }) as EngineBoot,
    onMessage: (message) => heard.push(message),
    onGone: () => {},
    endTrees: (graceMs) => (graces.push(graceMs), Promise.resolve(true)),
  });
  if (warm) host.warm();
  else host.start();
  const last = () => threads.at(-1)!;
  return { clock, threads, graces, heard, host, last };
}

const running: FromEngine = { t: "state", state: "running", detail: "" };

Deno.test("EngineHost restarts an engine that throws, after its trees are ended [f21]", async () => {
  const { clock, threads, graces, host, last } = setup();
  last().events.onMessage(running);
  last().events.onFault("boom");
  await clock.advance(499);
  assert.deepEqual([threads.length, threads[0]?.terminated, graces, host.life], [
    1,
    true,
    [2000],
    "restarting",
  ]);
  await clock.advance(1);
  assert.equal(threads.length, 2);
  assert.deepEqual(last().posted[0], { t: "start", boot: { restarts: 1 } });
});

Deno.test("EngineHost ends the thread of a faulted engine after its trees, that of one that hangs before [f21]", async () => {
  const { clock, graces, threads, host, last } = setup();
  const seen: unknown[] = [];
  const push = graces.push.bind(graces);
  graces.push = (grace) => (seen.push([grace, last().terminated]), push(grace));
  last().events.onMessage(running);
  last().events.onMessage({ t: "fault", reason: "boom" });
  last().events.onFault("boom"); // what the thread itself says when it goes on to its end
  await clock.advance(500);
  assert.deepEqual([threads.length, host.restarts, threads[0]?.terminated], [2, 1, true]);
  last().events.onMessage(running);
  await clock.advance(36_000);
  assert.deepEqual(seen, [[2000, false], [2000, true]]);
});

Deno.test("EngineHost restarts an engine that hangs, and not one that only answers late [f21]", async () => {
  const { clock, threads, last } = setup();
  last().events.onMessage(running);
  await clock.advance(29_000);
  last().events.onMessage({ t: "pong", id: 1, lagMs: 24_000 });
  await clock.advance(30_000);
  assert.equal(threads.length, 1);
  await clock.advance(7_000);
  assert.equal(threads.length, 2);
});

Deno.test("EngineHost waits longer each time, and shortly again after an engine that was well [f21]", async () => {
  const { clock, threads, last } = setup();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    last().events.onMessage(running);
    last().events.onFault("boom");
    await clock.advance(0);
    const before = clock.monotonic();
    while (threads.length === i + 1) await clock.advance(100);
    waits.push(clock.monotonic() - before);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000]);
  last().events.onMessage(running);
  for (let i = 0; i < 3; i++) {
    await clock.advance(25_000);
    last().events.onMessage({ t: "pong", id: 1, lagMs: 0 });
  }
  last().events.onFault("boom");
  await clock.advance(500);
  assert.equal(threads.length, 6);
});

Deno.test("EngineHost gives up with 70 on an engine that never gets to run", async () => {
  const { clock, threads, host, last } = setup();
  for (let i = 0; i < 8; i++) {
    last().events.onFault("cannot load");
    await clock.advance(61_000);
  }
  const end = await host.ended;
  assert.equal(end.exitCode, 70);
  assert.match(end.error?.message ?? "", /failed 8 times before it ran: cannot load/);
  assert.equal(threads.length, 8);
});

Deno.test("EngineHost drains, then ends with the engine's own exit code", async () => {
  const { clock, graces, host, last } = setup();
  host.drain(10_000);
  host.drain(10_000);
  assert.deepEqual(last().posted.filter((message) => message.t === "drain"), [{
    t: "drain",
    timeoutMs: 10_000,
  }]);
  last().events.onMessage({ t: "stopped", exitCode: 0 });
  assert.deepEqual(await host.ended, { exitCode: 0 });
  assert.deepEqual([last().terminated, graces, clock.pending], [true, [0], 0]);
});

Deno.test("EngineHost forces: trees are killed before it is over, exit code 1", async () => {
  const { graces, host, last } = setup();
  host.drain(10_000);
  host.force();
  assert.deepEqual(await host.ended, { exitCode: 1 });
  assert.deepEqual([last().posted.at(-1), last().terminated, graces], [{ t: "force" }, true, [0]]);
});

Deno.test("EngineHost forces an engine that outlives its drain", async () => {
  const { clock, host, last } = setup();
  host.drain(1_000);
  for (let i = 0; i < 4; i++) {
    await clock.advance(8_000);
    last().events.onMessage({ t: "pong", id: 1, lagMs: 0 });
  }
  assert.deepEqual(await host.ended, { exitCode: 1 });
});

Deno.test("EngineHost replaces an engine for new rights without counting a restart", async () => {
  const { clock, threads, host, last } = setup();
  last().events.onMessage(running);
  last().events.onMessage({ t: "reload" });
  await clock.advance(0);
  assert.equal(threads.length, 2);
  assert.deepEqual([threads[0]?.terminated, last().posted[0], host.restarts], [
    true,
    { t: "start", boot: { restarts: 0 } },
    0,
  ]);
});

Deno.test("EngineHost ends with an error the engine names, without a restart", async () => {
  const { threads, host, last } = setup();
  const error = { message: "token refused", code: "auth", exitCode: 3, hint: "multica-host login" };
  last().events.onMessage({ t: "stopped", exitCode: 3, error });
  assert.deepEqual(await host.ended, { exitCode: 3, error });
  assert.equal(threads.length, 1);
});

Deno.test("EngineHost drains at once while no engine runs", async () => {
  const { clock, host, last } = setup();
  last().events.onFault("boom");
  await clock.advance(0);
  host.drain(10_000);
  assert.deepEqual(await host.ended, { exitCode: 0 });
});

Deno.test("EngineHost starts the engine in the thread it warmed, and a thread that failed meanwhile anew", async () => {
  const well = setup({ warm: true });
  assert.deepEqual([well.threads.length, well.last().posted, well.clock.pending], [1, [], 0]);
  well.host.start();
  assert.deepEqual([well.threads.length, well.last().posted], [1, [{ t: "start", boot: { restarts: 0 } }]]);

  const ill = setup({ warm: true });
  ill.last().events.onFault("cannot load");
  assert.equal(ill.host.life, "starting");
  ill.host.start();
  await ill.clock.advance(500);
  assert.deepEqual([ill.threads.length, ill.threads[0]?.terminated, ill.threads[0]?.posted], [2, true, []]);
  assert.deepEqual(ill.last().posted[0], { t: "start", boot: { restarts: 1 } });
});

Deno.test("EngineHost ends a warm thread whose engine is not wanted any more", () => {
  const { host, threads } = setup({ warm: true });
  host.abandon();
  assert.deepEqual([threads.length, threads[0]?.terminated], [1, true]);
});
