/** Scans of the process table, shared: at most one runs, and all who ask meanwhile share the next. */
import type { Clock } from "../clock.ts";
import type { MarkedPids, ProcessPlatform, ProcessScan } from "./types.ts";

interface Round {
  readonly markers: Set<string>;
  table: boolean;
  readonly done: PromiseWithResolvers<ProcessScan>;
}

/** Shortest time between the beginnings of two looks for markers, ms: a slot may be free that much later, under load. */
const GAP_MS = 50;

/**
 * What keeps 150 task ends a second cheap: a scan answers everyone who asked before it began. One alone begins at once;
 * those that follow it closely wait for company, unless one of them is needed to end something that still runs.
 */
export class SharedScan {
  #running = false;
  #next: Round | undefined;
  #began = -Infinity;
  #hurry: (() => void) | undefined;

  constructor(
    private readonly platform: Pick<ProcessPlatform, "findMarked" | "scan">,
    private readonly clock: Clock,
  ) {}

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
    if (table) this.#hurry?.();
    if (!this.#running) {
      this.#running = true;
      queueMicrotask(() => void this.#run());
    }
    return round.done.promise;
  }

  async #run(): Promise<void> {
    while (this.#next !== undefined) {
      const early = this.#began + GAP_MS - this.clock.monotonic();
      if (early > 0 && !this.#next.table) await this.#company(early);
      const round = this.#next;
      this.#next = undefined;
      this.#began = this.clock.monotonic();
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

  /** Waits for others to join the next round, at most `ms`. */
  async #company(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = this.clock.timer(ms, over.resolve);
    this.#hurry = over.resolve;
    await over.promise;
    this.#hurry = undefined;
    timer.cancel();
  }
}
