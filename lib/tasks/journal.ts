/** The journal: what the server must still learn about each task, on disk before the first request about it. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Clock, errorText, getLog } from "../core/mod.ts";
import { isFull, openJournalFile } from "./journal_file.ts";
import {
  type ClaimFacts,
  type ClaimState,
  type EncodedBatch,
  type Finish,
  type JournalClaim,
  JournalFull,
  type JournalRecord,
  type ParkedRecord,
  type RecordKind,
  releaseBody,
} from "./journal_types.ts";
import { VolatileRecords } from "./journal_volatile.ts";

const log = getLog("tasks", "journal");

/** How long the outcome of a room test is believed, ms. */
const ROOM_TEST_MS = 5_000;

/** Delivered records are deleted with the next write, or when this many wait. */
const MAX_DONE = 64;

const encoder = new TextEncoder();

/**
 * One SQLite file a profile, one instance a process. All calls are synchronous; a write is one commit that is on
 * disk when the call returns (about 0.2 ms). When the disk is full, {@link Journal.claim} still answers, and
 * records go to memory: running tasks finish, {@link Journal.canClaim} says no (f07).
 */
export class Journal {
  readonly #db: DatabaseSync;
  readonly #q: Queries;
  readonly #volatile = new VolatileRecords();
  /** Highest record id written by an earlier process. */
  readonly #lastOfBefore: number;
  readonly #endedInMemory = new Set<number>();
  #done: number[] = [];
  #full = false;
  #testedAt = -Infinity;

  private constructor(readonly path: string, private readonly clock: Clock) {
    this.#db = openJournalFile(path, clock);
    this.#q = prepareQueries(this.#db);
    this.#lastOfBefore = Number(this.#q.lastRecord.get()?.id ?? 0);
  }

  /** Opens the file, moving a broken one aside. Claims an earlier process left `live` stay so until the outbox looks at them. */
  static open(path: string, clock: Clock): Journal {
    return new Journal(path, clock);
  }

  /** Closes the file. Delivered records are deleted first. */
  close(): void {
    this.sweep();
    this.#db.close();
  }

  /** Forgets deliveries that are not yet deleted, as a crash would: they are tried again. For tests. */
  forgetDeliveries(): void {
    this.#done = [];
  }

  /** Most pages the file may have (SQLite's own way to be full): for tests and quotas. */
  limitPages(pages: number): void {
    this.#db.exec(`PRAGMA max_page_count=${Math.trunc(pages)}`);
    this.#testedAt = -Infinity;
  }

  /** False while the disk has no room; tested again at most every 5 s. */
  canClaim(): boolean {
    if (!this.#full) return true;
    if (this.clock.monotonic() - this.#testedAt < ROOM_TEST_MS) return false;
    this.#testedAt = this.clock.monotonic();
    return this.#write(() => {
      this.#q.addRecord.run(0, "pin", " ".repeat(64 * 1024), 0, 0, this.clock.now());
      this.#q.dropOf.run(0);
    });
  }

