/** HTTP heartbeats: one independent loop a runtime, silent while the socket is healthy (spec 01 §7.8, 02 §7.3). */
import {
  type ControlApi,
  type HeartbeatAnswer,
  isRuntimeGone,
  isTransient,
  isUnauthorized,
} from "../control/mod.ts";
import {
  type Clock,
  errorText,
  getLog,
  isAbort,
  type Random,
  type Scope,
  sleep,
  withDeadline,
} from "../core/mod.ts";
import type { RuntimeRegistry } from "../runtimes/mod.ts";
import type { StatusBoard } from "./status_board.ts";

const log = getLog("engine", "heartbeat");

/** At least this long between two extra beats of one runtime, ms (spec 02 §17.4). */
const EXTRA_GAP_MS = 1_000;
/** Of extra beats for many runtimes so many go at once, the others one by one after them, ms apart. */
const EXTRA_AT_ONCE = 10;
const EXTRA_STEP_MS = 20;
/** Limit of an extra beat, ms. */
const EXTRA_LIMIT_MS = 15_000;
/** After this many transient failures in a row pooled connections are dropped. */
const DROP_AFTER = 2;

export interface HeartbeatPorts {
  readonly control: ControlApi;
  readonly registry: RuntimeRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly intervalMs: number;
  readonly status: StatusBoard;
  /** True while the socket acknowledged this runtime recently. */
  readonly fresh: (runtimeId: string) => boolean;
  readonly onAnswer: (runtimeId: string, answer: HeartbeatAnswer) => void;
  readonly onGone: (runtimeId: string) => void;
  /** A beat got through after failures, or the first did. */
  readonly onReachable: () => void;
  /** The server refuses the token. */
  readonly onUnauthorized: () => void;
}

interface Beat {
  readonly scope: Scope;
  /** A request is in flight. */
  busy: boolean;
  lastExtra: number;
}

/** Supervises the loops as the runtime set changes; survivors keep theirs. */
export class Heartbeats {
  readonly #beats = new Map<string, Beat>();
  readonly #failing = new Set<string>();
  #lastError = "";
  #failuresInARow = 0;
  #droppedAt = -Infinity;

  constructor(private readonly ports: HeartbeatPorts, private readonly scope: Scope) {
    const unsubscribe = ports.registry.changes.subscribe(({ ids }) => this.#adapt(ids));
    scope.signal.addEventListener("abort", unsubscribe, { once: true });
    this.#adapt(ports.registry.announcedIds());
  }

  /** Why no runtime's heartbeat gets through over HTTP, "" when one does or none is sent. */
  trouble(): string {
    const silent = this.#beats.size > 0 && this.#failing.size === this.#beats.size;
    return silent ? `the server takes no heartbeats, trying again: ${this.#lastError}` : "";
  }

  /** One beat at once for each of these runtimes (reconnect, wake, hint), past the freshness rule. */
  beatNow(runtimeIds: readonly string[] = [...this.#beats.keys()]): void {
    const { clock } = this.ports;
    let n = 0;
    for (const id of runtimeIds) {
      const beat = this.#beats.get(id);
      const now = clock.monotonic();
      if (beat === undefined || beat.busy || now - beat.lastExtra < EXTRA_GAP_MS) continue;
      beat.lastExtra = now;
      const waitMs = Math.max(0, ++n - EXTRA_AT_ONCE) * EXTRA_STEP_MS;
      this.scope.spawn("extra beat", async (outer) => {
        if (waitMs > 0) await sleep(clock, waitMs, outer);
        if (this.#beats.get(id) !== beat || beat.busy) return;
        const limited = (signal: AbortSignal) => this.#beat(id, beat, signal);
        await withDeadline(clock, EXTRA_LIMIT_MS, "heartbeat", limited, outer);
      });
    }
  }

  #adapt(ids: readonly string[]): void {
    const wanted = new Set(ids);
    for (const [id, beat] of this.#beats) {
      if (wanted.has(id)) continue;
      this.#beats.delete(id);
      this.#failing.delete(id);
      this.scope.spawn("end heartbeat", () => beat.scope.close());
    }
    for (const id of ids) {
      if (this.#beats.has(id)) continue;
      const beat: Beat = { scope: this.scope.child(`heartbeat ${id}`), busy: false, lastExtra: -Infinity };
      this.#beats.set(id, beat);
      beat.scope.spawn("heartbeat", (signal) => this.#loop(id, beat, signal));
    }
    this.#say();
  }

  async #loop(id: string, beat: Beat, signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.ports;
    await sleep(clock, this.ports.random() * intervalMs, signal);
    for (;;) {
      if (!this.ports.fresh(id)) {
        if (!beat.busy) await this.#beat(id, beat, this.scope.signal);
      } else if (this.#failing.has(id)) this.#wentWell(id); // acknowledged on the socket since
      await sleep(clock, intervalMs, signal);
    }
  }

  /** Ends with the host, not with its runtime: an answer may bring work that the server will not name again. */
  async #beat(id: string, beat: Beat, signal: AbortSignal): Promise<void> {
    beat.busy = true;
    try {
      const answer = await this.ports.control.heartbeat(id, { signal });
      this.#wentWell(id);
      if (answer.runtime_gone || answer.status === "runtime_gone") this.ports.onGone(id);
      else this.ports.onAnswer(id, answer);
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      if (isRuntimeGone(error)) return this.ports.onGone(id);
      if (this.#beats.get(id) === beat) this.#wentWrong(id, error);
    } finally {
      beat.busy = false;
    }
  }

  #wentWell(id: string): void {
    const wasFailing = this.#failing.delete(id);
    const recovered = this.#failuresInARow > 0;
    this.#failuresInARow = 0;
    if (wasFailing) log.info("heartbeat works again", { runtime_id: id });
    if (recovered || wasFailing) this.ports.onReachable();
    this.#say();
  }

  #wentWrong(id: string, error: unknown): void {
    const fields = { runtime_id: id, error: errorText(error) };
    // The change of state is told once, not every fifteen seconds.
    if (this.#failing.has(id)) log.debug("heartbeat still failing", fields);
    else log.warn("heartbeat failed", fields);
    this.#failing.add(id);
    this.#lastError = fields.error;
    if (isUnauthorized(error)) this.ports.onUnauthorized();
    if (isTransient(error) && ++this.#failuresInARow >= DROP_AFTER) this.#dropConnections();
    this.#say();
  }

  /** Once an interval is enough, however many runtimes fail. */
  #dropConnections(): void {
    const now = this.ports.clock.monotonic();
    if (now - this.#droppedAt < this.ports.intervalMs) return;
    this.#droppedAt = now;
    this.ports.control.dropConnections();
  }

  #say(): void {
    const failing = this.#failing.size;
    const total = this.#beats.size;
    const beating = failing === 0 ? `beating for ${total}` : `failing for ${failing} of ${total}`;
    this.ports.status.set("heartbeat", `${beating} runtime${total === 1 ? "" : "s"}`);
  }
}
