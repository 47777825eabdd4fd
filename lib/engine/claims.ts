/** Who asks for work: one claimer for the whole machine where the connection offers it, else a poller a runtime (spec 01 §11.2). */
import { type ClaimedTask, claimTasks, type ControlSocket, type HttpControl } from "../control/mod.ts";
import type { Clock, Scope } from "../core/mod.ts";
import type { RuntimeRegistry } from "../runtimes/mod.ts";
import { BatchClaimer } from "./batch_claimer.ts";
import type { ClaimGate } from "./claim_gate.ts";
import type { ClaimTrouble } from "./claiming.ts";
import { Pollers } from "./pollers.ts";
import type { Slot, SlotPool } from "./slots.ts";
import type { StatusBoard } from "./status_board.ts";

export interface ClaimsPorts {
  readonly control: HttpControl;
  readonly socket: () => ControlSocket | undefined;
  readonly registry: RuntimeRegistry;
  readonly slots: SlotPool;
  readonly gate: ClaimGate;
  readonly trouble: ClaimTrouble;
  readonly status: StatusBoard;
  readonly clock: Clock;
  readonly daemonId: string;
  readonly intervalMs: number;
  readonly onTask: (task: ClaimedTask, slot: Slot) => void;
  readonly onGone: (runtimeId: string) => void;
}

/** Owner of pollers and batch claimer, from its making to the end of `loops`. Claims in flight live in `requests`. */
export class Claims {
  readonly #pollers: Pollers;
  readonly #batch: BatchClaimer;
  #offered = true;
  /** This connection's batch claims have been taken up. */
  #takenUp = false;

  constructor(private readonly ports: ClaimsPorts, loops: Scope, requests: Scope) {
    const { registry, clock, slots, gate, trouble, intervalMs, onTask, control, onGone } = ports;
    const common = { registry, clock, slots, gate, trouble, intervalMs, onTask };
    this.#pollers = new Pollers(
      { ...common, control, batch: () => this.#isBatch(), onGone },
      loops.child("pollers"),
      requests,
    );
    this.#batch = new BatchClaimer({
      ...common,
      available: () => this.#isBatch(),
      claim: ({ runtimeIds, maxTasks, socket }, signal) =>
        claimTasks(
          control,
          ports.socket(),
          { daemon_id: ports.daemonId, runtime_ids: runtimeIds, max_tasks: maxTasks },
          { socket, signal },
        ),
      onUnsupported: () => {
        this.#offered = false;
        this.#say();
        this.#pollers.wake("");
      },
    }, requests);
    loops.spawn("batch claims", (signal) => this.#batch.loop(signal));
    const unsubscribe = gate.changes.subscribe(() => this.#gateChanged());
    loops.signal.addEventListener("abort", unsubscribe, { once: true });
    this.#wasPaused = gate.isPaused();
    this.#say();
  }

  /** Something may be queued for a runtime; "" = for any. */
  wake(runtimeId: string): void {
    if (this.#isBatch()) this.#batch.wake(runtimeId);
    else this.#pollers.wake(runtimeId);
  }

  /** A new connection: what it offers is not known yet. */
  connected(): void {
    this.#offered = true;
    this.#takenUp = false;
    this.#say();
  }

  /** Without a connection the pollers go on alone. */
  disconnected(): void {
    this.#say();
  }

  /** The connection has said what it offers. The pollers rest as soon as that is batch claims: what they left is claimed at once. */
  acknowledged(): void {
    if (this.#takenUp || !this.#isBatch()) return;
    this.#takenUp = true;
    this.#say();
    this.#batch.wake("");
  }

  #say(): void {
    const { status, intervalMs } = this.ports;
    const asking = this.#isBatch() ? "for all runtimes at once" : "for each runtime apart";
    status.set("claims", `asking ${asking}, at a hint and every ${Math.round(intervalMs / 1000)} s`);
  }

  #isBatch(): boolean {
    return this.#offered && (this.ports.socket()?.rpcAvailable() ?? false);
  }

  #wasPaused: boolean;

  #gateChanged(): void {
    const paused = this.ports.gate.isPaused();
    if (this.#wasPaused && !paused) {
      this.#pollers.wake("");
      this.#batch.wake("");
    }
    this.#wasPaused = paused;
  }
}