  /**
   * Records a claim, before anything is done about it. Older claims of the task are closed: their reports are
   * parked, and the transcript goes on after their last number.
   */
  claim(facts: ClaimFacts): { readonly id: number; readonly lastSeq: number } {
    let id = 0;
    let lastSeq = 0;
    const ok = this.#write(() => {
      lastSeq = this.#supersede(facts.taskId);
      id = Number(
        this.#q.addClaim.run(
          facts.taskId,
          facts.fence,
          facts.runtimeId,
          facts.workspaceId,
          facts.provider,
          facts.retryable ? 1 : 0,
          this.clock.now(),
        ).lastInsertRowid,
      );
    });
    return { id: ok ? id : this.#volatile.claim(facts, this.clock.now()), lastSeq };
  }

  #supersede(taskId: string): number {
    let lastSeq = 0;
    for (const row of this.#q.claimsOfTask.all(taskId)) {
      const claim = Number(row.id);
      lastSeq = Math.max(lastSeq, Number(row.last_seq));
      this.#q.parkTerminal.run("superseded by a newer claim of the task", claim);
      this.#q.setState.run("superseded", claim);
    }
    return lastSeq;
  }

  /** The session to resume and where: kept on the claim, and due as a pin. */
  pin(claimId: number, body: string, sessionId: string, workDir: string): void {
    this.#append(claimId, () => {
      this.#q.setPin.run(sessionId, workDir, claimId);
      this.#q.addRecord.run(claimId, "pin", body, 0, 0, this.clock.now());
    }, [report("pin", body)]);
  }

  /** Transcript rows, one commit for all batches, whose memory it takes over. @throws {JournalFull} when neither disk nor memory takes them. */
  messages(claimId: number, batches: readonly EncodedBatch[]): void {
    if (batches.length === 0) return;
    this.#append(claimId, () => this.#addBatches(claimId, batches), batches.map(asMessages));
  }

  /** The end of a claim: transcript tail (as {@link messages}), usage and terminal report in one commit. */
  finish(claimId: number, finish: Finish): void {
    const records = finish.batches.map(asMessages) as VolatileInput[];
    if (finish.usage !== "") records.push(report("usage", finish.usage));
    if (finish.terminal) records.push(report(finish.terminal.kind, finish.terminal.body));
    this.#append(
      claimId,
      () => {
        for (const record of records) this.#add(claimId, record);
        if (finish.batches.length > 0) this.#q.setSeq.run(finish.batches.at(-1)!.lastSeq, claimId);
        this.#q.endClaim.run(claimId);
      },
      records,
      true,
    );
  }

  /** A terminal report put behind an ended claim's records (a refused `complete` that becomes a `fail`). */
  replaceTerminal(record: JournalRecord, kind: "complete" | "fail" | "cancel_ack", body: string): void {
    if (record.id < 0) return this.#volatile.replace(record, kind, encoder.encode(body));
    this.#write(() => this.#q.replace.run(kind, body, record.id));
  }

  #addBatches(claimId: number, batches: readonly EncodedBatch[]): void {
    for (const batch of batches) this.#add(claimId, asMessages(batch));
    this.#q.setSeq.run(batches.at(-1)!.lastSeq, claimId);
  }

  #add(claimId: number, record: VolatileInput): void {
    this.#q.addRecord.run(
      claimId,
      record.kind,
      record.body,
      record.firstSeq,
      record.lastSeq,
      this.clock.now(),
    );
  }

  /**
   * Writes to disk, or to memory while the disk is full; a claim once in memory stays there, for the order. What is on
   * disk is freed here.
   */
  #append(claimId: number, work: () => void, records: readonly VolatileInput[], ends = false): void {
    const onDisk = claimId > 0 && !this.#volatile.has(claimId) && this.#write(work);
    if (onDisk) return records.forEach(releaseBody);
    if (ends) this.#endedInMemory.add(claimId);
    if (!this.#volatile.add(claimId, records, ends)) throw new JournalFull(this.path, undefined);
  }

  /** The oldest record of a claim that is still to be delivered, of those after `afterId`. */
  next(claimId: number, after?: JournalRecord): JournalRecord | undefined {
    if (claimId > 0 && (after === undefined || after.id > 0)) {
      let found = this.#q.next.get(claimId, after?.id ?? 0);
      while (found !== undefined && this.#done.includes(Number(found.id))) {
        found = this.#q.next.get(claimId, Number(found.id));
      }
      if (found !== undefined) return this.#record(this.#q.record.get(Number(found.id))!);
    }
    return this.#volatile.next(claimId, after);
  }

  /** Delivered: gone with the next write. */
  delivered(record: JournalRecord): void {
    if (record.id < 0) return this.#volatile.remove(record);
    this.#done.push(record.id);
    if (this.#done.length >= MAX_DONE) this.sweep();
  }

  /** Will not be delivered; shown until somebody looks. */
  park(record: JournalRecord, reason: string): void {
    log.warn("record parked", { claim: record.claimId, kind: record.kind, reason });
    if (record.id < 0) return this.#volatile.remove(record);
    this.#write(() => this.#q.park.run(reason, record.id));
  }

  /** Not needed any more. */
  discard(record: JournalRecord, reason: string): void {
    log.info("record discarded", { claim: record.claimId, kind: record.kind, reason });
    this.delivered(record);
  }

  /**
   * Deletes what was delivered, and the claims with nothing left. One commit, none when there is nothing to do, and not
   * forced to the disk: a deletion lost with the power only makes the next start deliver again, which changes nothing.
   */
  sweep(claimId?: number): void {
    if (this.#done.length === 0 && claimId === undefined) return;
    this.#db.exec("PRAGMA synchronous=NORMAL");
    try {
      this.#write(() => {
        if (claimId === undefined || claimId < 0) return;
        if (this.#endedInMemory.has(claimId)) this.#q.endClaim.run(claimId);
        this.#q.dropClaim.run(claimId);
      });
    } finally {
      this.#db.exec("PRAGMA synchronous=FULL");
    }
    if (claimId === undefined) return;
    this.#endedInMemory.delete(claimId);
    this.#volatile.forget(claimId);
  }

  /** Marks a claim; `awaiting` ones are dropped when the task is claimed again. */
  setState(claimId: number, state: ClaimState): void {
    if (claimId > 0) this.#write(() => this.#q.setState.run(state, claimId));
  }

  /** Every claim that still has something to deliver, or whose task is live or awaited. */
  open(): readonly JournalClaim[] {
    return [...this.#q.openClaims.all().map(asClaim), ...this.#volatile.claims()];
  }

  get(claimId: number): JournalClaim | undefined {
    if (claimId < 0) return this.#volatile.get(claimId);
    const row = this.#q.claim.get(claimId);
    return row === undefined ? undefined : asClaim(row);
  }

  /** Newest claim of a task that is not superseded. */
  ofTask(taskId: string): JournalClaim | undefined {
    const row = this.#q.newestOfTask.get(taskId);
    return row === undefined ? this.#volatile.ofTask(taskId) : asClaim(row);
  }

  /** Records that will not be delivered. */
  parked(): readonly ParkedRecord[] {
    return this.#q.parked.all().map((row) => ({
      ...this.#record(row),
      taskId: String(row.task ?? ""),
      reason: String(row.reason),
    }));
  }

  get parkedCount(): number {
    return Number(this.#q.parkedCount.get()?.n ?? 0);
  }

  /** Forgets parked records (an operator has seen them). */
  dropParked(): number {
    let dropped = 0;
    this.#write(() => {
      dropped = Number(this.#q.dropParked.run().changes);
      this.#q.dropEmpty.run();
    });
    return dropped;
  }

  #record(row: Row): JournalRecord {
    return {
      id: Number(row.id),
      claimId: Number(row.claim),
      kind: String(row.kind) as RecordKind,
      body: row.body as Uint8Array<ArrayBuffer>,
      firstSeq: Number(row.first_seq),
      lastSeq: Number(row.last_seq),
      replayed: Number(row.id) <= this.#lastOfBefore,
    };
  }

  /** One commit, with the deletions that wait. False when the disk is full (nothing written then). */
  #write(work: () => void): boolean {
    const done = this.#done;
    try {
      this.#q.begin.run();
      for (const id of done) this.#q.drop.run(id);
      work();
      this.#q.commit.run();
    } catch (error) {
      if (this.#db.isTransaction) this.#q.rollback.run();
      if (!this.#full) {
        const message = isFull(error)
          ? "journal has no room, claiming stops"
          : "journal cannot be written, claiming stops";
        log.error(message, { path: this.path, error: errorText(error) });
      }
      this.#full = true;
      this.#testedAt = this.clock.monotonic();
      return false;
    }
    this.#done = [];
    if (this.#full) log.info("journal has room again", { path: this.path });
    this.#full = false;
    return true;
  }
}

