import assert from "node:assert/strict";
import fc from "fast-check";
import { type Slot, SlotPool } from "../../../lib/engine/slots.ts";

const never = new AbortController().signal;

Deno.test("SlotPool [R34] hands out 0…n−1, distinct, and reuses them first in, first out", async () => {
  const pool = new SlotPool(3);
  const slots = [await pool.take(never), await pool.take(never), await pool.take(never)];
  assert.deepEqual(slots.map((slot) => slot.index), [0, 1, 2]);
  assert.equal(pool.tryTake(), undefined);
  slots[1]!.release();
  slots[0]!.release();
  assert.equal(pool.tryTake()?.index, 1);
  assert.equal(pool.tryTake()?.index, 0);
});

Deno.test("SlotPool [R31] gives a freed slot to the longest waiter at once", async () => {
  const pool = new SlotPool(1);
  const held = await pool.take(never);
  const first = pool.take(never);
  const second = pool.take(never);
  held.release();
  const got = await first;
  got.release();
  assert.equal((await second).index, 0);
});

Deno.test("SlotPool an aborted waiter never swallows a slot", async () => {
  const pool = new SlotPool(1);
  const held = await pool.take(never);
  const abort = new AbortController();
  const waiting = pool.take(abort.signal);
  abort.abort(new Error("gone"));
  await assert.rejects(waiting, /gone/);
  held.release();
  assert.equal(pool.free, 1);
});

Deno.test("SlotPool release() twice gives one slot back", async () => {
  const pool = new SlotPool(2);
  const slot = await pool.take(never);
  slot.release();
  slot.release();
  assert.equal(pool.free, 2);
});

Deno.test("SlotPool a lent slot can be used by another and is taken again before the owner goes on", async () => {
  const pool = new SlotPool(1);
  const waiting = await pool.take(never);
  waiting.lend();
  const other = await pool.take(never);
  const back = waiting.reclaim(never);
  other.release();
  await back;
  assert.equal(pool.free, 0);
  waiting.release();
  assert.equal(pool.free, 1);
});

Deno.test("SlotPool never has two holders of one number, whatever the order", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: 3 })), async (ops) => {
    const pool = new SlotPool(3);
    const held: Slot[] = [];
    for (const op of ops) {
      if (op < 2) {
        const slot = pool.tryTake();
        if (slot) held.push(slot);
        else assert.equal(held.length, 3);
      } else held.splice(op % Math.max(1, held.length), 1)[0]?.release();
      await Promise.resolve();
      assert.equal(new Set(held.map((slot) => slot.index)).size, held.length);
      assert.equal(pool.free + held.length, 3);
    }
  }));
});

Deno.test("SlotPool counts as occupied what a task works in, not what a claim has in hand", async () => {
  const pool = new SlotPool(2);
  const first = await pool.take(never);
  const second = await pool.take(never);
  assert.deepEqual([pool.taken, pool.occupied], [2, 0]);
  first.occupy();
  first.occupy();
  assert.deepEqual([pool.taken, pool.occupied], [2, 1]);
  second.release();
  first.lend();
  assert.deepEqual([pool.taken, pool.occupied], [0, 0]);
  await first.reclaim(never);
  assert.deepEqual([pool.taken, pool.occupied], [1, 1]);
  first.release();
  assert.deepEqual([pool.taken, pool.occupied], [0, 0]);
});
