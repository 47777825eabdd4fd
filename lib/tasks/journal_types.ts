/** What the journal holds: claims, and the records about each that the server must still hear. */
import { HostError } from "../core/mod.ts";

/** Kinds of records; `usage` and the terminal three are written in one commit. */
export type RecordKind = "pin" | "messages" | "usage" | "complete" | "fail" | "cancel_ack";

/** Kinds after which nothing more is said about the task's state. */
export const TERMINAL_KINDS: ReadonlySet<string> = new Set(["complete", "fail", "cancel_ack"]);

/**
 * `live`: a run of this process owns it. `ended`: everything is written. `awaiting`: the host died before the
 * start, the server will hand the task out again. `superseded`: a newer claim of the task took over.
 */
export type ClaimState = "live" | "ended" | "awaiting" | "superseded";

/** What is known of a claim when it is recorded. */
export interface ClaimFacts {
  readonly taskId: string;
  /** `dispatched_at` of the claim: the fence against stale reports. */
  readonly fence: string;
  readonly runtimeId: string;
  readonly workspaceId: string;
  readonly provider: string;
  /** The server makes a new attempt after `runtime_recovery` (spec 01 §6.5). */
  readonly retryable: boolean;
}

export interface JournalClaim extends ClaimFacts {
  /** Negative for a claim that could not be written (disk full). */
  readonly id: number;
  readonly claimedAt: number;
  readonly state: ClaimState;
  readonly sessionId: string;
  readonly workDir: string;
  /** Highest transcript number written so far. */
  readonly lastSeq: number;
}

export interface JournalRecord {
  /** Negative for a record that is only in memory (disk full). */
  readonly id: number;
  readonly claimId: number;
  readonly kind: RecordKind;
  /** JSON body of the request, UTF-8. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The process that wrote it is gone: whether it was sent is not known. */
  readonly replayed: boolean;
}

/** A record that will not be delivered, and why. */
export interface ParkedRecord extends JournalRecord {
  readonly taskId: string;
  readonly reason: string;
}

/** An encoded piece of transcript: the body of one request, UTF-8 without NUL and lone surrogates. */
export interface EncodedBatch {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/**
 * Frees a body that nobody will read again, at once: a batch lives through several young collections, and would
 * otherwise stay until the next full one, tens of megabytes under load (measured).
 */
export function releaseBody({ body }: Pick<EncodedBatch, "body">): void {
  body.buffer.transfer(0);
}

/** Everything that ends a claim. */
export interface Finish {
  readonly batches: readonly EncodedBatch[];
  /** Encoded `{"usage":[…]}`; "" for none. */
  readonly usage: string;
  readonly terminal: { readonly kind: "complete" | "fail" | "cancel_ack"; readonly body: string } | undefined;
}

/** The disk has no room for the journal. Nothing was written; claiming must stop until it has. */
export class JournalFull extends HostError {
  constructor(path: string, cause: unknown) {
    super(`Cannot write the journal "${path}": no room on the disk`, {
      code: "journal_full",
      hint: "free some disk space; the host claims again by itself",
      cause,
      facts: { path },
    });
  }
}
