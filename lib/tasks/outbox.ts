/** The outbox: delivers what the journal holds, in order per task, for as long as it takes. */
import { Backoff, Broadcast, type Clock, getLog, type Random, type Timer } from "../core/mod.ts";
import { deliverRecord, type DeliveryApi, failInstead } from "./deliver.ts";
import type { Journal } from "./journal.ts";
import { type JournalClaim, type JournalRecord, releaseBody, TERMINAL_KINDS } from "./journal_types.ts";
import { replayClaim } from "./replay.ts";
import type { Verdict } from "./verdict.ts";

const log = getLog("tasks", "outbox");

/** Tasks delivered at the same time. */
export const OUTBOX_LANES = 4;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
/** While the server refuses our token: one try a minute, besides {@link Outbox.kick}. */
const HELD_RETRY_MS = 60_000;
/** HTTP failures of one record after which its rows go one by one. */
const ROWS_APART_AFTER = 4;
/** HTTP failures of one record after which later ones are tried too, so that it does not hold the result. */
const STEP_OVER_AFTER = 8;
/** HTTP failures of a record after which it is parked, once the result has been delivered past it. */
const PARK_AFTER = 11;
/** How long a claim the server should hand out again keeps orphan recovery away, ms (spec 01 §6.2). */
const AWAIT_MS = 300_000;

/** What {@link Outbox} works with. */
export interface OutboxDeps {
  readonly journal: Journal;
  readonly control: DeliveryApi;
  readonly clock: Clock;
  readonly random: Random;
  /** Failure reason of a text (spec 08 §10). */
  readonly classify: (text: string) => string;
  /** Hears that {@link Outbox.status} says something else now. */
  readonly onStatus?: () => void;
}

/** How the report of a task ended. */
export interface Settlement {
  readonly claimId: number;
  readonly taskId: string;
  readonly runtimeId: string;
  readonly kind: JournalRecord["kind"];
  readonly outcome: "delivered" | "parked" | "discarded";
  readonly reason: string;
}

/** Numbers and one sentence for the status page. */
export interface OutboxStatus {
  /** Tasks with something to deliver. */
  readonly pending: number;
  readonly parked: number;
  /** Why nothing is sent at all, "" while it is. */
  readonly held: string;
  readonly sentence: string;
}

/** One task's queue. */
interface Lane {
  readonly claim: JournalClaim;
  readonly backoff: Backoff;
  /** HTTP failures by record. */
  readonly failures: Map<number, number>;
  /** Records an unanswered try may have reached the server with. */
  readonly doubtful: Set<number>;
  state: "idle" | "ready" | "busy" | "waiting";
  timer: Timer | undefined;
  /** The terminal report waits for the agent's processes to end. */
  gated: boolean;
  /** Records were added while it was busy. */
  again: boolean;
  /** The report of the end has been delivered or parked. */
  settled: boolean;
  lastError: string;
}

/**
 * Own worker of the journal: up to four tasks at once, strictly in order within a task, back-off 1 → 60 s ± 20 %
 * without end; 401 and 403 hold everything (reliability §3). {@link run} ends with its signal, the records safe.
 */
export class Outbox {
  /** Each report of an end that was settled. */
  readonly settled = new Broadcast<Settlement>();
  readonly #lanes = new Map<number, Lane>();
  readonly #ready: Lane[] = [];
  readonly #jobs = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  /** Claims of an earlier process whose state at the server is not known yet. */
  readonly #replaying = new Map<number, JournalClaim>();
  readonly #emptied = new Map<number, (() => void)[]>();
  readonly #idleWaiters: (() => void)[] = [];
  readonly #holdWaiters: (() => void)[] = [];
  #running = false;
  #held = "";
  #heldTimer: Timer | undefined;

  constructor(private readonly deps: OutboxDeps) {}

