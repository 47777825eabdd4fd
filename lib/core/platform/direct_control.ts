/** Power over process trees, exercised directly: the supervisor's and the tests' {@link ProcessControl}. */
import { type Clock, systemClock } from "../clock.ts";
import { errorText } from "../errors.ts";
import { getLog } from "../log.ts";
import type { EndOptions, EndReport, ProcessControl, ProcessGroup } from "../process.ts";
import { currentPlatform } from "./current.ts";
import { SharedScan } from "./shared_scan.ts";
import { type TreeView, treeView } from "./tree.ts";
import { TreeEnding } from "./tree_ending.ts";
import type { ProcessPlatform, ProcessScan } from "./types.ts";

const log = getLog("core", "processes");

/** Time to see a tree empty after KILL (guides: cancel to dead). */
const DEFAULT_PROOF_MS = 5_000;

/** Shortest time between two looks for zombies of one group. */
const ZOMBIE_LOOK_MS = 100;

interface Tree {
  readonly group: ProcessGroup;
  /** Registration by both clocks; undefined for a tree nobody announced. */
  readonly since: { readonly mono: number; readonly wall: number } | undefined;
  /** Members seen: pid → start. */
  readonly known: Map<number, string>;
  lookAgainAt: number;
  ending?: TreeEnding;
}

/**
 * Owns the table of process groups. Kills by identity only: a process is signalled when it carries the marker, descends from
 * one that does, or sits in a group that is confirmed to be ours; never this process, its ancestors or its group.
 */
export class DirectProcessControl implements ProcessControl {
  readonly #trees = new Map<string, Tree>();
  readonly #scans: SharedScan;

  constructor(
    private readonly clock: Clock = systemClock,
    private readonly platform: ProcessPlatform = currentPlatform(),
    private readonly self: number = Deno.pid,
  ) {
    this.#scans = new SharedScan(platform, clock);
  }

  /** Groups registered and not yet proven empty. */
  groups(): readonly ProcessGroup[] {
    return [...this.#trees.values()].map((tree) => tree.group);
  }

  started(group: ProcessGroup): void {
    if (this.#trees.has(key(group))) return;
    const since = { mono: this.clock.monotonic(), wall: this.clock.now() };
    this.#trees.set(key(group), { group, since, known: new Map(), lookAgainAt: 0 });
  }

  async end(group: ProcessGroup, options: EndOptions): Promise<EndReport> {
    const tree = this.#tree(group);
    if (tree.ending) {
      tree.ending.hurry(options.graceMs);
      return await tree.ending.report;
    }
    tree.ending = new TreeEnding(group, options.graceMs, options.proofMs ?? DEFAULT_PROOF_MS, {
      clock: this.clock,
      platform: this.platform,
      look: () => this.#look(tree),
      nothingEscaped: () => this.#nothingEscaped(tree),
    });
    try {
      const report = await tree.ending.report;
      if (report.empty) this.#trees.delete(key(group));
      else log.error("a process tree could not be ended", { group: group.pid, leftovers: report.leftovers });
      return report;
    } finally {
      delete tree.ending;
    }
  }

  /**
   * Signal 0, while that says enough. Once the leader is gone, members that still count may be zombies nobody waits
   * for (a container without an init): the table tells, asked at most every {@link ZOMBIE_LOOK_MS}.
   */
  async groupEmpty(group: ProcessGroup): Promise<boolean> {
    if (!this.platform.alive({ pid: group.pid, group: true })) return true;
    const tree = this.#tree(group);
    if (this.platform.alive({ pid: group.pid, group: false })) return false;
    if (this.clock.monotonic() < tree.lookAgainAt) return false;
    tree.lookAgainAt = this.clock.monotonic() + ZOMBIE_LOOK_MS;
    const { members } = await this.#look(tree);
    return !members.some((row) => row.group === group.pid);
  }

  async cpuTime(group: ProcessGroup): Promise<number | undefined> {
    const { members } = await this.#look(this.#tree(group));
    return members.length === 0 ? undefined : members.reduce((sum, row) => sum + row.cpuMs, 0);
  }

  /** Ends every registered tree, all at once; true when all are proven empty. */
  async endAll(options: EndOptions): Promise<boolean> {
    const reports = await Promise.all(this.groups().map((group) => this.end(group, options)));
    return reports.every((report) => report.empty);
  }

  #tree(group: ProcessGroup): Tree {
    return this.#trees.get(key(group)) ?? { group, since: undefined, known: new Map(), lookAgainAt: 0 };
  }

  async #look(tree: Tree): Promise<TreeView> {
    let scan: ProcessScan;
    try {
      scan = await this.#scans.table(tree.group.marker);
    } catch (error) {
      log.error("process table not readable: escaped processes cannot be found", { error: errorText(error) });
      return this.#blindView(tree);
    }
    const view = treeView(scan.rows, {
      group: tree.group,
      self: this.self,
      marked: scan.marked.get(tree.group.marker) ?? [],
      registeredAgesMs: tree.since === undefined
        ? []
        : [this.clock.monotonic() - tree.since.mono, this.clock.now() - tree.since.wall],
      known: tree.known,
    });
    tree.known.clear();
    for (const row of view.members) tree.known.set(row.pid, row.start);
    return view;
  }

  /** Without a table only the group of a registered tree is acted on. */
  #blindView(tree: Tree): TreeView {
    const { pid } = tree.group;
    const alive = tree.since !== undefined && this.platform.alive({ pid, group: true });
    const row = {
      pid,
      parent: 0,
      group: pid,
      session: pid,
      start: "",
      ageMs: undefined,
      cpuMs: 0,
      zombie: false,
    };
    return { members: alive ? [row] : [], escaped: [], groupConfirmed: alive, leaderRuns: alive };
  }

  async #nothingEscaped(tree: Tree): Promise<boolean> {
    for (const pid of tree.known.keys()) if (this.platform.alive({ pid, group: false })) return false;
    try {
      const marked = await this.#scans.marked(tree.group.marker);
      return marked.every((pid) => pid === this.self);
    } catch (error) {
      log.error("process table not readable: escaped processes cannot be found", { error: errorText(error) });
      return true;
    }
  }
}

function key(group: ProcessGroup): string {
  return `${group.pid} ${group.marker}`;
}
