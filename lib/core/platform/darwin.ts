/** Processes on macOS, by `ps`. Written from its manual and sources; the parsers are tested, the tool itself only there. */
import { runTool } from "./tool.ts";
import type { MarkedPids, ProcessPlatform, ProcessRow } from "./types.ts";
import { unixAlive, unixSignal } from "./unix_signals.ts";

const PS = "/bin/ps";

export const darwinPlatform: ProcessPlatform = {
  findMarked,
  async scan(markers) {
    const [table, marked] = await Promise.all([
      runTool(PS, ["-axo", "pid=,ppid=,pgid=,stat=,time=,etime=,lstart="]),
      findMarked(markers),
    ]);
    return { rows: parsePs(table.stdout), marked };
  },
  alive: unixAlive,
  signal: (target, signal) => Promise.resolve(unixSignal(target, signal)),
};

async function findMarked(markers: readonly string[]): Promise<MarkedPids> {
  if (markers.length === 0) return new Map();
  const { stdout } = await runTool(PS, ["-axEwwo", "pid=,command="]);
  return parsePsEnvironments(stdout, markers);
}

/** Lines of `pid ppid pgid stat time etime lstart`, lstart being five words. */
export function parsePs(text: string): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const line of text.split("\n")) {
    const [pid, parent, group, stat, time, elapsed, ...start] = line.trim().split(/\s+/);
    if (start.length !== 5 || !/^\d+$/.test(pid ?? "")) continue;
    rows.push({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      session: 0,
      start: start.join(" "),
      ageMs: clockMs(elapsed ?? ""),
      cpuMs: clockMs(time ?? "") ?? 0,
      zombie: stat?.startsWith("Z") ?? false,
    });
  }
  return rows;
}

/** `[[dd-]hh:]mm:ss[.cc]` in ms, undefined for anything else. */
export function clockMs(text: string): number | undefined {
  const match = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text);
  if (!match) return undefined;
  const [, days, hours, minutes, seconds] = match;
  const whole = (Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes);
  return Math.round((whole * 60 + Number(seconds)) * 1000);
}

/** `ps -E` writes the environment after the arguments, blank-separated: a marker is a whole word of the line. */
export function parsePsEnvironments(text: string, markers: readonly string[]): MarkedPids {
  const found = new Map<string, number[]>();
  for (const line of text.split("\n")) {
    const pid = /^\s*(\d+)\s/.exec(line);
    if (!pid) continue;
    for (const marker of markers) {
      if (!` ${line} `.includes(` ${marker} `)) continue;
      found.set(marker, [...found.get(marker) ?? [], Number(pid[1])]);
    }
  }
  return found;
}
