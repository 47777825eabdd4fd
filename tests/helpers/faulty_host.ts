/** A whole host on an E2e world, in this process, whose engine can be made to die or hang. */
import { agentVariables, discoverableProviders } from "../../lib/agents/mod.ts";
import { resolveHost } from "../../lib/config/mod.ts";
import { type Clock, DirectProcessControl, systemClock, systemRandom } from "../../lib/core/mod.ts";
import { connectWorker, type StartThread } from "../../lib/supervisor/engine_thread.ts";
import { runOnPorts } from "../../lib/supervisor/host.ts";
import type { E2eWorld } from "./e2e_world.ts";
import type { Fault } from "./faulty_engine.ts";
import { testMachine } from "./host_config.ts";
import { moment } from "./moment.ts";

/** Everything is real but the entry of the engine's Worker, which is the real one with a fuse. */
export class FaultyHost {
  readonly exit: Promise<number>;
  #worker: Worker | undefined;
  #signal: (name: string) => void = () => {};
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));

  private constructor(readonly port: number, world: E2eWorld, clock: Clock) {
    const { home, profile } = world;
    const { config } = resolveHost({
      profile,
      flags: {},
      machine: testMachine(home.dir, { env: { ...home.env, ...world.env } }),
      createIdentity: true,
      agentVariables: agentVariables(),
    });
    this.exit = runOnPorts({
      config,
      catalog: discoverableProviders(),
      clock,
      random: systemRandom,
      startThread: this.#startThread,
      signals: (heard) => (this.#signal = heard, () => {}),
      processes: new DirectProcessControl(),
    });
  }

  /** Loads the engine once: its modules are checked then, which is not what a test waits for. */
  static async load(): Promise<void> {
    const worker = new Worker(FaultyHost.#entry, { type: "module" });
    const answered = new Promise((resolve) => worker.onmessage = resolve);
    worker.postMessage({ t: "ping", id: 1, at: 0 });
    await answered;
    worker.terminate();
  }

  static get #entry(): URL {
    return new URL("./faulty_engine.ts", import.meta.url);
  }

  /** Starts it and waits until its engine runs. `clock` is the supervisor's alone. */
  static async start(world: E2eWorld, clock: Clock = systemClock): Promise<FaultyHost> {
    const host = new FaultyHost(world.port, world, clock);
    await Promise.race([host.engine("running", 0), host.exit]);
    return host;
  }

  readonly #startThread: StartThread = (permissions, events) => {
    this.#worker = new Worker(FaultyHost.#entry, { type: "module", deno: { permissions } });
    return connectWorker(this.#worker, events);
  };

  /** Breaks the engine of this moment. */
  fault(what: Fault["what"]): void {
    const fault: Fault = what === "die" ? { t: "fault", what } : { t: "fault", what, cell: this.#cell };
    this.#worker?.postMessage(fault);
  }

  /** Waits for an engine in this state after so many restarts; `beside` runs between two looks. */
  async engine(state: string, restarts: number, beside: () => Promise<void> = moment): Promise<void> {
    for (;;) {
      const health = await this.health();
      const engine = health?.["engine"] as { state: string; restarts: number } | undefined;
      if (engine?.state === state && engine.restarts === restarts) return;
      await beside();
    }
  }

  async health(): Promise<Record<string, unknown> | undefined> {
    try {
      return await (await fetch(`http://127.0.0.1:${this.port}/health`)).json();
    } catch {
      return undefined; // not bound yet
    }
  }

  /** Drains and waits for the end. */
  async stop(): Promise<number> {
    this.#signal("SIGTERM");
    return await this.exit;
  }

  /** Ends it now; threads that hang go on and end. */
  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#cell, 0, 1);
    Atomics.notify(this.#cell, 0);
    this.#signal("SIGTERM");
    this.#signal("SIGTERM");
    await this.exit;
  }
}
