/** Notices that the machine slept or the clock jumped (guides: suspend). */
import type { Clock } from "../core/mod.ts";
import { getLog, sleep } from "../core/mod.ts";
import type { StatusBoard } from "./status_board.ts";

const log = getLog("engine", "suspend");

/** Time between two looks, ms. Back on the line within this time after a wake. */
export const LOOK_MS = 5_000;
/** A timer this late means the machine was not running, ms. */
const LATE_MS = 15_000;
/** The wall clock this far ahead of the monotonic one means the machine slept, ms. */
const AHEAD_MS = 5_000;

/** Was there a sleep between two looks? Pure; all in ms. */
export function sleptBetween(before: Look, after: Look): boolean {
  const mono = after.monotonic - before.monotonic;
  const wall = after.wall - before.wall;
  return mono - LOOK_MS > LATE_MS || wall - mono > AHEAD_MS;
}

export interface Look {
  readonly wall: number;
  readonly monotonic: number;
}

/** Calls `onWake` after every sleep or forward jump of the wall clock. */
export async function suspendLoop(
  clock: Clock,
  status: StatusBoard,
  onWake: () => void,
  signal: AbortSignal,
): Promise<void> {
  status.set("sleep", `looking every ${LOOK_MS / 1000} s whether the machine slept`);
  let before = look(clock);
  for (;;) {
    await sleep(clock, LOOK_MS, signal);
    const after = look(clock);
    if (sleptBetween(before, after)) {
      log.info("machine was suspended or its clock jumped; reconnecting", {
        wall_ms: after.wall - before.wall,
        monotonic_ms: after.monotonic - before.monotonic,
      });
      onWake();
    }
    before = look(clock);
  }
}

function look(clock: Clock): Look {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}
