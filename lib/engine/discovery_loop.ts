/** Looks again for agent CLIs that were installed, updated or removed (spec 01 §11.4, 03 §17.9). */
import {
  Backoff,
  type Clock,
  errorText,
  getLog,
  isAbort,
  Notice,
  type Random,
  waitAtMost,
} from "../core/mod.ts";
import type { DiscoveredAgent } from "../runtimes/mod.ts";
import type { StatusBoard } from "./status_board.ts";

const log = getLog("engine", "discovery");

/** First and longest time between two looks, ms: a version is never older than the longest. */
const FIRST_MS = 2 * 60_000;
const LONGEST_MS = 10 * 60_000;

export interface DiscoveryPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly status: StatusBoard;
  /** Asks the supervisor, who may start programs. */
  readonly discover: () => Promise<readonly DiscoveredAgent[]>;
  /** Takes the answer; true when something changed, or should be looked at again soon. */
  readonly onAgents: (agents: readonly DiscoveredAgent[]) => boolean;
}

/** One loop; quieter the longer nothing changes. */
export class DiscoveryLoop {
  readonly #asked = new Notice();

  constructor(private readonly ports: DiscoveryPorts) {}

  /** Looks soon: a program vanished under a launch. */
  request(): void {
    this.#asked.notify();
  }

  async loop(signal: AbortSignal): Promise<void> {
    const { clock, random, status } = this.ports;
    const backoff = new Backoff(FIRST_MS, LONGEST_MS, random);
    for (;;) {
      const waitMs = backoff.next();
      status.set("discovery", `looking for agents again within ${Math.ceil(waitMs / 60_000)} min`);
      await waitAtMost(clock, this.#asked, waitMs, signal);
      try {
        if (this.ports.onAgents(await this.ports.discover())) backoff.reset();
      } catch (error) {
        if (isAbort(error) && signal.aborted) throw error;
        log.warn("looking for agents failed", { error: errorText(error) });
      }
    }
  }
}
