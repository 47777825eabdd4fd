/** When which runtime beats on the socket: all at once for up to ten, in groups over the interval for more (spec 02 §7.1). */

/** Most acks one burst may cause: the server queues sixteen. */
const GROUP = 10;
/** Pause between groups of the very first round, ms. */
const FIRST_GAP_MS = 500;

/** One step: these runtimes beat, then nothing for `thenMs`. */
export interface BeatStep {
  readonly ids: readonly string[];
  readonly thenMs: number;
}

/**
 * Endless steps: a first round in quick groups, the first at once, then every runtime once an interval, its first
 * gap never longer than the interval. An interval ≤ 0 counts as 15 s.
 */
export function* beatPlan(runtimeIds: readonly string[], intervalMs: number): Generator<BeatStep, void> {
  if (runtimeIds.length === 0) return;
  const interval = intervalMs > 0 ? intervalMs : 15_000;
  const groups: string[][] = [];
  for (let at = 0; at < runtimeIds.length; at += GROUP) groups.push(runtimeIds.slice(at, at + GROUP));
  const step = interval / groups.length;
  const gap = Math.min(FIRST_GAP_MS, step);
  for (const [at, ids] of groups.entries()) {
    // The second round starts one step after the first group's first beat, or as soon as the first is through.
    const last = at === groups.length - 1;
    yield { ids, thenMs: last ? Math.max(0, step - gap * at) : gap };
  }
  for (;;) {
    for (const ids of groups) yield { ids, thenMs: step };
  }
}
