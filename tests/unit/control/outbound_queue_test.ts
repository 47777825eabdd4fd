import assert from "node:assert/strict";
import fc from "fast-check";
import { outbound, OutboundQueue, queueCapacity } from "../../../lib/control/outbound_queue.ts";
import { RpcCalls, type RpcOutcome } from "../../../lib/control/rpc_calls.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

/** A socket whose buffer fills only when told so. */
class FakeSink {
  bufferedAmount = 0;
  broken = false;
  readonly sent: string[] = [];

  send(text: string): void {
    if (this.broken) throw new Error("broken pipe");
    this.sent.push(text);
  }
}

function queue(capacity = 16) {
  const sink = new FakeSink();
  const clock = new FakeClock();
  const stuck: string[] = [];
  return { sink, clock, stuck, queue: new OutboundQueue(sink, capacity, clock, (why) => stuck.push(why)) };
}

Deno.test("queueCapacity() has room for twice the runtimes, at least 16", () => {
  assert.deepEqual([0, 8, 9, 50].map(queueCapacity), [16, 16, 18, 100]);
});

Deno.test("OutboundQueue writes in order and skips what was cancelled before it was sent", async () => {
  const { sink, clock, queue: q } = queue();
  sink.bufferedAmount = 1e9;
  const [a, b, c] = ["a", "b", "c"].map(outbound);
  for (const message of [a!, b!, c!]) assert.ok(q.push(message));
  assert.deepEqual([sink.sent.length, b!.state], [0, "queued"]);
  assert.equal(q.cancel(b!), true);
  sink.bufferedAmount = 0;
  await clock.advance(20);
  assert.deepEqual(sink.sent, ["a", "c"]);
  assert.deepEqual([a!.state, b!.state, c!.state], ["sent", "cancelled", "sent"]);
  assert.equal(q.cancel(a!), false);
  assert.equal(clock.pending, 0);
});

Deno.test("OutboundQueue refuses what does not fit and everything after close", () => {
  const { sink, queue: q } = queue(2);
  sink.bufferedAmount = 1e9;
  const waiting = outbound("1");
  assert.deepEqual([q.push(waiting), q.push(outbound("2")), q.push(outbound("3"))], [true, true, false]);
  q.close();
  assert.equal(waiting.state, "cancelled");
  assert.equal(q.push(outbound("4")), false);
});

Deno.test("OutboundQueue gives up after 10 s of a peer that does not read, and on a broken socket", async () => {
  const slow = queue();
  slow.sink.bufferedAmount = 1e9;
  slow.queue.push(outbound("a"));
  await slow.clock.advance(9_980);
  assert.deepEqual(slow.stuck, []);
  await slow.clock.advance(40);
  assert.deepEqual(slow.stuck, ["the server has not read for 10 s"]);
  assert.equal(slow.clock.pending, 0);
  const broken = queue();
  broken.sink.broken = true;
  broken.queue.push(outbound("a"));
  assert.deepEqual(broken.stuck, ["broken pipe"]);
});

Deno.test("RpcCalls settles each call exactly once, in any order of events", () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant("send" as const), id: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant("answer" as const), id: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant("giveUp" as const), id: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant("block" as const), id: fc.constant(0) }),
    fc.record({ kind: fc.constant("detach" as const), id: fc.constant(0) }),
  );
  fc.assert(fc.property(fc.array(event, { maxLength: 40 }), (events) => {
    const { sink, queue: q } = queue(3);
    const calls = new RpcCalls(q);
    const outcomes = new Map<number, RpcOutcome[]>();
    for (const { kind, id } of events) {
      if (kind === "send" && !outcomes.has(id)) {
        const list: RpcOutcome[] = [];
        outcomes.set(id, list);
        calls.send(`${id}`, `frame ${id}`, (outcome) => list.push(outcome));
      }
      if (kind === "answer") calls.deliver({ request_id: `${id}`, status: 200, body: {}, error: "" });
      if (kind === "giveUp") calls.giveUp(`${id}`, "stop");
      if (kind === "block") sink.bufferedAmount = 1e9;
      if (kind === "detach") calls.detach("gone");
    }
    q.close();
    calls.detach("over");
    assert.equal(calls.size, 0);
    for (const [id, list] of outcomes) {
      assert.equal(list.length, 1);
      // What was not sent is certain; what was sent and not answered is not.
      const sent = sink.sent.includes(`frame ${id}`);
      if (list[0]!.kind === "not_sent") assert.equal(sent, false);
      if (list[0]!.kind === "uncertain") assert.equal(sent, true);
    }
  }));
});

Deno.test("RpcCalls tells a call whose writing failed at once", () => {
  const { sink, clock } = queue();
  sink.broken = true;
  const outcomes: RpcOutcome[] = [];
  const q: OutboundQueue = new OutboundQueue(sink, 16, clock, (why) => calls.detach(why));
  const calls = new RpcCalls(q);
  calls.send("1", "frame", (outcome) => outcomes.push(outcome));
  assert.deepEqual(outcomes, [{ kind: "uncertain", why: "broken pipe" }]);
});
