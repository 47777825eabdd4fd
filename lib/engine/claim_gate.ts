/** May this host claim right now, and if not, why (spec 01 §7.11): one owner, decisions only. */
import { Broadcast } from "../core/mod.ts";

/** Reasons that keep the host from claiming, each with its own sentence. */
export type PauseReason = "starting" | "draining" | "reload" | "update" | "unauthorized";

/** Counts claims in flight and tasks that run; pauses claims for named reasons. */
export class ClaimGate {
  readonly #paused = new Map<PauseReason, string>();
  readonly #probe: () => string;
  #inFlight = 0;
  #active = 0;

  /** Hears every change of pause state, the last answer to claims in flight, and every drop to idle. */
  readonly changes = new Broadcast<void>();

  /** `probe` is asked before each claim: a sentence keeps the host from claiming, "" does not (a full disk). */
  constructor(probe: () => string = () => "") {
    this.#probe = probe;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Claimed tasks that have not ended. */
  get active(): number {
    return this.#active;
  }

  get idle(): boolean {
    return this.#inFlight === 0 && this.#active === 0;
  }

  /** "" while claims are allowed, else why not. */
  get why(): string {
    return [...this.#paused.values(), this.#probe()].filter((sentence) => sentence !== "").join("; ");
  }

  isPaused(reason?: PauseReason): boolean {
    return reason === undefined ? this.#paused.size > 0 || this.#probe() !== "" : this.#paused.has(reason);
  }

  /** A claim request is about to be sent. False: refused. */
  enter(): boolean {
    if (this.isPaused()) return false;
    this.#inFlight++;
    return true;
  }

  /** The claim request is answered; tasks it brought were counted by {@link ClaimGate.taskStarted} before. */
  exit(): void {
    this.#inFlight--;
    if (this.#inFlight === 0) this.changes.publish();
  }

  /** Resolves when no claim is in flight. Rejects with the signal's reason. */
  async answered(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inFlight === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const unsubscribe = this.changes.subscribe(() => this.#inFlight === 0 && resolve());
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
    }
  }

  taskStarted(): void {
    this.#active++;
  }

  taskEnded(): void {
    this.#active--;
    if (this.idle) this.changes.publish();
  }

  /** Pauses claims for one more reason. */
  pause(reason: PauseReason, sentence: string): void {
    if (this.#paused.get(reason) === sentence) return;
    this.#paused.set(reason, sentence);
    this.changes.publish();
  }

  /** Takes a reason away. */
  resume(reason: PauseReason): void {
    if (this.#paused.delete(reason)) this.changes.publish();
  }

  /** Pauses for `reason` only when nothing is claimed or running; a gate that is paused already refuses a second owner. */
  trySet(reason: "update" | "reload", sentence: string): boolean {
    if (!this.idle || this.#paused.has("update") || this.#paused.has("reload")) return false;
    this.pause(reason, sentence);
    return true;
  }
}
