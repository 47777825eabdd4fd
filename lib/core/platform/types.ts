/** The one shape of what a platform says about processes, and does to them. */

/** One process at the moment of a scan. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** Process group id; the pid itself where the platform has no groups. */
  readonly group: number;
  /** Session id; 0 where unknown. */
  readonly session: number;
  /** Start time as the platform writes it: with the pid, the identity of the process. */
  readonly start: string;
  /** Time since its start, ms; undefined where the platform cannot say. */
  readonly ageMs: number | undefined;
  /** CPU time of the process and of the children it has waited for, ms. */
  readonly cpuMs: number;
  /** Ended but not yet waited for by its parent: it runs no code. */
  readonly zombie: boolean;
}

/** Which processes carry which marker (`NAME=value`) in their environment. */
export type MarkedPids = ReadonlyMap<string, readonly number[]>;

/** One look at the machine's processes. */
export interface ProcessScan {
  /** Empty when only markers were asked for. */
  readonly rows: readonly ProcessRow[];
  readonly marked: MarkedPids;
}

export type EndSignal = "SIGTERM" | "SIGKILL";

/** A process, or the whole group it leads. */
export interface SignalTarget {
  readonly pid: number;
  readonly group: boolean;
}

/** What one operating system offers. Needs unscoped run rights: the supervisor's, not the engine's. */
export interface ProcessPlatform {
  /** Only the carriers of the markers: cheap enough for every task's end. */
  findMarked(markers: readonly string[]): Promise<MarkedPids>;
  /** The whole table, and the carriers of the markers. */
  scan(markers: readonly string[]): Promise<ProcessScan>;
  /** True while the process, or any process of the group, exists (zombies count). */
  alive(target: SignalTarget): boolean;
  /** Sends the signal; false when the target no longer exists or is not ours to signal. */
  signal(target: SignalTarget, signal: EndSignal): Promise<boolean>;
}
