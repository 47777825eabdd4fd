/** The gate that turns many losses of runtimes into one registration (spec 01 §7.6, 02 §9). */

/** A registration in progress suppresses others for at least this long. */
export const COALESCE_MS = 30_000;
/** After a failed registration the next one waits this long. */
export const FAILURE_BACKOFF_MS = 60_000;

interface WorkspaceGate {
  nextAttempt: number;
  lastCompleted: number;
  holding: boolean;
}

/**
 * Per workspace: who may register after a loss. The slot is held until the call has returned, however long it
 * takes. Times are monotonic milliseconds.
 */
export class GoneGate {
  readonly #gates = new Map<string, WorkspaceGate>();

  /**
   * Asks for the slot. `enteredAt` is when the loss was noticed: a success after it already covers the caller.
   */
  enter(workspaceId: string, enteredAt: number, now: number): boolean {
    const gate = this.#gate(workspaceId);
    if (gate.holding || now < gate.nextAttempt || gate.lastCompleted >= enteredAt) return false;
    gate.nextAttempt = now + COALESCE_MS;
    gate.holding = true;
    return true;
  }

  /** The registration succeeded: later losses register at once. */
  succeeded(workspaceId: string, now: number): void {
    const gate = this.#gate(workspaceId);
    gate.holding = false;
    gate.nextAttempt = -Infinity;
    gate.lastCompleted = now;
  }

  /** The registration failed: nobody tries for a minute. */
  failed(workspaceId: string, now: number): void {
    const gate = this.#gate(workspaceId);
    gate.holding = false;
    gate.nextAttempt = now + FAILURE_BACKOFF_MS;
  }

  #gate(workspaceId: string): WorkspaceGate {
    let gate = this.#gates.get(workspaceId);
    if (gate === undefined) {
      gate = { nextAttempt: -Infinity, lastCompleted: -Infinity, holding: false };
      this.#gates.set(workspaceId, gate);
    }
    return gate;
  }
}
