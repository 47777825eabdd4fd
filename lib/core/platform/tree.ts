/** Which processes belong to a run's tree: a pure decision over one scan. */
import type { ProcessGroup } from "../process.ts";
import type { ProcessRow } from "./types.ts";

/** How much later than its registration a leader may seem to have started: clock ticks, message delay. */
const LATER_SLACK_MS = 3_000;
/** How much earlier: an engine that was busy between launch and registration. */
const EARLIER_SLACK_MS = 60_000;

/** What is known of a tree beside the scan. */
export interface TreeFacts {
  readonly group: ProcessGroup;
  /** Our own pid: we, our ancestors and our own group are never members. */
  readonly self: number;
  /** Carriers of the group's marker. */
  readonly marked: readonly number[];
  /** Time since registration, by each of our clocks (one of them stops in suspend, one jumps); empty: not registered. */
  readonly registeredAgesMs: readonly number[];
  /** Members seen before: pid → start. */
  readonly known: ReadonlyMap<number, string>;
}

/** The members of a tree that run. */
export interface TreeView {
  /** Without zombies. */
  readonly members: readonly ProcessRow[];
  /** Members outside the group: each is signalled alone. */
  readonly escaped: readonly ProcessRow[];
  /** True when the group id is confirmed to be ours, so that the group may be signalled as one. */
  readonly groupConfirmed: boolean;
  /** True while the leader itself runs. */
  readonly leaderRuns: boolean;
}

/**
 * Members are the group, its session, carriers of the marker, members seen before that still are the same process
 * (pid and start), and every descendant of one of these. A group id that belongs to a stranger by now (f11) is left out.
 */
export function treeView(rows: readonly ProcessRow[], facts: TreeFacts): TreeView {
  const { group, known } = facts;
  const marked = new Set(facts.marked);
  const taboo = ownLine(rows, facts.self);
  const ownGroup = rows.find((row) => row.pid === facts.self)?.group;
  const certain = (row: ProcessRow) => marked.has(row.pid) || known.get(row.pid) === row.start;
  const confirmed = group.pid > 1 && group.pid !== facts.self && group.pid !== ownGroup &&
    groupIsOurs(rows, facts, certain);

  const inside = new Map<number, ProcessRow>();
  for (const row of rows) {
    const inGroup = confirmed &&
      (row.group === group.pid || row.session === group.pid || row.pid === group.pid);
    if ((inGroup || certain(row)) && !taboo.has(row.pid)) inside.set(row.pid, row);
  }
  addDescendants(rows, inside, taboo);
  const members = [...inside.values()].filter((row) => !row.zombie);
  return {
    members,
    escaped: members.filter((row) => !confirmed || row.group !== group.pid),
    groupConfirmed: confirmed,
    leaderRuns: confirmed && members.some((row) => row.pid === group.pid),
  };
}

function groupIsOurs(
  rows: readonly ProcessRow[],
  facts: TreeFacts,
  certain: (row: ProcessRow) => boolean,
): boolean {
  const members = rows.filter((row) => row.group === facts.group.pid);
  if (members.some(certain)) return true;
  const leader = members.find((row) => row.pid === facts.group.pid);
  // Unmarked leader: ours only as our own child, started when it was registered.
  if (leader) return leader.parent === facts.self && startedThen(leader, facts.registeredAgesMs);
  // Leader gone: as long as one member lives the id cannot be given out again, unless all had died in between.
  return members.length > 0 && members.every((row) => notOlder(row, facts.registeredAgesMs));
}

function startedThen(row: ProcessRow, agesMs: readonly number[]): boolean {
  const age = row.ageMs;
  return age !== undefined &&
    agesMs.some((since) => age >= since - LATER_SLACK_MS && age <= since + EARLIER_SLACK_MS);
}

function notOlder(row: ProcessRow, agesMs: readonly number[]): boolean {
  const age = row.ageMs;
  return age !== undefined && agesMs.some((since) => age <= since + EARLIER_SLACK_MS);
}

/** We and all above us. */
function ownLine(rows: readonly ProcessRow[], self: number): Set<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.parent]));
  const line = new Set<number>([0, 1]);
  for (let pid: number | undefined = self; pid !== undefined && !line.has(pid); pid = parents.get(pid)) {
    line.add(pid);
  }
  return line;
}

function addDescendants(
  rows: readonly ProcessRow[],
  inside: Map<number, ProcessRow>,
  taboo: Set<number>,
): void {
  const children = Map.groupBy(rows, (row) => row.parent);
  const open = [...inside.keys()];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (inside.has(child.pid) || taboo.has(child.pid)) continue;
      inside.set(child.pid, child);
      open.push(child.pid);
    }
  }
}
