/** The first look at the server: everything else waits for it, and it waits for the server (spec 01 §7.1). */
import { isUnauthorized } from "../control/mod.ts";
import {
  Backoff,
  type Clock,
  errorText,
  getLog,
  HostError,
  isAbort,
  type Random,
  sleep,
} from "../core/mod.ts";
import { type WorkspaceSync, worthRetrying } from "./workspace_sync.ts";

const log = getLog("engine");

/** First wait and longest wait while the server cannot be reached at start, ms (reliability §4). */
const FIRST_MS = 1_000;
const LAST_MS = 60_000;

export interface FirstSyncPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly sync: Pick<WorkspaceSync, "pass">;
  readonly serverUrl: string;
  readonly loginCommand: string;
  /** There is an agent to offer. */
  readonly canWork: () => boolean;
  /** Hears in a sentence why the host does not work yet, and when the next try is. */
  readonly onTrouble: (sentence: string, waitMs: number) => void;
}

/** Tries until it succeeds. @throws {HostError} `token_rejected`, which no waiting mends */
export async function firstSync(ports: FirstSyncPorts, signal: AbortSignal): Promise<void> {
  const { clock, sync, serverUrl } = ports;
  const backoff = new Backoff(FIRST_MS, LAST_MS, ports.random);
  for (let tries = 1;; tries++) {
    try {
      return await sync.pass(signal);
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      if (isUnauthorized(error)) {
        throw new HostError(`auth token rejected by ${serverUrl}`, {
          code: "token_rejected",
          exitCode: 3,
          hint: ports.loginCommand,
          cause: error,
        });
      }
      if (!worthRetrying(error) && !ports.canWork()) return;
      if (tries === 1) log.warn("server not ready, trying again until it is", { error: errorText(error) });
      else log.debug("server still not ready", { error: errorText(error), tries });
      const waitMs = backoff.next();
      ports.onTrouble(`cannot work with ${serverUrl} yet: ${errorText(error)}`, waitMs);
      await sleep(clock, waitMs, signal);
    }
  }
}
