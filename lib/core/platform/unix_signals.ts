/** Signals on systems with process groups. */
import process from "node:process";
import type { EndSignal, SignalTarget } from "./types.ts";

/** True while the process or group exists; one that may not be signalled exists too. */
export function unixAlive(target: SignalTarget): boolean {
  if (target.pid <= 1) return false;
  try {
    process.kill(target.group ? -target.pid : target.pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

/** Sends the signal; false when nothing was there to take it or it is another user's. */
export function unixSignal(target: SignalTarget, signal: EndSignal): boolean {
  if (target.pid <= 1 || target.pid === Deno.pid) return false;
  try {
    process.kill(target.group ? -target.pid : target.pid, signal);
    return true;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
}