type Row = Readonly<Record<string, unknown>>;
type VolatileInput = Pick<JournalRecord, "kind" | "body" | "firstSeq" | "lastSeq">;

function asMessages(batch: EncodedBatch): VolatileInput {
  return { kind: "messages", body: batch.body, firstSeq: batch.firstSeq, lastSeq: batch.lastSeq };
}

function report(kind: RecordKind, body: string): VolatileInput {
  return { kind, body: encoder.encode(body), firstSeq: 0, lastSeq: 0 };
}

function asClaim(row: Row): JournalClaim {
  return {
    id: Number(row.id),
    taskId: String(row.task),
    fence: String(row.fence),
    runtimeId: String(row.runtime),
    workspaceId: String(row.workspace),
    provider: String(row.provider),
    retryable: Number(row.retryable) === 1,
    claimedAt: Number(row.claimed_at),
    state: String(row.state) as ClaimState,
    sessionId: String(row.session),
    workDir: String(row.work_dir),
    lastSeq: Number(row.last_seq),
  };
}

type Queries = Readonly<Record<keyof typeof SQL, StatementSync>>;

function prepareQueries(db: DatabaseSync): Queries {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)])) as Queries;
}

const SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  lastRecord: "SELECT max(id) AS id FROM records",
  addClaim:
    "INSERT INTO claims(task,fence,runtime,workspace,provider,retryable,claimed_at) VALUES(?,?,?,?,?,?,?)",
  addRecord: "INSERT INTO records(claim,kind,body,first_seq,last_seq,created_at) " +
    "VALUES(?,?,CAST(? AS TEXT),?,?,?)",
  claimsOfTask: "SELECT id, last_seq FROM claims WHERE task=? AND state<>'superseded'",
  newestOfTask: "SELECT * FROM claims WHERE task=? AND state<>'superseded' ORDER BY id DESC LIMIT 1",
  claim: "SELECT * FROM claims WHERE id=?",
  parkTerminal: "UPDATE records SET state='parked', reason=? WHERE claim=? AND state='pending' " +
    "AND kind IN ('complete','fail','cancel_ack')",
  setState: "UPDATE claims SET state=? WHERE id=?",
  endClaim: "UPDATE claims SET state='ended' WHERE id=? AND state<>'superseded'",
  setPin: "UPDATE claims SET session=?, work_dir=? WHERE id=?",
  setSeq: "UPDATE claims SET last_seq=max(last_seq,?) WHERE id=?",
  replace: "UPDATE records SET kind=?, body=? WHERE id=?",
  next: "SELECT id FROM records WHERE claim=? AND state='pending' AND id>? ORDER BY id LIMIT 1",
  record: "SELECT id,claim,kind,CAST(body AS BLOB) AS body,first_seq,last_seq FROM records WHERE id=?",
  drop: "DELETE FROM records WHERE id=?",
  dropOf: "DELETE FROM records WHERE claim=?",
  park: "UPDATE records SET state='parked', reason=? WHERE id=?",
  parked: "SELECT r.id,r.claim,r.kind,CAST(r.body AS BLOB) AS body,r.first_seq,r.last_seq,r.reason,c.task " +
    "FROM records r LEFT JOIN claims c ON c.id=r.claim WHERE r.state='parked' ORDER BY r.id",
  parkedCount: "SELECT count(*) AS n FROM records WHERE state='parked'",
  dropParked: "DELETE FROM records WHERE state='parked'",
  dropClaim: "DELETE FROM claims WHERE id=? AND state IN ('ended','superseded') " +
    "AND NOT EXISTS(SELECT 1 FROM records WHERE claim=claims.id)",
  dropEmpty: "DELETE FROM claims WHERE state IN ('ended','superseded') " +
    "AND NOT EXISTS(SELECT 1 FROM records WHERE claim=claims.id)",
  openClaims: "SELECT * FROM claims WHERE state IN ('live','awaiting') " +
    "OR EXISTS(SELECT 1 FROM records WHERE claim=claims.id AND state='pending') ORDER BY id",
};
