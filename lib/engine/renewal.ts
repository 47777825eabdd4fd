/** Token renewal loop (spec 01 §4.1): once at start, then every 72 h; never stops anything. */
import { type ControlApi, isUnauthorized } from "../control/mod.ts";
import { type Clock, errorText, getLog, isAbort, sleep } from "../core/mod.ts";
import type { StatusBoard } from "./status_board.ts";

const log = getLog("engine", "renewal");

export interface RenewalPorts {
  readonly control: ControlApi;
  readonly clock: Clock;
  readonly status: StatusBoard;
  /** `multica-host login --profile NAME`. */
  readonly loginCommand: string;
  readonly intervalMs: number;
}

/** Asks once. A dead token is told loudly, and again at every renewal until it is fixed (spec 01 R9). */
export async function renewOnce(ports: RenewalPorts, signal: AbortSignal): Promise<void> {
  try {
    const answer = await ports.control.renewToken({ signal });
    if (answer.renewed) log.info("token renewed", { expires_at: answer.expires_at });
    else log.debug("token not yet due for renewal", { expires_at: answer.expires_at });
    ports.status.set("token", "valid");
  } catch (error) {
    if (isAbort(error) && signal.aborted) throw error;
    if (isUnauthorized(error)) {
      ports.status.set("token", `refused by the server; run ${ports.loginCommand}`);
      log.warn(`auth token rejected by the server: run ${ports.loginCommand}, then restart the host`);
    } else {
      log.debug("token renewal failed", { error: errorText(error) });
    }
  }
}

/** Renews every interval until the signal ends it. */
export async function renewalLoop(ports: RenewalPorts, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(ports.clock, ports.intervalMs, signal);
    await renewOnce(ports, signal);
  }
}
