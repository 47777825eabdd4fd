/** Runs a host in this terminal: logs, signals, exit code. Shared by the plain command and `local`. */
import { discoverableProviders } from "../agents/mod.ts";
import type { HostConfig, Resolution } from "../config/mod.ts";
import type { DiscoverableAgent } from "../runtimes/finding/mod.ts";
import { type Logs, openLogs, Redactor } from "../core/mod.ts";
import { runHost } from "../supervisor/mod.ts";
import type { CliContext } from "./context.ts";
import { installMultica } from "./multica.ts";

/** What differs between the commands that run a host. */
export interface ForegroundOptions {
  /** Hears when the host takes tasks. */
  readonly onReady?: () => void;
  /** Agents offered beyond the usual ones. */
  readonly moreAgents?: readonly DiscoverableAgent[];
}

/** Runs the host to its end and gives the exit code. */
export async function runForeground(
  context: CliContext,
  resolution: Resolution,
  options: ForegroundOptions = {},
): Promise<number> {
  const { config, settings } = resolution;
  let redactor = new Redactor({ secrets: config.token === "" ? [] : [config.token] });
  const logs = openHostLogs(context, config.logLevel, (text) => redactor.text(text));
  const { logFile: path } = config.paths;
  try {
    return await runHost({
      config,
      settings,
      terminal: context.machine.terminal,
      install: () => installMultica(config.paths.shimDir),
      catalog: [...discoverableProviders(), ...options.moreAgents ?? []],
      onToken: (token) => redactor = redactor.with([token]),
      onStarted: () => {
        logs.attachFile({ path, maxBytes: config.logMaxBytes, maxFiles: config.logMaxFiles });
      },
      ...(options.onReady === undefined ? {} : { onReady: options.onReady }),
    });
  } finally {
    logs.close();
  }
}

/** stderr for people or the service manager at once; the file when the port is ours, so that it has one writer. */
function openHostLogs(
  context: CliContext,
  level: HostConfig["logLevel"],
  mask: (text: string) => string,
): Logs {
  const encoder = new TextEncoder();
  return openLogs({
    level,
    mask,
    stream: {
      pretty: context.machine.terminal,
      colour: context.machine.terminal && (context.machine.env["NO_COLOR"] ?? "") === "",
      write: (text) => writeQuietly(encoder.encode(text)),
    },
  });
}

function writeQuietly(bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
  } catch {
    // stderr is closed (the terminal has gone): the log file still has every line.
  }
}
