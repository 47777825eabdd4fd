/** The server asks this host to update itself: one update at a time, never under work (spec 01 §7.11, 11.9; 02 §17.6). */
import type { ClaimGate } from "./claim_gate.ts";

/** Installs a version; `started` tells the server that it runs. Throws the sentence that is reported as error. */
export type InstallUpdate = (
  targetVersion: string,
  started: () => Promise<void>,
  signal: AbortSignal,
) => Promise<string>;

/** Owner of the right to update. */
export class UpdateRequests {
  #running = false;

  /** `refusal`: "" or why this host is never updated from here. */
  constructor(
    private readonly gate: ClaimGate,
    private readonly install: InstallUpdate,
    private readonly refusal: string,
  ) {}

  /**
   * Rests claims, waits for those in flight, and installs when they brought nothing.
   * @returns what is reported as output. @throws the sentence that is reported as error
   */
  async run(targetVersion: string, started: () => Promise<void>, signal: AbortSignal): Promise<string> {
    if (this.refusal !== "") throw new Error(this.refusal);
    if (this.#running) throw new Error("another runtime update is already in progress on this machine");
    if (this.gate.isPaused()) throw new Error(`runtime update deferred: ${this.gate.why}; retry later`);
    if (this.gate.active > 0) throw new Error(BUSY);
    this.#running = true;
    this.gate.pause("update", `the host is being updated to ${targetVersion}`);
    try {
      await this.gate.answered(signal);
      if (this.gate.active > 0) throw new Error(BUSY);
      return await this.install(targetVersion, started, signal);
    } finally {
      this.gate.resume("update");
      this.#running = false;
    }
  }
}

const BUSY =
  "runtime update deferred because agent work is starting or still active; retry when the machine is idle";
