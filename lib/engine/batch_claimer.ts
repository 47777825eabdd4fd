/** The machine-wide claimer for servers that offer batch claims: one request for all free slots (spec 01 §11.2, 02 §17.7–8). */
import type { ClaimedTask } from "../control/mod.ts";
import {
  type Clock,
  errorText,
  getLog,
  isAbort,
  Notice,
  type Scope,
  sleep,
  waitAtMost,
} from "../core/mod.ts";
import type { RuntimeRegistry } from "../runtimes/mod.ts";
import type { ClaimGate } from "./claim_gate.ts";
import { type ClaimTrouble, EVERYBODY } from "./claiming.ts";
import type { Slot, SlotPool } from "./slots.ts";

const log = getLog("engine", "claim");

/** After a claim whose outcome is unknown nothing is claimed for this long, ms; then one claim goes over HTTP. */
const UNCERTAIN_MS = 7_000;

/** Most tasks a server hands out at once: an answer with so many is a full one (spec 01 §11.2). */
const SERVER_CAP = 32;

/** What one batch claim came to. */
export type BatchOutcome =
  | { readonly kind: "tasks"; readonly tasks: readonly ClaimedTask[] }
  /** Sent, but nobody knows whether it was carried out. */
  | { readonly kind: "uncertain" }
  /** The server has no batch claim: the per-runtime pollers take over until the next connection. */
  | { readonly kind: "unsupported" };

export interface BatchPorts {
  readonly registry: RuntimeRegistry;
  readonly clock: Clock;
  readonly slots: SlotPool;
  readonly gate: ClaimGate;
  readonly trouble: ClaimTrouble;
  readonly intervalMs: number;
  readonly available: () => boolean;
  /** `socket` false: over HTTP only. */
  readonly claim: (
    request: { runtimeIds: readonly string[]; maxTasks: number; socket: boolean },
    signal: AbortSignal,
  ) => Promise<BatchOutcome>;
  readonly onTask: (task: ClaimedTask, slot: Slot) => void;
  /** The server turned out not to offer it. */
  readonly onUnsupported: () => void;
}

/** One loop. A hint for one runtime claims for that runtime alone (decisions). */
export class BatchClaimer {
  readonly #wake = new Notice();
  readonly #hinted = new Set<string>();
  #all = true;

  constructor(private readonly ports: BatchPorts, private readonly requests: Scope) {}

  /** "" asks for all runtimes. Unknown ids are ignored. */
  wake(runtimeId: string): void {
    if (runtimeId === "") this.#all = true;
    else if (this.ports.registry.runtime(runtimeId) !== undefined) this.#hinted.add(runtimeId);
    else return;
    this.#wake.notify();
  }

  async loop(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { clock, intervalMs } = this.ports;
      const woken = await this.#waitForWork(clock, intervalMs, signal);
      if (!woken) this.#all = true;
      while (this.#wanted() && this.ports.available() && !this.ports.gate.isPaused()) {
        if (!await this.#cycle(signal)) break;
      }
    }
  }

  async #waitForWork(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
    const before = this.#wanted();
    await waitAtMost(clock, this.#wake, ms, signal);
    return before || this.#wanted();
  }

  #wanted(): boolean {
    return this.#all || this.#hinted.size > 0;
  }

  /** One claim with all slots that are free. False: rest until the next wake. */
  async #cycle(signal: AbortSignal): Promise<boolean> {
    const slots = [await this.ports.slots.take(signal)];
    for (let more = this.ports.slots.tryTake(); more; more = this.ports.slots.tryTake()) slots.push(more);
    const all = this.#all;
    const ids = all ? this.ports.registry.announcedIds() : [...this.#hinted];
    this.#all = false;
    this.#hinted.clear();
    try {
      if (ids.length === 0 || !this.ports.gate.enter()) return false;
      try {
        const asked = slots.length;
        const got = await this.#claim(ids, slots, signal);
        // A full answer says that more is waiting; ask the same runtimes again.
        if (got >= Math.min(asked, SERVER_CAP)) {
          all ? this.#all = true : ids.forEach((id) => this.#hinted.add(id));
        }
        return got > 0;
      } finally {
        this.ports.gate.exit();
      }
    } finally {
      for (const slot of slots) slot.release();
    }
  }

  /** Number of tasks; their slots are taken out of `slots`. */
  async #claim(ids: readonly string[], slots: Slot[], signal: AbortSignal): Promise<number> {
    const request = { runtimeIds: ids, maxTasks: slots.length };
    let outcome = await this.#ask({ ...request, socket: true });
    if (outcome?.kind === "uncertain") {
      log.warn("outcome of a claim is unknown; claiming rests", { ms: UNCERTAIN_MS });
      this.ports.trouble.rests(
        `the outcome of the last claim is unknown, so claims rest for ${UNCERTAIN_MS / 1000} s`,
      );
      await sleep(this.ports.clock, UNCERTAIN_MS, signal);
      outcome = await this.#ask({ ...request, socket: false });
    }
    if (outcome === undefined || outcome.kind === "uncertain") return 0;
    if (outcome.kind === "unsupported") {
      this.ports.onUnsupported();
      return 0;
    }
    for (const task of outcome.tasks) {
      const slot = slots.shift();
      if (slot === undefined) {
        log.error("server returned more tasks than were asked for", { asked: request.maxTasks });
        break;
      }
      this.ports.onTask(task, slot);
    }
    return outcome.tasks.length;
  }

  async #ask(request: Parameters<BatchPorts["claim"]>[0]): Promise<BatchOutcome | undefined> {
    try {
      const outcome = await this.requests.run((signal) => this.ports.claim(request, signal));
      this.ports.trouble.worked(EVERYBODY);
      return outcome;
    } catch (error) {
      if (isAbort(error)) return undefined;
      const fields = { error: errorText(error) };
      if (this.ports.trouble.failed(EVERYBODY, error)) log.warn("claim failed", fields);
      else log.debug("claim still failing", fields);
      return undefined;
    }
  }
}
