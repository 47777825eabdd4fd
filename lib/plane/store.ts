/** The state all parts of the plane share: database, clock, era, and who is told what after a commit. */
import type { Clock } from "../core/mod.ts";
import { Broadcast, uuidV7 } from "../core/mod.ts";
import { Db, type Synchronous } from "./db.ts";
import { SCHEMA } from "./schema.ts";
import type { Era, PlaneEvent } from "./types.ts";

/** A frame for daemon sockets, sent after the commit (spec 02 §14). */
export type Hint =
  | { readonly type: "task_available"; readonly runtimeId: string; readonly taskId: string }
  | { readonly type: "profiles_changed"; readonly workspaceId: string; readonly profileId: string }
  | { readonly type: "workspaces_changed"; readonly userIds: readonly string[] }
  | { readonly type: "pending_work"; readonly runtimeId: string; readonly kind: string };

/** See {@link Store}. */
export interface StoreOptions {
  /** File, or ":memory:". */
  readonly path: string;
  readonly clock: Clock;
  readonly era: Era;
  /** @default "NORMAL" */
  readonly synchronous?: Synchronous;
}

/** Database plus clock plus publication. Every module of the plane works on one of these. */
export class Store {
  readonly db: Db;
  readonly clock: Clock;
  /** May be changed between requests: a server update in the middle of a test. */
  era: Era;
  /** Fault injection: changes what a claim hands out (a missing agent, a wrong token). */
  editClaim: ((task: Record<string, unknown>) => Record<string, unknown>) | undefined;
  readonly events: Broadcast<PlaneEvent> = new Broadcast();
  readonly hints: Broadcast<Hint> = new Broadcast();

  constructor(options: StoreOptions) {
    this.clock = options.clock;
    this.era = options.era;
    this.db = new Db(options.path, options.synchronous);
    this.db.exec(SCHEMA);
  }

  get later(): boolean {
    return this.era === "later";
  }

  /** Wall time of the plane in milliseconds. */
  now(): number {
    return this.clock.now();
  }

  /** A new row id: random at baseline, version 7 later (decisions.md). */
  newId(): string {
    return this.later ? uuidV7(this.clock) : crypto.randomUUID();
  }

  /** Publishes after the current transaction has committed. */
  emit(event: PlaneEvent): void {
    this.db.afterCommit(() => this.events.publish(event));
  }

  /** Sends a hint after the current transaction has committed. */
  hint(hint: Hint): void {
    this.db.afterCommit(() => this.hints.publish(hint));
  }
}

/** RFC 3339 of a stored time, or null. */
export function rfc3339(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** Parses a JSON column that this program wrote. */
export function fromJson<T>(text: string | null, otherwise: T): T {
  return text === null ? otherwise : JSON.parse(text) as T;
}
