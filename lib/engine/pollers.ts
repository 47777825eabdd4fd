/** Claim pollers: one a runtime, each with its own wake flag and offset (spec 01 §7.10, 02 §11). */
import { type ClaimedTask, type ControlApi, isRuntimeGone, pollOffsetMs } from "../control/mod.ts";
import { type Clock, errorText, getLog, isAbort, Notice, type Scope, waitAtMost } from "../core/mod.ts";
import type { RuntimeRegistry } from "../runtimes/mod.ts";
import type { ClaimGate } from "./claim_gate.ts";
import type { Slot, SlotPool } from "./slots.ts";

const log = getLog("engine", "poll");

/** Poll interval where none is configured, ms. */
const FALLBACK_MS = 5_000;
/** A moment to poll that is nearer than this is now, ms. */
const HERE_MS = 1_000;

export interface PollerPorts {
  readonly control: ControlApi;
  readonly registry: RuntimeRegistry;
  readonly clock: Clock;
  readonly slots: SlotPool;
  readonly gate: ClaimGate;
  readonly intervalMs: number;
  /** While true the machine-wide claimer does the work and these pollers rest. */
  readonly batch: () => boolean;
  /** Takes a claimed task and its slot; returns at once. */
  readonly onTask: (task: ClaimedTask, slot: Slot) => void;
  readonly onGone: (runtimeId: string) => void;
}

interface Poller {
  readonly scope: Scope;
  readonly wake: Notice;
}

/** Supervises the pollers as the runtime set changes; survivors go on undisturbed. */
export class Pollers {
  readonly #pollers = new Map<string, Poller>();
  readonly #warned = new Set<string>();

  /** `scope` ends the pollers; claims in flight live in `requests`, so that an answer is never thrown away. */
  constructor(
    private readonly ports: PollerPorts,
    private readonly scope: Scope,
    private readonly requests: Scope,
  ) {
    const unsubscribe = ports.registry.changes.subscribe(({ ids }) => this.#adapt(ids));
    scope.signal.addEventListener("abort", unsubscribe, { once: true });
    this.#adapt(ports.registry.announcedIds());
  }

  /** "" wakes every poller; an id only its own; an unknown id nobody. */
  wake(runtimeId: string): void {
    if (runtimeId !== "") return this.#pollers.get(runtimeId)?.wake.notify();
    for (const poller of this.#pollers.values()) poller.wake.notify();
  }

  #adapt(ids: readonly string[]): void {
    const wanted = new Set(ids);
    for (const [id, poller] of this.#pollers) {
      if (!wanted.has(id)) this.#drop(id, poller);
    }
    for (const id of ids) {
      if (this.#pollers.has(id)) continue;
      const poller: Poller = { scope: this.scope.child(`poller ${id}`), wake: new Notice() };
      poller.wake.notify();
      this.#pollers.set(id, poller);
      poller.scope.spawn("poll", (signal) => this.#loop(id, poller, signal));
    }
  }

  /** The entry goes as soon as its poller ends: the same id may come back and needs a new one. */
  #drop(id: string, poller: Poller): void {
    if (this.#pollers.get(id) === poller) this.#pollers.delete(id);
    this.scope.spawn("end poller", () => poller.scope.close());
  }

  async #loop(id: string, poller: Poller, signal: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    const intervalMs = this.ports.intervalMs > 0 ? this.ports.intervalMs : FALLBACK_MS;
    const firstAt = clock.monotonic() + pollOffsetMs(id, intervalMs);
    for (;;) {
      await waitAtMost(clock, poller.wake, untilNext(firstAt, intervalMs, clock.monotonic()), signal);
      while (!this.ports.batch() && !this.ports.gate.isPaused()) {
        const slot = await this.ports.slots.take(signal);
        if (this.ports.batch() || this.ports.gate.isPaused()) {
          slot.release();
          break;
        }
        const outcome = await this.#claim(id, slot);
        if (outcome === "gone") {
          this.#drop(id, poller);
          return this.ports.onGone(id);
        }
        if (outcome === "nothing") break;
      }
    }
  }

  /** One claim with a slot in hand. The slot goes with the task, or back. */
  async #claim(id: string, slot: Slot): Promise<"task" | "nothing" | "gone"> {
    const { gate } = this.ports;
    if (!gate.enter()) {
      slot.release();
      return "nothing";
    }
    let taken = false;
    try {
      const task = await this.requests.run((signal) => this.ports.control.claim(id, { signal }));
      this.#warned.delete(id);
      if (task === undefined) return "nothing";
      taken = true;
      this.ports.onTask(task, slot);
      return "task";
    } catch (error) {
      if (isRuntimeGone(error)) return "gone";
      if (!isAbort(error)) this.#warn(id, error);
      return "nothing";
    } finally {
      if (!taken) slot.release();
      gate.exit();
    }
  }

  #warn(id: string, error: unknown): void {
    const fields = { runtime_id: id, error: errorText(error) };
    if (this.#warned.has(id)) log.debug("claim still failing", fields);
    else log.warn("claim failed", fields);
    this.#warned.add(id);
  }
}

/**
 * Time to the next of a poller's own moments: its offset, then every interval. A wake-up that reaches all pollers at
 * once does not move them, so that they do not poll in step ever after. A moment that is all but here counts as this
 * one: timers are not exact. All in ms.
 */
export function untilNext(firstAt: number, intervalMs: number, now: number): number {
  if (now < firstAt) return firstAt - now;
  const left = intervalMs - (now - firstAt) % intervalMs;
  return left < Math.min(HERE_MS, intervalMs / 10) ? left + intervalMs : left;
}
