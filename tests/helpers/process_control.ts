/** Direct power over process trees for tests, Linux: group by pid, escaped members by marker in /proc. */
import type { EndOptions, EndReport, ProcessControl, ProcessGroup } from "../../lib/core/mod.ts";

const decoder = new TextDecoder();

/** Ends trees itself; remembers what it was told. */
export class DirectProcessControl implements ProcessControl {
  readonly seen: ProcessGroup[] = [];

  started(group: ProcessGroup): void {
    this.seen.push(group);
  }

  async end(group: ProcessGroup, options: EndOptions): Promise<EndReport> {
    const leftovers = members(group).filter((pid) => pid !== group.pid);
    if (members(group).length === 0) return { empty: true, leftovers: [], killed: false };
    if (options.graceMs > 0) {
      signalTree(group, "SIGTERM");
      if (await emptyWithin(group, options.graceMs)) return { empty: true, leftovers, killed: false };
    }
    signalTree(group, "SIGKILL");
    return { empty: await emptyWithin(group, options.proofMs ?? 5_000), leftovers, killed: true };
  }

  groupEmpty(group: ProcessGroup): Promise<boolean> {
    return Promise.resolve(stats().every((stat) => stat.group !== group.pid));
  }

  cpuTime(): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }
}

/** Pids of the tree that run: the group, and whatever carries the marker. */
export function members(group: ProcessGroup): number[] {
  return stats()
    .filter((stat) => stat.group === group.pid || hasMarker(stat.pid, group.marker))
    .map((stat) => stat.pid);
}

/** True when a process carries `marker` in its environment. */
export function markerAlive(marker: string): boolean {
  return stats().some((stat) => hasMarker(stat.pid, marker));
}

/** Command lines of the processes that carry `marker`. */
export function commandLines(marker: string): string[] {
  return stats().filter((stat) => hasMarker(stat.pid, marker)).map((stat) => {
    try {
      return decoder.decode(Deno.readFileSync(`/proc/${stat.pid}/cmdline`)).replaceAll("\0", " ").trim();
    } catch {
      return ""; // Gone meanwhile.
    }
  });
}

function stats(): { pid: number; group: number }[] {
  const found: { pid: number; group: number }[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const text = Deno.readTextFileSync(`/proc/${entry.name}/stat`);
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      if (fields[0] !== "Z") found.push({ pid: Number(entry.name), group: Number(fields[2]) });
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

function hasMarker(pid: number, marker: string): boolean {
  if (pid === Deno.pid) return false;
  try {
    return decoder.decode(Deno.readFileSync(`/proc/${pid}/environ`)).split("\0").includes(marker);
  } catch {
    return false;
  }
}

function signalTree(group: ProcessGroup, signal: Deno.Signal): void {
  for (const pid of members(group)) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // Gone meanwhile.
    }
  }
}

async function emptyWithin(group: ProcessGroup, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    if (members(group).length === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return members(group).length === 0;
}
