/** The engine's side of the message port: starts the engine, answers pings, passes orders in and news out. */
import { type Clock, failureOf, getLog, type ProcessControl, type Random } from "../core/mod.ts";
import type { CheckoutAnswer, CheckoutRequest } from "../api/mod.ts";
import type { DiscoveredAgent } from "../runtimes/mod.ts";
import type { TaskDeps } from "../tasks/mod.ts";
import type { EngineBoot, EngineFailure, EngineState, FromEngine, ToEngine } from "../supervisor/mod.ts";
import { type BrokerCall, BrokerClient, brokeredProcesses } from "./broker_client.ts";
import { LogPost, postLogs } from "./worker_log.ts";

const log = getLog("engine", "worker");

/** What an engine may use of the thread it runs in. */
export interface EnginePorts {
  readonly clock: Clock;
  readonly random: Random;
  /** Registers, ends and measures process trees, by way of the supervisor. */
  readonly processes: ProcessControl;
  /** Any other request to the supervisor. */
  readonly call: BrokerCall;
  /** Where the engine stands; `detail` is one sentence. */
  reportState(state: EngineState, detail: string): void;
  /** The newest health, to be served by the supervisor. A plain value. */
  reportHealth(health: unknown): void;
  /** Claims are paused and nothing runs: replace this engine by one with the newest rights. It is ended at once. */
  requestReload(): void;
  /** The local API was asked to shut the host down: a drain order follows. */
  requestShutdown(): void;
  /** Takes the place of the house's own parts: an engine without processes and directories, for simulations. */
  readonly taskParts?: Partial<Pick<TaskDeps, "driverFor" | "workdir" | "settings">>;
}

/** How an engine ended. */
export interface EngineEnd {
  readonly exitCode: number;
  readonly error?: EngineFailure;
}

/** A running engine, as its thread sees it. None of the orders throws or blocks; all are idempotent. */
export interface EngineHandle {
  /** No new claims; running tasks get `timeoutMs`, then are stopped and reported; then everything ends. */
  drain(timeoutMs: number): void;
  /** Stop at once: trees are killed by the supervisor meanwhile. */
  force(): void;
  /** The host's token changed on disk. */
  token(token: string): void;
  /** Discovery has news. */
  agents(agents: readonly DiscoveredAgent[]): void;
  /** An agent asks the local API for a checkout; `signal` ends when it has gone. A rejection becomes a 500. */
  checkout(request: CheckoutRequest, signal: AbortSignal): Promise<CheckoutAnswer>;
  /** Settles when everything has ended. A rejection is a fault of the engine and restarts it. */
  readonly finished: Promise<EngineEnd>;
}

export type StartEngine = (boot: EngineBoot, ports: EnginePorts) => EngineHandle;

/** What is needed of a Worker's global scope; a test hands in its own. */
export interface EnginePort {
  post(message: FromEngine): void;
  listen(hear: (message: ToEngine) => void): void;
  /** Raises a fault: it is heard as any error nobody catches. */
  fault(error: unknown): void;
  /** Hears an error nobody caught, before it ends the thread. */
  onFault(hear: (reason: string) => void): void;
}

/** Longest a faulted thread stands still, ms: more than the supervisor needs for its agents. */
const STANDING_MS = 15_000;

/** Serves one engine on `port`, from its `start` message to its `stopped`. */
export function serveEngine(
  port: EnginePort,
  start: StartEngine,
  time: { readonly clock: Clock; readonly random: Random },
): void {
  const client = new BrokerClient((message) => port.post(message));
  const logs = new LogPost(time.clock, (records) => port.post({ t: "log", records }));
  const checkouts = new Map<number, AbortController>();
  let handle: EngineHandle | undefined;
  let fuse: Int32Array | undefined;
  port.onFault((reason) => {
    logs.flush();
    port.post({ t: "fault", reason });
    if (fuse !== undefined) Atomics.wait(fuse, 0, 0, STANDING_MS);
  });
  port.listen((message) => {
    switch (message.t) {
      case "fuse":
        fuse = message.cell;
        return;
      case "ping":
        return port.post({ t: "pong", id: message.id, lagMs: Math.max(0, time.clock.now() - message.at) });
      case "answer":
        return client.answered(message.id, message);
      case "start":
        handle ??= begin(message.boot);
        return;
      case "drain":
        return handle === undefined ? stopped({ exitCode: 0 }) : handle.drain(message.timeoutMs);
      case "force":
        return handle === undefined ? stopped({ exitCode: 1 }) : handle.force();
      case "token":
        return handle?.token(message.token);
      case "agents":
        return handle?.agents(message.agents);
      case "checkout":
        return void checkout(message.id, message.request);
      case "checkout.abort":
        return checkouts.get(message.id)?.abort();
    }
  });

  async function checkout(id: number, request: CheckoutRequest): Promise<void> {
    const abort = new AbortController();
    checkouts.set(id, abort);
    const answer = await answerCheckout(handle, request, abort.signal);
    checkouts.delete(id);
    port.post({ t: "checkout", id, answer });
  }

  function begin(boot: EngineBoot): EngineHandle | undefined {
    postLogs(boot.config.logLevel, (record) => logs.put(record));
    try {
      const engine = start(boot, portsFor());
      engine.finished.then(stopped, (error: unknown) => port.fault(error));
      return engine;
    } catch (error) {
      const failure = failureOf(error);
      log.error("engine did not start", { error: failure.message, code: failure.code });
      if (failure.code === "internal") port.fault(error);
      else stopped({ exitCode: failure.exitCode, error: failure });
      return undefined;
    }
  }

  function portsFor(): EnginePorts {
    return {
      ...time,
      processes: brokeredProcesses(client, (message) => port.post(message)),
      call: client.call,
      reportState: (state, detail) => port.post({ t: "state", state, detail }),
      reportHealth: (health) => port.post({ t: "health", health }),
      requestReload: () => port.post({ t: "reload" }),
      requestShutdown: () => port.post({ t: "shutdown" }),
    };
  }

  function stopped(end: EngineEnd): void {
    client.close();
    logs.flush();
    port.post({ t: "stopped", ...end });
  }
}

async function answerCheckout(
  handle: EngineHandle | undefined,
  request: CheckoutRequest,
  signal: AbortSignal,
): Promise<CheckoutAnswer> {
  if (handle === undefined) return { status: 503, body: "the host is still starting" };
  try {
    return await handle.checkout(request, signal);
  } catch (error) {
    log.warn("checkout failed", { url: request.url, error: failureOf(error).message });
    return { status: 500, body: failureOf(error).message };
  }
}
