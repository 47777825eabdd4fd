/** Scans of the process table, shared: at most one runs, and all who ask meanwhile share the next. */
import type { MarkedPids, ProcessPlatform, ProcessScan } from "./types.ts";

interface Round {
  readonly markers: Set<string>;
  table: boolean;
  readonly done: PromiseWithResolvers<ProcessScan>;
}

/** What keeps 150 task ends a second cheap: a scan answers everyone who asked before it began. */
export class SharedScan {
  #running = false;
  #next: Round | undefined;

  constructor(private readonly platform: Pick<ProcessPlatform, "findMarked" | "scan">) {}

  /** The carriers of `marker`, from a scan that begins after this call. */
  async marked(marker: string): Promise<readonly number[]> {
    const scan = await this.#join([marker], false);
    return scan.marked.get(marker) ?? [];
  }

  /** The whole table and the carriers of `marker`, from a scan that begins after this call. */
  table(marker: string): Promise<ProcessScan> {
    return this.#join([marker], true);
  }

  /** Marked pids of several groups at once, and the table. */
  tableFor(markers: readonly string[]): Promise<ProcessScan> {
    return this.#join(markers, true);
  }

  #join(markers: readonly string[], table: boolean): Promise<ProcessScan> {
    const round = this.#next ??= { markers: new Set(), table: false, done: Promise.withResolvers() };
    for (const marker of markers) round.markers.add(marker);
    round.table ||= table;
    if (!this.#running) {
      this.#running = true;
      queueMicrotask(() => void this.#run());
    }
    return round.done.promise;
  }

  async #run(): Promise<void> {
    for (let round = this.#take(); round !== undefined; round = this.#take()) {
      const markers = [...round.markers];
      try {
        const marked = (found: MarkedPids): ProcessScan => ({ rows: [], marked: found });
        round.done.resolve(
          round.table ? await this.platform.scan(markers) : marked(await this.platform.findMarked(markers)),
        );
      } catch (error) {
        round.done.reject(error);
      }
    }
    this.#running = false;
  }

  #take(): Round | undefined {
    const round = this.#next;
    this.#next = undefined;
    return round;
  }
}
