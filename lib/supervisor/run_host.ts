/** The host with the machine's own clock, signals and Worker: what `multica-host` runs. */
import type { HostConfig, ResolvedSetting } from "../config/mod.ts";
import { DirectProcessControl, getLog, systemClock, systemRandom } from "../core/mod.ts";
import type { DiscoverableAgent } from "../runtimes/finding/mod.ts";
import { startWorker } from "./engine_thread.ts";
import { type HostPorts, runOnPorts } from "./host.ts";
import { processSignals } from "./signals.ts";

const log = getLog("supervisor");

export interface RunHostOptions {
  readonly config: HostConfig;
  /** Where the values came from: logged once, masked. */
  readonly settings: readonly ResolvedSetting[];
  /** True under a terminal. */
  readonly terminal: boolean;
  /** The agents this program can drive. */
  readonly catalog: readonly DiscoverableAgent[];
  /** Puts on disk what agents need, once this host owns the profile and before the engine starts. */
  readonly install?: NonNullable<HostPorts["install"]>;
  /** Hears a new token before anything else does, so that it is never written anywhere. */
  readonly onToken?: NonNullable<HostPorts["onToken"]>;
  /** Hears when the port is bound and the engine is on its way. */
  readonly onStarted?: NonNullable<HostPorts["onStarted"]>;
  /** Hears, once, that tasks are taken. */
  readonly onReady?: NonNullable<HostPorts["onReady"]>;
}

/**
 * Runs the host in the foreground until a signal, `POST /shutdown` or the engine ends it, and gives the exit code.
 * Log sinks must be configured before. Nothing of a task runs any more when it returns.
 * @throws {HostError} with one sentence and the exit code when it cannot start (busy port, no token, unwritable root) or
 * the engine ended for a reason of the user's (token refused, …).
 */
export function runHost(options: RunHostOptions): Promise<number> {
  const { config, settings, catalog, terminal } = options;
  log.debug("settings", {
    terminal,
    settings: Object.fromEntries(settings.map(({ name, value, origin }) => [name, `${value} (${origin})`])),
  });
  return runOnPorts({
    config,
    catalog,
    clock: systemClock,
    random: systemRandom,
    startThread: startWorker,
    signals: processSignals,
    processes: new DirectProcessControl(),
    watchesToken: settings.some(({ name, origin }) => name === "token" && origin === "profile file"),
    ...(options.install === undefined ? {} : { install: options.install }),
    ...(options.onToken === undefined ? {} : { onToken: options.onToken }),
    ...(options.onStarted === undefined ? {} : { onStarted: options.onStarted }),
    ...(options.onReady === undefined ? {} : { onReady: options.onReady }),
  });
}
