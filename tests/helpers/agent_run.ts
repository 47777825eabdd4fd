/** Running a driver in tests: a request with defaults, ports on the real machine, and everything it emitted. */
import type { AgentEvent, AgentRun, Driver, RunPorts, RunRequest } from "../../lib/agents/mod.ts";
import { launch, systemClock } from "../../lib/core/mod.ts";
import { DirectProcessControl } from "./process_control.ts";

/** A request for `executable` in `dir`; fields can be overridden. */
export function agentRequest(executable: string, dir: string, more: Partial<RunRequest> = {}): RunRequest {
  const marker = more.marker ?? `MULTICA_RUN_MARK=${crypto.randomUUID()}`;
  const [name, value] = marker.split("=") as [string, string];
  return {
    provider: "claude",
    executable,
    prefixArgs: [],
    extraArgs: [],
    customArgs: [],
    cwd: dir,
    prompt: "say pong",
    model: "",
    systemPrompt: "",
    threadName: "",
    resumeSessionId: "",
    continuityNotice: "",
    mcpConfig: undefined,
    thinkingLevel: "",
    serviceTier: "",
    timeoutMs: 0,
    semanticInactivityMs: 600_000,
    handshakeMs: 30_000,
    tempDir: dir,
    cliVersion: "",
    ...more,
    marker,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: dir, IS_SANDBOX: "1", [name]: value, ...more.env },
  };
}

/** A started run with what it said and the way to stop it. */
export interface Started {
  readonly run: AgentRun;
  readonly events: AgentEvent[];
  readonly abort: (reason?: unknown) => void;
  /** Resolves with the first event that fits, past or future. */
  readonly event: (fits: (event: AgentEvent) => boolean) => Promise<AgentEvent>;
}

/** Starts `driver` with real ports. */
export async function startAgent(
  driver: Driver,
  request: RunRequest,
  ports: Partial<RunPorts> = {},
): Promise<Started> {
  const events: AgentEvent[] = [];
  const waiters = new Set<(event: AgentEvent) => void>();
  const abort = new AbortController();
  const run = await driver.start(request, {
    launch,
    processes: new DirectProcessControl(),
    clock: systemClock,
    random: Math.random,
    signal: abort.signal,
    ...ports,
    emit: (event) => {
      events.push(event);
      for (const waiter of waiters) waiter(event);
      return ports.emit?.(event);
    },
  });
  return {
    run,
    events,
    abort: (reason) => abort.abort(reason),
    event: (fits) =>
      new Promise((resolve) => {
        const past = events.find(fits);
        if (past !== undefined) return resolve(past);
        const waiter = (event: AgentEvent) => {
          if (!fits(event)) return;
          waiters.delete(waiter);
          resolve(event);
        };
        waiters.add(waiter);
      }),
  };
}

/**
 * Writes an executable script. Another process does it: a file this one has open for writing is for a moment open in each
 * child that a test beside this one forks, and cannot be started then ("Text file busy").
 */
export async function script(path: string, text: string): Promise<string> {
  const writer = new Deno.Command("/bin/sh", {
    args: ["-c", 'cat > "$1" && chmod 755 "$1"', "sh", path],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const input = writer.stdin.getWriter();
  await input.write(new TextEncoder().encode(text));
  await input.close();
  const { success } = await writer.status;
  if (!success) throw new Error(`cannot write ${path}`);
  return path;
}
