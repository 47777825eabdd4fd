/**
 * Processes on Linux. `/proc` is closed to a Deno program without all rights (measured), so it is read through a
 * child: carriers of a marker 2.5 ms, the whole table 9 ms at 80 processes (measured).
 */
import { HostError } from "../errors.ts";
import { runTool } from "./tool.ts";
import type { MarkedPids, ProcessPlatform, ProcessRow } from "./types.ts";
import { unixAlive, unixSignal } from "./unix_signals.ts";

/** Clock ticks a second in `/proc/<pid>/stat`: 100 on every Linux user space. */
const TICKS_PER_SECOND = 100;

const SHELL = "/bin/sh";
/** Matches whole `NAME=value` entries of NUL-separated environments and prints file and entry. */
const GREP = 'grep -zxHsaF "$@" /proc/[0-9]*/environ';

export const linuxPlatform: ProcessPlatform = {
  async findMarked(markers) {
    if (markers.length === 0) return new Map();
    return parseMarked(await shell(`exec ${GREP}`, markers));
  },
  async scan(markers) {
    const grep = markers.length === 0 ? "" : `; printf '\\n\\n'; exec ${GREP}`;
    const script = `cat /proc/uptime /proc/[0-9]*/stat 2>/dev/null${grep}`;
    const stdout = await shell(script, markers);
    const cut = stdout.lastIndexOf("\n\n\n");
    const table = cut < 0 ? stdout : stdout.slice(0, cut + 1);
    return { rows: parseStats(table), marked: cut < 0 ? new Map() : parseMarked(stdout.slice(cut + 3)) };
  },
  alive: unixAlive,
  signal: (target, signal) => Promise.resolve(unixSignal(target, signal)),
};

/** Exit codes 0 to 2 are answers (2: some process vanished or is not ours to read); beyond, a tool is missing. */
async function shell(script: string, markers: readonly string[]): Promise<string> {
  const patterns = markers.flatMap((marker) => ["-e", marker]);
  const { code, stdout } = await runTool(SHELL, ["-c", script, "sh", ...patterns]);
  if (code <= 2) return stdout;
  throw new HostError("Cannot read the process table: sh, cat and grep are needed", {
    code: "process_table_unreadable",
    facts: { exitCode: code },
  });
}

/** A `stat` line. The command, in parentheses, may hold blanks, parentheses and newlines itself (proc(5)). */
const STAT = /^(\d+) \([\s\S]{0,64}?\) ([A-Za-z]) (-?\d+(?: -?\d+)+)$/gm;

/** Reads `/proc/uptime` followed by any number of `/proc/<pid>/stat` lines; what is neither is skipped. */
export function parseStats(text: string): ProcessRow[] {
  const uptime = /^(\d+\.\d+) \d+\.\d+$/m.exec(text);
  const uptimeMs = uptime ? Number(uptime[1]) * 1000 : undefined;
  const rows: ProcessRow[] = [];
  for (const [, pid, state, rest] of text.matchAll(STAT)) {
    const fields = rest!.split(" ").map(Number);
    const [parent, group, session] = fields;
    const start = fields[18];
    if (parent === undefined || group === undefined || session === undefined || start === undefined) continue;
    const ticks = fields.slice(10, 14).reduce((sum, count) => sum + count, 0);
    rows.push({
      pid: Number(pid),
      parent,
      group,
      session,
      start: String(start),
      ageMs: uptimeMs === undefined ? undefined : uptimeMs - start * 1000 / TICKS_PER_SECOND,
      cpuMs: ticks * 1000 / TICKS_PER_SECOND,
      zombie: state === "Z" || state === "X",
    });
  }
  return rows;
}

/** Reads `/proc/<pid>/environ:NAME=value` records, NUL-separated. */
export function parseMarked(text: string): MarkedPids {
  const found = new Map<string, number[]>();
  for (const record of text.split("\0")) {
    const match = /^\/proc\/(\d+)\/environ:/.exec(record.trimStart());
    if (!match) continue;
    const marker = record.trimStart().slice(match[0].length);
    const pids = found.get(marker);
    if (pids) pids.push(Number(match[1]));
    else found.set(marker, [Number(match[1])]);
  }
  return found;
}
