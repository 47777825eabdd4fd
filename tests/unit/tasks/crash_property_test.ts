import assert from "node:assert/strict";
import fc from "fast-check";
import { classifyFailure } from "../../../lib/agents/mod.ts";
import { RequestError, type TaskMessage, TransportError } from "../../../lib/control/mod.ts";
import { type DeliveryApi, Journal, Outbox } from "../../../lib/tasks/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

/** What happens to one request of the model server. */
type Fault = "ok" | "before" | "after" | "partial" | "503" | "429" | "crash before" | "crash after";
const FAULTS: readonly Fault[] = [
  "ok",
  "ok",
  "ok",
  "before",
  "after",
  "partial",
  "503",
  "429",
  "crash before",
  "crash after",
];

/** A server of one running task, with the baseline's habits: messages row by row, no uniqueness, 200 on everything. */
class ModelServer implements DeliveryApi {
  status = "running";
  readonly rows: TaskMessage[] = [];
  readonly log: string[] = [];
  usageSets = 0;
  #faults: Fault[];

  constructor(faults: readonly Fault[], readonly crash: () => void) {
    this.#faults = [...faults];
  }

  async #through<T>(what: string, work: (partial: boolean) => T): Promise<T> {
    await Promise.resolve();
    const fault = this.#faults.shift() ?? "ok";
    const failed = (status: number) => new RequestError({ method: "POST", path: what, status, body: "x" });
    switch (fault) {
      case "ok":
        return work(false);
      case "before":
        throw new TransportError("network_offline", "POST", what, "reset");
      case "after":
        work(false);
        throw new TransportError("network_offline", "POST", what, "reset");
      case "partial":
        work(true);
        throw failed(500);
      case "503":
        throw failed(503);
      case "429":
        throw failed(429);
      case "crash after":
      case "crash before":
        if (fault === "crash after") work(false);
        this.crash();
        throw new TransportError("network_offline", "POST", what, "crash");
    }
  }

  messagesEncoded(_task: string, body: string | Uint8Array): Promise<void> {
    return this.#through("messages", (partial) => {
      const text = typeof body === "string" ? body : new TextDecoder().decode(body);
      const { messages } = JSON.parse(text) as { messages: TaskMessage[] };
      this.rows.push(...(partial ? messages.slice(0, Math.floor(messages.length / 2)) : messages));
      this.log.push("messages");
    });
  }
  readMessages(_task: string, since: number) {
    return this.#through("read", () => this.rows.filter((row) => row.seq > since));
  }
  pinSession(): Promise<void> {
    return this.#through("pin", () => void this.log.push("pin"));
  }
  usage(): Promise<void> {
    return this.#through("usage", () => {
      this.usageSets++;
      this.log.push("usage");
    });
  }
  complete() {
    return this.#through("complete", () => {
      if (this.status === "running") {
        this.status = "completed";
        this.log.push("complete");
      }
      return { id: "t", status: this.status };
    });
  }
  fail() {
    return this.#through("fail", () => {
      if (this.status === "running") {
        this.status = "failed";
        this.log.push("fail");
      }
      return { id: "t", status: this.status };
    });
  }
  cancelAck(): Promise<void> {
    return this.#through("ack", () => {});
  }
  taskStatus() {
    return this.#through("status", () => this.status);
  }
}

async function scenario(faults: readonly Fault[], batches: readonly number[]): Promise<void> {
  const dir = Deno.makeTempDirSync({ prefix: "crash_" });
  const clock = new FakeClock();
  let crash = Promise.withResolvers<void>();
  const server = new ModelServer(faults, () => crash.resolve());
  let journal = Journal.open(`${dir}/j`, clock);
  const { id } = journal.claim({
    taskId: "t",
    fence: "f",
    runtimeId: "r",
    workspaceId: "w",
    provider: "claude",
    retryable: true,
  });
  journal.pin(id, '{"session_id":"s"}', "s", "");
  let seq = 0;
  const encoded = batches.map((count) => {
    const messages = Array.from(
      { length: count },
      () => ({ seq: ++seq, type: "text" as const, content: `row ${seq}` }),
    );
    return {
      body: new TextEncoder().encode(JSON.stringify({ messages })),
      firstSeq: seq - count + 1,
      lastSeq: seq,
    };
  });
  journal.finish(id, {
    batches: encoded,
    usage: '{"usage":[]}',
    terminal: { kind: "complete", body: '{"output":"x"}' },
  });
  try {
    for (let life = 0; life < 40; life++) {
      const stop = new AbortController();
      const outbox = new Outbox({
        journal,
        control: server,
        clock,
        random: () => 0.5,
        classify: classifyFailure,
      });
      const run = outbox.run(stop.signal);
      let over = false;
      const replayed = outbox.replay().then(() => over = true);
      void crash.promise.then(() => over = true);
      for (let i = 0; i < 400 && !over; i++) await clock.advance(5_000);
      const crashed = journal.open().length > 0;
      stop.abort(new Error("end"));
      // A crash forgets what was not committed: the deliveries of this life that were not yet deleted.
      if (crashed) journal.forgetDeliveries();
      await Promise.all([run, replayed]);
      if (!crashed) break;
      crash = Promise.withResolvers<void>();
      journal.close();
      journal = Journal.open(`${dir}/j`, clock);
    }
    assert.equal(journal.open().length, 0, "something stayed in the journal");
    assert.equal(journal.parkedCount, 0);
    assert.equal(server.status, "completed");
    assert.deepEqual(server.rows.map((row) => row.seq), Array.from({ length: seq }, (_, i) => i + 1));
    assert.equal(server.log.filter((what) => what === "complete").length, 1);
    assert.ok(server.usageSets >= 1);
    assert.ok(server.log.lastIndexOf("messages") < server.log.indexOf("complete"));
  } finally {
    journal.close();
    Deno.removeSync(dir, { recursive: true });
  }
}

Deno.test("Journal and Outbox [f01][f03][f20] deliver everything once and in order over any faults and crashes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...FAULTS), { maxLength: 14 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 3 }),
      scenario,
    ),
    { numRuns: 60 },
  );
});
