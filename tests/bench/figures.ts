/** Numbers of the bench: medians, percentiles, processes' own accounting. */

/** Median of the values. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest-rank percentile, 0–100. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  if (p === 50 && sorted.length % 2 === 0) {
    return (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2;
  }
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)]!;
}

/** What the kernel says of a process. */
export interface Usage {
  /** CPU of the process itself, all its threads, ms. */
  readonly cpuMs: number;
  /** CPU of children it has waited for, ms. */
  readonly childrenMs: number;
  readonly rssMb: number;
  /** Highest resident set since the last {@link resetPeak}, MB. */
  readonly peakMb: number;
}

const TICK_MS = 10;

/** Reads /proc (the bench runs with all rights). */
export async function usage(pid: number): Promise<Usage> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    childrenMs: (Number(fields[13]) + Number(fields[14])) * TICK_MS,
    rssMb: kb("VmRSS") / 1024,
    peakMb: kb("VmHWM") / 1024,
  };
}

/** Starts a new peak measurement. */
export async function resetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}

/** Wall clock in ms with microseconds. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** `start=… end=…` of the bench agent's result, in wall ms. */
export function agentTimes(output: string): { readonly start: number; readonly end: number } {
  const match = /start=(\d+) end=(\d+)/.exec(output);
  if (match === null) throw new Error(`no times in the agent's result: ${output}`);
  return { start: Number(BigInt(match[1]!)) / 1e6, end: Number(BigInt(match[2]!)) / 1e6 };
}
