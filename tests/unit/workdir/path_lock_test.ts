import assert from "node:assert/strict";
import fc from "fast-check";
import { PathLocks } from "../../../lib/workdir/path_lock.ts";
import type { MachineLock } from "../../../lib/workdir/ports.ts";
import type { FakeClock } from "../../helpers/fake_clock.ts";
import { withWorkdirs } from "../../helpers/workdir_world.ts";

Deno.test("PathLocks [R46] same path waits, first in first out, and tells the holder once", async () => {
  const locks = new PathLocks();
  const release = await locks.acquire("/repo", "t1");
  const heard: string[] = [];
  const order: string[] = [];
  const second = locks.acquire("/repo", "t2", { onBusy: (holder) => heard.push(holder) }).then((free) => {
    order.push("t2");
    return free;
  });
  const third = locks.acquire("/repo", "t3").then((free) => {
    order.push("t3");
    return free;
  });
  assert.deepEqual(heard, ["t1"]);
  release();
  release();
  (await second)();
  (await third)();
  assert.deepEqual(order, ["t2", "t3"]);
  assert.equal(locks.holder("/repo"), "");
});

Deno.test("PathLocks [R46] different paths run in parallel, nested ones do not", async () => {
  const locks = new PathLocks();
  const busy = () => assert.fail("must not wait");
  const one = await locks.acquire("/a/b", "t1", { onBusy: busy });
  const two = await locks.acquire("/a/bc", "t2", { onBusy: busy });
  const above = Promise.withResolvers<string>();
  const waiting = locks.acquire("/a", "t3", { onBusy: above.resolve });
  assert.equal(await above.promise, "t1");
  one();
  two();
  (await waiting)();
});

Deno.test("PathLocks [R46] a cancelled wait leaves the queue and never holds", async () => {
  const locks = new PathLocks();
  const release = await locks.acquire("/a", "t1");
  const abort = new AbortController();
  const cancelled = locks.acquire("/a", "t2", { signal: abort.signal });
  const sibling = locks.acquire("/a", "t3");
  abort.abort(new Error("stop"));
  await assert.rejects(cancelled, /stop/);
  release();
  const free = await sibling;
  assert.equal(locks.holder("/a"), "t3");
  free();
  await assert.rejects(locks.acquire("/a", "t4", { signal: abort.signal }), /stop/);
  assert.throws(() => locks.acquire("", "t"));
});

Deno.test("PathLocks never lets two overlapping paths in, and lets everybody in at last", async () => {
  const path = fc.constantFrom("/a", "/a/b", "/a/b/c", "/d", "/d/e");
  await fc.assert(
    fc.asyncProperty(
      fc.array(path, { maxLength: 12 }),
      fc.infiniteStream(fc.nat(5)),
      async (paths, picks) => {
        const locks = new PathLocks();
        const held = new Map<string, () => void>();
        let entered = 0;
        paths.forEach((path, index) => {
          void locks.acquire(path, `${index}`).then((free) => {
            for (const key of held.keys()) {
              const other = key.split(" ")[1]!;
              assert.ok(!`${path}/`.startsWith(`${other}/`) && !`${other}/`.startsWith(`${path}/`));
            }
            held.set(`${index} ${path}`, free);
            entered++;
          });
        });
        for (let round = 0; entered < paths.length || held.size > 0; round++) {
          assert.ok(round < 1_000, "somebody waits for ever");
          await Promise.resolve();
          const keys = [...held.keys()];
          const key = keys[picks.next().value % Math.max(1, keys.length)];
          if (key === undefined) continue;
          held.get(key)!();
          held.delete(key);
        }
      },
    ),
  );
});

Deno.test("Workdirs.lock() waits for another host of the machine, tells its task once, and gives the claim back [R46]", async () => {
  const asked: string[] = [];
  let free = false;
  const machineLock: MachineLock = {
    take: (path, task) => {
      asked.push(`take ${task}`);
      return Promise.resolve(free ? { held: true, holder: "" } : { held: false, holder: `theirs ${path}` });
    },
    release: (_path, task) => {
      asked.push(`release ${task}`);
      return Promise.resolve();
    },
  };
  await withWorkdirs(async ({ rooms, deps }) => {
    const clock = deps.clock as FakeClock;
    const heard: string[] = [];
    const stop = new AbortController();
    const options = { signal: stop.signal, onBusy: (holder: string) => void heard.push(holder) };
    const directory = { path: "/repo", label: "repo" };
    const first = rooms.lock(directory, "t1", options);
    await clock.advance(2_500);
    assert.deepEqual([heard, asked], [["theirs /repo"], ["take t1", "take t1", "take t1"]]);
    free = true;
    await clock.advance(1_000);
    (await first)();
    await clock.advance(0);
    assert.equal(asked.at(-1), "release t1");
    free = false;
    const second = rooms.lock(directory, "t2", options);
    await clock.advance(0);
    stop.abort(new Error("cancelled"));
    await assert.rejects(second, /cancelled/);
    assert.equal(asked.at(-1), "release t2");
    free = true;
    const third = rooms.lock(directory, "t3", { ...options, signal: new AbortController().signal });
    (await third)();
  }, { machineLock });
});
