/** Records that had no room on the disk: kept in memory so that running tasks still finish (f07). */
import type { ClaimFacts, JournalClaim, JournalRecord, RecordKind } from "./journal_types.ts";

/** Most transcript kept in memory for one claim, in bytes. Terminal reports always fit. */
export const MAX_VOLATILE = 4 * 1024 * 1024;

type Input = Pick<JournalRecord, "kind" | "body" | "firstSeq" | "lastSeq">;

/** A small stand-in for the tables. Ids are negative and grow away from zero. */
export class VolatileRecords {
  readonly #records = new Map<number, JournalRecord[]>();
  readonly #claims = new Map<number, JournalClaim>();
  #nextId = -1;

  /** True when the claim has records here: later ones must follow them. */
  has(claimId: number): boolean {
    return claimId < 0 || this.#records.has(claimId);
  }

  claim(facts: ClaimFacts, claimedAt: number): number {
    const id = this.#nextId--;
    this.#claims.set(id, { ...facts, id, claimedAt, state: "live", sessionId: "", workDir: "", lastSeq: 0 });
    return id;
  }

  /** False when the transcript of the claim outgrew its bound; nothing is kept then. */
  add(claimId: number, inputs: readonly Input[], ends: boolean): boolean {
    const records = this.#records.get(claimId) ?? [];
    const held = records.reduce((sum, record) => sum + record.body.length, 0);
    const transcript = !ends && inputs.some((input) => input.kind === "messages");
    if (transcript && held > MAX_VOLATILE) return false;
    for (const input of inputs) {
      records.push({ ...input, id: this.#nextId--, claimId, replayed: false });
    }
    this.#records.set(claimId, records);
    const claim = this.#claims.get(claimId);
    if (ends && claim) this.#claims.set(claimId, { ...claim, state: "ended" });
    return true;
  }

  next(claimId: number, after?: JournalRecord): JournalRecord | undefined {
    const records = this.#records.get(claimId) ?? [];
    return after === undefined || after.id > 0 ? records[0] : records.find((record) => record.id < after.id);
  }

  remove(record: JournalRecord): void {
    const left = (this.#records.get(record.claimId) ?? []).filter((other) => other.id !== record.id);
    if (left.length === 0) this.#records.delete(record.claimId);
    else this.#records.set(record.claimId, left);
  }

  replace(record: JournalRecord, kind: RecordKind, body: JournalRecord["body"]): void {
    const records = this.#records.get(record.claimId) ?? [];
    this.#records.set(
      record.claimId,
      records.map((other) => other.id === record.id ? { ...other, kind, body } : other),
    );
  }

  /** Drops an ended claim without records. */
  forget(claimId: number): void {
    if (!this.#records.has(claimId) && this.#claims.get(claimId)?.state === "ended") {
      this.#claims.delete(claimId);
    }
  }

  get(claimId: number): JournalClaim | undefined {
    return this.#claims.get(claimId);
  }

  ofTask(taskId: string): JournalClaim | undefined {
    return [...this.#claims.values()].findLast((claim) => claim.taskId === taskId);
  }

  claims(): readonly JournalClaim[] {
    return [...this.#claims.values()];
  }
}
