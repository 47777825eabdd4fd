/**
 * Processes on Windows: no groups, no signals, no environments to read; trees are parent chains and end by `taskkill /T`.
 * Written from documentation; the parser is tested, the tools themselves only there.
 */
import process from "node:process";
import { runTool } from "./tool.ts";
import type { ProcessPlatform, ProcessRow } from "./types.ts";

const SYSTEM32 = "C:\\Windows\\System32";
const QUERY = "Get-CimInstance Win32_Process | ForEach-Object { " +
  "'{0}|{1}|{2}|{3}' -f $_.ProcessId, $_.ParentProcessId, " +
  "$(if ($_.CreationDate) { $_.CreationDate.ToUniversalTime().ToString('o') }), ($_.KernelModeTime + $_.UserModeTime) }; " +
  "'now|' + (Get-Date).ToUniversalTime().ToString('o')";

export const windowsPlatform: ProcessPlatform = {
  findMarked: () => Promise.resolve(new Map()),
  async scan() {
    const shell = `${SYSTEM32}\\WindowsPowerShell\\v1.0\\powershell.exe`;
    const { stdout } = await runTool(shell, ["-NoProfile", "-NonInteractive", "-Command", QUERY]);
    return { rows: parseProcessList(stdout), marked: new Map() };
  },
  alive(target) {
    try {
      process.kill(target.pid, 0);
      return true;
    } catch (error) {
      return (error as { code?: unknown }).code === "EPERM";
    }
  },
  async signal(target, signal) {
    if (target.pid === Deno.pid) return false;
    const force = signal === "SIGKILL" ? ["/F"] : [];
    const tree = target.group ? ["/T"] : [];
    const { code } = await runTool(`${SYSTEM32}\\taskkill.exe`, [
      ...force,
      ...tree,
      "/PID",
      String(target.pid),
    ]);
    return code === 0;
  },
};

/** `pid|parent|created|cpu in 100 ns` lines, then `now|time`. A parent younger than its child is a recycled pid. */
export function parseProcessList(text: string): ProcessRow[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim().split("|"));
  const now = Date.parse(lines.find(([key]) => key === "now")?.[1] ?? "");
  const created = new Map<number, number>();
  for (const [pid, , start] of lines) created.set(Number(pid), Date.parse(start ?? ""));
  const rows: ProcessRow[] = [];
  for (const [pid, parent, start, cpu] of lines) {
    if (cpu === undefined || !/^\d+$/.test(pid ?? "")) continue;
    const born = Date.parse(start ?? "");
    const parentBorn = created.get(Number(parent)) ?? NaN;
    rows.push({
      pid: Number(pid),
      parent: parentBorn > born ? 0 : Number(parent),
      group: Number(pid),
      session: 0,
      start: start ?? "",
      ageMs: Number.isNaN(now - born) ? undefined : now - born,
      cpuMs: Number(cpu) / 10_000,
      zombie: false,
    });
  }
  return rows;
}
