import { DatabaseSync } from "node:sqlite";
import assert from "node:assert/strict";
import fc from "fast-check";
import { Journal, type JournalRecord } from "../../../lib/tasks/mod.ts";
import { systemClock } from "../../../lib/core/mod.ts";

const FACTS = {
  taskId: "t1",
  fence: "f1",
  runtimeId: "r1",
  workspaceId: "w",
  provider: "claude",
  retryable: true,
};

function inDir(work: (dir: string) => void): void {
  const dir = Deno.makeTempDirSync({ prefix: "journal_" });
  try {
    work(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);

function batch(seq: number) {
  return { body: utf8(`{"messages":[{"seq":${seq},"type":"text"}]}`), firstSeq: seq, lastSeq: seq };
}

function drain(journal: Journal, claimId: number): JournalRecord[] {
  const found: JournalRecord[] = [];
  for (let r = journal.next(claimId); r !== undefined; r = journal.next(claimId)) {
    found.push(r);
    journal.delivered(r);
  }
  return found;
}

Deno.test("Journal keeps records in order over a restart and forgets what was delivered", () =>
  inDir((dir) => {
    const path = `${dir}/j.sqlite`;
    let journal = Journal.open(path, systemClock);
    const { id } = journal.claim(FACTS);
    journal.pin(id, "{}", "ses", "/w");
    journal.messages(id, [batch(1), batch(2)]);
    journal.finish(id, { batches: [batch(3)], usage: "{}", terminal: { kind: "complete", body: "{}" } });
    const first = journal.next(id)!;
    assert.equal(first.kind, "pin");
    assert.equal(first.replayed, false);
    journal.delivered(first);
    journal.close();
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    journal = Journal.open(path, systemClock);
    const claim = journal.open()[0]!;
    assert.deepEqual([claim.state, claim.sessionId, claim.workDir, claim.lastSeq], ["ended", "ses", "/w", 3]);
    const records = drain(journal, id);
    assert.deepEqual(records.map((r) => [r.kind, r.firstSeq]), [
      ["messages", 1],
      ["messages", 2],
      ["messages", 3],
      ["usage", 0],
      ["complete", 0],
    ]);
    assert.ok(records.every((r) => r.replayed));
    journal.sweep(id);
    assert.equal(journal.open().length, 0);
    journal.close();
  }));

Deno.test("Journal.messages() frees the memory of what is on disk, and keeps what is not", () =>
  inDir((dir) => {
    const journal = Journal.open(`${dir}/j.sqlite`, systemClock);
    const { id } = journal.claim(FACTS);
    const stored = batch(1);
    journal.messages(id, [stored]);
    assert.equal(stored.body.length, 0);
    journal.limitPages(1);
    const kept = { ...batch(2), body: utf8("x".repeat(200_000)) };
    journal.messages(id, [kept]);
    assert.equal(kept.body.length, 200_000);
    assert.deepEqual(drain(journal, id).map(({ body }) => body.length), [
      utf8('{"messages":[{"seq":1,"type":"text"}]}').length,
      200_000,
    ]);
    journal.close();
  }));

Deno.test("Journal.finish() is one commit: a second connection sees all of it or nothing", () =>
  inDir((dir) => {
    const path = `${dir}/j.sqlite`;
    const journal = Journal.open(path, systemClock);
    const { id } = journal.claim(FACTS);
    const other = Journal.open(path, systemClock);
    assert.equal(other.next(id), undefined);
    journal.finish(id, { batches: [batch(1)], usage: "{}", terminal: { kind: "fail", body: "{}" } });
    assert.equal(drain(other, id).length, 3);
    other.close();
    journal.close();
  }));

Deno.test("Journal moves a torn file aside and begins anew, nothing is deleted", () =>
  inDir((dir) => {
    const path = `${dir}/j.sqlite`;
    Deno.writeTextFileSync(path, "this is no database, not at all, " + "x".repeat(5_000));
    const journal = Journal.open(path, systemClock);
    assert.ok(journal.claim(FACTS).id > 0);
    journal.close();
    const names = [...Deno.readDirSync(dir)].map((entry) => entry.name);
    assert.equal(names.filter((name) => name.startsWith("j.sqlite.broken-")).length, 1);
  }));

Deno.test("Journal moves a file with damaged pages aside", () =>
  inDir((dir) => {
    const path = `${dir}/j.sqlite`;
    let journal = Journal.open(path, systemClock);
    for (let i = 0; i < 200; i++) journal.claim({ ...FACTS, taskId: `t${i}` });
    journal.close();
    const bytes = Deno.readFileSync(path);
    bytes.fill(0xff, 4096, 4096 * 4);
    Deno.writeFileSync(path, bytes);
    journal = Journal.open(path, systemClock);
    assert.equal(journal.open().length, 0);
    journal.close();
  }));

Deno.test("Journal opens a file of a newer release that has more columns and tables", () =>
  inDir((dir) => {
    const path = `${dir}/j.sqlite`;
    let journal = Journal.open(path, systemClock);
    const { id } = journal.claim(FACTS);
    journal.finish(id, { batches: [], usage: "", terminal: { kind: "complete", body: "{}" } });
    journal.close();
    const db = new DatabaseSync(path);
    db.exec("ALTER TABLE records ADD COLUMN later TEXT; CREATE TABLE more(x); PRAGMA user_version=7;");
    db.close();
    journal = Journal.open(path, systemClock);
    assert.equal(drain(journal, id).length, 1);
    journal.close();
    const check = new DatabaseSync(path);
    assert.equal(check.prepare("PRAGMA user_version").get()?.user_version, 7);
    check.close();
  }));

Deno.test("Journal [f07] without room: claims and records go to memory, canClaim() says no, and later yes", () =>
  inDir((dir) => {
    const path = `${dir}/j.sqlite`;
    const journal = Journal.open(path, systemClock);
    const { id } = journal.claim(FACTS);
    journal.messages(id, [batch(1)]);
    // A page limit is SQLite's own "disk full".
    journal.limitPages(1);
    journal.messages(id, [{ ...batch(2), body: utf8("x".repeat(200_000)) }]);
    journal.finish(id, { batches: [batch(3)], usage: "", terminal: { kind: "complete", body: "{}" } });
    assert.equal(journal.canClaim(), false);
    const late = journal.claim({ ...FACTS, taskId: "t2" });
    journal.finish(late.id, { batches: [], usage: "", terminal: { kind: "fail", body: "{}" } });
    assert.deepEqual(drain(journal, id).map((r) => [r.kind, r.firstSeq]), [
      ["messages", 1],
      ["messages", 2],
      ["messages", 3],
      ["complete", 0],
    ]);
    journal.limitPages(1_000_000);
    assert.equal(drain(journal, late.id).length, 1);
    journal.sweep(id);
    journal.sweep(late.id);
    assert.equal(journal.canClaim(), true);
    assert.equal(journal.open().length, 0);
    journal.close();
  }));

Deno.test("Journal loses and doubles nothing over any sequence of writes, deliveries and restarts", () => {
  const step = fc.constantFrom("write", "deliver", "crash", "sweep");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) =>
      inDir((dir) => {
        const path = `${dir}/j.sqlite`;
        let journal = Journal.open(path, systemClock);
        const { id } = journal.claim(FACTS);
        const written: number[] = [];
        const delivered = new Set<number>();
        let seq = 0;
        for (const what of steps) {
          if (what === "write") {
            journal.messages(id, [batch(++seq)]);
            written.push(seq);
          } else if (what === "deliver") {
            const record = journal.next(id);
            if (record === undefined) continue;
            // In order: everything before it has been delivered.
            assert.ok(written.filter((n) => n < record.firstSeq).every((n) => delivered.has(n)));
            delivered.add(record.firstSeq);
            journal.delivered(record);
          } else if (what === "sweep") journal.sweep();
          else {
            // A crash keeps the file and forgets the process.
            journal = Journal.open(path, systemClock);
          }
        }
        for (const record of drain(journal, id)) delivered.add(record.firstSeq);
        assert.deepEqual([...delivered].sort((a, b) => a - b), written);
        journal.close();
      })),
    { numRuns: 60 },
  );
});