  /** Delivers until `signal` aborts, then waits for the requests in flight to end. */
  async run(signal: AbortSignal): Promise<void> {
    this.#running = true;
    for (const lane of this.#lanes.values()) this.#makeReady(lane);
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    this.#running = false;
    this.#abort.abort(signal.reason);
    this.#heldTimer?.cancel();
    for (const lane of this.#lanes.values()) lane.timer?.cancel();
    while (this.#jobs.size > 0) await Promise.all([...this.#jobs]);
    for (const done of [...this.#emptied.values()].flat()) done();
    for (const done of this.#idleWaiters.splice(0)) done();
    this.deps.journal.sweep();
  }

  /**
   * Takes up what an earlier process left: its finished claims are delivered, its unfinished ones reported as
   * `runtime_recovery` or left for the server to hand out again. Resolves when each has its verdict; while the
   * server is away that is later, and {@link hasLive} says so. Call before any orphan recovery.
   */
  async replay(): Promise<void> {
    const claims = this.deps.journal.open();
    for (const claim of claims) if (claim.state === "live") this.#replaying.set(claim.id, claim);
    const finished = claims.filter((claim) => claim.state !== "live" && claim.state !== "awaiting");
    for (const claim of finished) this.#makeReady(this.#lane(claim));
    if (claims.length > 0) {
      log.info("journal replay", { claims: claims.length, unfinished: this.#replaying.size });
    }
    await Promise.all([
      ...finished.map((claim) => this.#whenEmpty(claim.id)),
      ...[...this.#replaying.values()].map((claim) => this.#recover(claim)),
    ]);
  }

  async #recover(claim: JournalClaim): Promise<void> {
    const { journal, control, clock, random } = this.deps;
    const how = { journal, control, clock, random, signal: this.#abort.signal };
    await replayClaim(claim, how);
    if (this.#abort.signal.aborted) return;
    this.#replaying.delete(claim.id);
    const now = journal.get(claim.id) ?? claim;
    this.#makeReady(this.#lane(now));
    if (now.state !== "awaiting") await this.#whenEmpty(claim.id);
  }

  /** True while this host has a live task or an undelivered record of the runtime: no orphan recovery then. */
  hasLive(runtimeId: string): boolean {
    for (const claim of this.#replaying.values()) if (claim.runtimeId === runtimeId) return true;
    return this.deps.journal.open().some((claim) => claim.runtimeId === runtimeId && !this.#expired(claim));
  }

  #expired(claim: JournalClaim): boolean {
    if (claim.state !== "awaiting" || this.deps.clock.now() - claim.claimedAt < AWAIT_MS) return false;
    this.deps.journal.setState(claim.id, "ended");
    this.deps.journal.sweep(claim.id);
    return true;
  }

  /** Records were added for a claim. */
  wake(claimId: number): void {
    const lane = this.#find(claimId);
    if (lane === undefined) return;
    if (lane.state === "busy") lane.again = true;
    else if (lane.state === "idle") this.#makeReady(lane);
  }

  /** Holds the terminal report of a claim back until {@link release}; all before it goes out. */
  gate(claimId: number): void {
    const lane = this.#find(claimId);
    if (lane) lane.gated = true;
  }

  /** The agent's processes have ended: the terminal report may go. */
  release(claimId: number): void {
    const lane = this.#find(claimId);
    if (lane === undefined || !lane.gated) return;
    lane.gated = false;
    this.wake(claimId);
  }

  /** The server is there again (a socket opened, a heartbeat succeeded, a new token): try everything now. */
  kick(): void {
    this.#held = "";
    this.#heldTimer?.cancel();
    this.#heldTimer = undefined;
    for (const lane of this.#lanes.values()) {
      lane.backoff.reset();
      if (lane.state === "waiting") this.#makeReady(lane);
    }
    this.#pump();
  }

  /** Resolves when the report of a claim's end is delivered or parked, or there is none to wait for. */
  whenSettled(claimId: number): Promise<void> {
    const lane = this.#lanes.get(claimId);
    if (lane === undefined || lane.settled) return Promise.resolve();
    return new Promise((resolve) => {
      const off = this.settled.subscribe((settlement) => {
        if (settlement.claimId !== claimId) return;
        off();
        resolve();
      });
      void this.#whenEmpty(claimId).then(() => {
        off();
        resolve();
      });
    });
  }

  /** Resolves when nothing is being delivered or waits for another try (a held queue is not idle). */
  idle(): Promise<void> {
    return this.#isIdle()
      ? Promise.resolve()
      : new Promise((resolve) => void this.#idleWaiters.push(resolve));
  }

  /** As {@link idle}, but a held queue rests too: nothing can be delivered before a new login. */
  resting(): Promise<void> {
    if (this.#held !== "") return Promise.resolve();
    return Promise.race([this.idle(), new Promise<void>((resolve) => void this.#holdWaiters.push(resolve))]);
  }

  #isIdle(): boolean {
    return this.#replaying.size === 0 && [...this.#lanes.values()].every((lane) => lane.state === "idle");
  }

  /** Numbers and one sentence. */
  status(): OutboxStatus {
    const busy = [...this.#lanes.values()].filter((lane) => lane.state !== "idle");
    const parked = this.deps.journal.parkedCount;
    const pending = busy.length + this.#replaying.size;
    return { pending, parked, held: this.#held, sentence: this.#sentence(busy, pending) };
  }

  #sentence(busy: readonly Lane[], pending: number): string {
    if (this.#held !== "") return `holding ${pending} reports: the server refuses our login (${this.#held})`;
    if (pending === 0) return "everything delivered";
    const failing = busy.find((lane) => lane.state === "waiting" && lane.lastError !== "");
    return failing === undefined
      ? `delivering reports of ${pending} tasks`
      : `retrying reports of ${pending} tasks: ${failing.lastError}`;
  }

  #find(claimId: number): Lane | undefined {
    const known = this.#lanes.get(claimId);
    if (known) return known;
    const claim = this.deps.journal.get(claimId);
    return claim === undefined ? undefined : this.#lane(claim);
  }

  #lane(claim: JournalClaim): Lane {
    const known = this.#lanes.get(claim.id);
    if (known) return known;
    const lane: Lane = {
      claim,
      backoff: new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS, this.deps.random),
      failures: new Map(),
      doubtful: new Set(),
      state: "idle",
      timer: undefined,
      gated: false,
      again: false,
      settled: false,
      lastError: "",
    };
    this.#lanes.set(claim.id, lane);
    return lane;
  }

  #makeReady(lane: Lane): void {
    if (lane.state === "ready" || lane.state === "busy") return;
    lane.timer?.cancel();
    lane.timer = undefined;
    lane.state = "ready";
    this.#ready.push(lane);
    this.#pump();
  }

  #pump(): void {
    while (this.#running && this.#held === "" && this.#jobs.size < OUTBOX_LANES) {
      const lane = this.#ready.shift();
      if (lane === undefined) return;
      lane.state = "busy";
      const job: Promise<void> = this.#drain(lane).finally(() => {
        this.#jobs.delete(job);
        this.#pump();
        if (!this.#isIdle()) return;
        for (const done of this.#idleWaiters.splice(0)) done();
        this.deps.onStatus?.();
      });
      this.#jobs.add(job);
    }
  }

  /** Delivers one lane until it is empty, must wait, or others wait too. */
  async #drain(lane: Lane): Promise<void> {
    let passed: JournalRecord | undefined;
    try {
      while (this.#running) {
        lane.again = false;
        const record = this.deps.journal.next(lane.claim.id, passed);
        if (record === undefined || lane.gated && TERMINAL_KINDS.has(record.kind)) {
          return this.#pause(lane, passed !== undefined, record === undefined);
        }
        const verdict = await this.#deliver(lane, record);
        if (verdict.t === "hold") return this.#hold(lane, verdict.reason);
        if (verdict.t === "retry") {
          if (!this.#stepsOver(lane, record, verdict)) return this.#later(lane, verdict.afterMs);
          passed = record;
        } else this.#apply(lane, record, verdict);
        if (this.#ready.length > 0) return this.#requeue(lane);
      }
      lane.state = "idle";
    } catch (error) {
      lane.state = "idle";
      if (this.#abort.signal.aborted) return;
      log.error("delivery failed", { task: lane.claim.taskId, error: String(error) });
      this.#later(lane, undefined);
    }
  }

  async #deliver(lane: Lane, record: JournalRecord): Promise<Verdict> {
    const failures = lane.failures.get(record.id) ?? 0;
    const verdict = await deliverRecord(this.deps.control, lane.claim, record, {
      ambiguous: record.replayed || lane.doubtful.has(record.id),
      rowByRow: failures >= ROWS_APART_AFTER,
      signal: this.#abort.signal,
    });
    if (verdict.t === "retry") {
      lane.lastError = verdict.reason;
      if (verdict.mayHaveArrived) lane.doubtful.add(record.id);
      if (verdict.http >= 400 && verdict.http !== 429) lane.failures.set(record.id, failures + 1);
      log.debug("delivery will be retried", {
        task: lane.claim.taskId,
        kind: record.kind,
        reason: verdict.reason,
      });
    } else lane.lastError = verdict.t === "hold" ? verdict.reason : "";
    return verdict;
  }

  /** True when the record may be passed over for now: it alone is the trouble, as far as one can tell. */
  #stepsOver(lane: Lane, record: JournalRecord, verdict: Extract<Verdict, { t: "retry" }>): boolean {
    const failures = lane.failures.get(record.id) ?? 0;
    if (TERMINAL_KINDS.has(record.kind) || failures < STEP_OVER_AFTER) return false;
    if (lane.settled && failures >= PARK_AFTER) {
      this.deps.journal.park(record, `the server fails on it: ${verdict.reason}`);
    }
    return true;
  }

  #apply(lane: Lane, record: JournalRecord, verdict: Verdict): void {
    const { journal } = this.deps;
    lane.backoff.reset();
    lane.failures.delete(record.id);
    lane.doubtful.delete(record.id);
    switch (verdict.t) {
      case "delivered":
        journal.delivered(record);
        releaseBody(record);
        return this.#settle(lane, record, "delivered", "");
      case "discarded":
        journal.discard(record, verdict.reason);
        return this.#settle(lane, record, "discarded", verdict.reason);
      case "parked":
        journal.park(record, verdict.reason);
        return this.#settle(lane, record, "parked", verdict.reason);
      case "fail instead": {
        log.error("complete is not possible, reporting failure", {
          task: lane.claim.taskId,
          reason: verdict.reason,
        });
        const body = failInstead(record, verdict.reason, this.deps.classify);
        return journal.replaceTerminal(record, "fail", body);
      }
    }
  }

  #settle(lane: Lane, record: JournalRecord, outcome: Settlement["outcome"], reason: string): void {
    if (!TERMINAL_KINDS.has(record.kind)) return;
    lane.settled = true;
    const { id: claimId, taskId, runtimeId } = lane.claim;
    log.info("report settled", { task: taskId, kind: record.kind, outcome, reason });
    this.settled.publish({ claimId, taskId, runtimeId, kind: record.kind, outcome, reason });
  }

  /** Nothing more to send now. */
  #pause(lane: Lane, passedOver: boolean, empty: boolean): void {
    if (lane.again) return this.#requeue(lane);
    if (passedOver) return this.#later(lane, undefined);
    lane.state = "idle";
    const { journal } = this.deps;
    const claim = empty ? journal.get(lane.claim.id) : undefined;
    if (!empty || claim !== undefined && (claim.state === "live" || claim.state === "awaiting")) return;
    journal.sweep(lane.claim.id);
    this.#lanes.delete(lane.claim.id);
    for (const done of this.#emptied.get(lane.claim.id) ?? []) done();
    this.#emptied.delete(lane.claim.id);
  }

  #requeue(lane: Lane): void {
    lane.state = "idle";
    this.#makeReady(lane);
  }

  #later(lane: Lane, afterMs: number | undefined): void {
    lane.state = "waiting";
    lane.timer = this.deps.clock.timer(afterMs ?? lane.backoff.next(), () => this.#makeReady(lane));
    this.deps.onStatus?.();
  }

  #hold(lane: Lane, reason: string): void {
    lane.state = "waiting";
    if (this.#held === "") {
      log.error("the server refuses our login: reports are held, none is lost", {
        reason,
        hint: "multica-host login",
      });
    }
    this.#held = reason;
    for (const done of this.#holdWaiters.splice(0)) done();
    this.deps.onStatus?.();
    this.#heldTimer?.cancel();
    this.#heldTimer = this.deps.clock.timer(HELD_RETRY_MS, () => this.kick());
  }

  #whenEmpty(claimId: number): Promise<void> {
    if (!this.#lanes.has(claimId) || this.#abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptied.set(claimId, [...this.#emptied.get(claimId) ?? [], resolve]);
    });
  }
}
