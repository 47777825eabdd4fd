/** Ends one process tree: TERM, grace, KILL, proof (spec 06 §11.5, guides: cancel to dead). */
import { type Clock, sleep } from "../clock.ts";
import type { EndReport, ProcessGroup } from "../process.ts";
import type { TreeView } from "./tree.ts";
import type { EndSignal, ProcessPlatform, ProcessRow } from "./types.ts";

/** Between two cheap looks (signal 0). */
const POLL_MS = 10;
/**
 * Between two whole scans while the cheap look still sees something (zombies nobody waits for, new escapes): from
 * the first to the second, doubling.
 */
const RESCAN_MS = 20;
const MAX_RESCAN_MS = 500;
/** From one KILL to the next, should something live on. */
const KILL_ROUND_MS = 500;

/** What an ending needs of its surroundings. */
export interface TreeEndingPorts {
  readonly clock: Clock;
  readonly platform: Pick<ProcessPlatform, "alive" | "signal">;
  /** A fresh look at the whole tree. */
  look(): Promise<TreeView>;
  /** True when a fresh cheap look finds no carrier of the marker and no member seen before. */
  nothingEscaped(): Promise<boolean>;
}

/** One ending in progress. A second request for the same tree may only shorten it. */
export class TreeEnding {
  readonly report: Promise<EndReport>;
  #killAt: number;
  #killed = false;
  #view: TreeView | undefined;
  readonly #leftovers = new Set<number>();
  readonly #termed = new Set<string>();

  constructor(
    private readonly group: ProcessGroup,
    graceMs: number,
    private readonly proofMs: number,
    private readonly ports: TreeEndingPorts,
  ) {
    this.#killAt = ports.clock.monotonic() + graceMs;
    this.report = this.#run();
  }

  /** Brings KILL forward. */
  hurry(graceMs: number): void {
    this.#killAt = Math.min(this.#killAt, this.ports.clock.monotonic() + graceMs);
  }

  async #run(): Promise<EndReport> {
    const { clock } = this.ports;
    if (!this.#groupAlive() && await this.ports.nothingEscaped()) return this.#done(true);
    if (await this.#lookEmpty()) return this.#done(true);
    if (clock.monotonic() < this.#killAt) {
      await this.#signalNew("SIGTERM");
      if (await this.#gone(() => this.#killAt, true)) return this.#done(true);
    }
    const proofEnd = clock.monotonic() + this.proofMs;
    do {
      if (await this.#lookEmpty()) return this.#done(true);
      this.#killed = true;
      await this.#signalAll("SIGKILL", this.#view!.members);
      const until = Math.min(proofEnd, clock.monotonic() + KILL_ROUND_MS);
      if (await this.#gone(() => until, false)) return this.#done(true);
    } while (clock.monotonic() < proofEnd);
    return this.#done(await this.#lookEmpty());
  }

  /** Waits, cheaply, until the tree is proven empty (true) or the limit has come (false). */
  async #gone(limit: () => number, term: boolean): Promise<boolean> {
    const { clock } = this.ports;
    let rescanMs = RESCAN_MS;
    let rescanAt = clock.monotonic() + rescanMs;
    while (clock.monotonic() < limit()) {
      await sleep(clock, Math.min(POLL_MS, Math.max(1, limit() - clock.monotonic())));
      if (this.#somethingAlive() && clock.monotonic() < rescanAt) continue;
      if (await this.#lookEmpty()) return true;
      if (term) await this.#signalNew("SIGTERM");
      rescanMs = Math.min(rescanMs * 2, MAX_RESCAN_MS);
      rescanAt = clock.monotonic() + rescanMs;
    }
    return false;
  }

  async #lookEmpty(): Promise<boolean> {
    this.#view = await this.ports.look();
    return this.#view.members.length === 0;
  }

  #groupAlive(): boolean {
    return this.ports.platform.alive({ pid: this.group.pid, group: true });
  }

  #somethingAlive(): boolean {
    const view = this.#view!;
    return view.groupConfirmed && this.#groupAlive() ||
      view.escaped.some((row) => this.ports.platform.alive({ pid: row.pid, group: false }));
  }

  /** Signals members that have not had this signal yet. */
  async #signalNew(signal: EndSignal): Promise<void> {
    const fresh = this.#view!.members.filter((row) => !this.#termed.has(`${row.pid} ${row.start}`));
    for (const row of fresh) this.#termed.add(`${row.pid} ${row.start}`);
    if (fresh.length > 0) await this.#signalAll(signal, fresh);
  }

  async #signalAll(signal: EndSignal, rows: readonly ProcessRow[]): Promise<void> {
    const { groupConfirmed, leaderRuns, escaped } = this.#view!;
    const { platform } = this.ports;
    if (!leaderRuns) { for (const row of rows) this.#leftovers.add(row.pid); }
    const outside = new Set(escaped);
    if (groupConfirmed && rows.some((row) => !outside.has(row))) {
      await platform.signal({ pid: this.group.pid, group: true }, signal);
    }
    for (const row of rows) {
      if (outside.has(row)) await platform.signal({ pid: row.pid, group: false }, signal);
    }
  }

  #done(empty: boolean): EndReport {
    return { empty, leftovers: [...this.#leftovers], killed: this.#killed };
  }
}
