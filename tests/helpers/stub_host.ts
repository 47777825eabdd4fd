/** A real host (supervisor, port, broker, narrowed Worker) around the scripted engine of stub_engine.ts. */
import { join } from "node:path";
import { type HostConfig, profilePaths } from "../../lib/config/mod.ts";
import { type Clock, DirectProcessControl, systemClock, systemRandom } from "../../lib/core/mod.ts";
import type { DiscoverableAgent } from "../../lib/runtimes/mod.ts";
import { connectWorker, type StartThread } from "../../lib/supervisor/engine_thread.ts";
import { runOnPorts } from "../../lib/supervisor/host.ts";
import { FakeMachine } from "./fake_cli.ts";
import { moment } from "./moment.ts";

/** Starts the scripted engine with the rights it is given. */
export const startStub: StartThread = (permissions, events) =>
  connectWorker(
    new Worker(new URL("./stub_engine.ts", import.meta.url), { type: "module", deno: { permissions } }),
    events,
  );

export interface StubHostOptions {
  readonly machine?: FakeMachine;
  readonly config?: Partial<HostConfig>;
  readonly catalog?: readonly DiscoverableAgent[];
  readonly clock?: Clock;
  /** The profile's file is watched for a new token. */
  readonly onToken?: (token: string) => void;
}

/** What an act in the engine came to. */
export interface ActResult {
  // deno-lint-ignore no-explicit-any -- whatever the act returned
  readonly result?: any;
  readonly error?: string;
  readonly message?: string;
}

export interface StubHost {
  readonly machine: FakeMachine;
  readonly config: HostConfig;
  readonly port: number;
  readonly credential: string;
  readonly exit: Promise<number>;
  /** Runs one act of stub_engine.ts inside the engine's thread, waiting for an engine that is being started. */
  act(name: string, arg?: Record<string, string>): Promise<ActResult>;
  /** Runs one act that ends the engine; does not wait for what comes of it. */
  end(name: "fail" | "hang" | "reload"): Promise<void>;
  health(): Promise<Record<string, unknown>>;
  signal(name: string): void;
  /** Drains and waits for the end. */
  stop(): Promise<number>;
}

/** A config for a fake machine; only what the supervisor looks at is real. */
export function stubConfig(machine: FakeMachine, more: Partial<HostConfig> = {}): HostConfig {
  return {
    profile: "",
    version: "0.0.0",
    serverUrl: "http://127.0.0.1:9",
    token: "mul_test",
    daemonId: "d",
    deviceName: "stub",
    launchedBy: "",
    healthPort: 0,
    paths: profilePaths(machine.home, ""),
    drainTimeoutMs: 1_000,
    agentPaths: {},
    profileCommandOverrides: {},
    allowCommands: [],
    logLevel: "error",
    inheritedEnv: { HOME: machine.home, PATH: machine.path("bin") },
    ...more,
  } as HostConfig;
}

/** Starts it; rejects when it cannot start. */
export async function startStubHost(options: StubHostOptions = {}): Promise<StubHost> {
  const machine = options.machine ?? new FakeMachine();
  const config = stubConfig(machine, options.config);
  const started = Promise.withResolvers<{ port: number; credential: string }>();
  let signal: (name: string) => void = () => {};
  const exit = runOnPorts({
    config,
    catalog: options.catalog ?? [],
    clock: options.clock ?? systemClock,
    random: systemRandom,
    startThread: startStub,
    signals: (heard) => (signal = heard, () => {}),
    processes: new DirectProcessControl(),
    onStarted: started.resolve,
    ...(options.onToken === undefined ? {} : { watchesToken: true, onToken: options.onToken }),
  });
  exit.catch(started.reject);
  const { port, credential } = await started.promise;
  const ask = async (name: string, arg: Record<string, string>): Promise<ActResult | undefined> => {
    const body = JSON.stringify({ url: name, workspace_id: "w", workdir: "d", ref: JSON.stringify(arg) });
    const answer = await fetch(`http://127.0.0.1:${port}/repo/checkout`, { method: "POST", body });
    const text = await answer.text();
    return answer.status === 503 ? undefined : JSON.parse(text);
  };
  return {
    machine,
    config,
    port,
    credential,
    exit,
    async act(name, arg = {}) {
      for (;;) {
        const result = await ask(name, arg);
        if (result !== undefined) return result;
        await moment();
      }
    },
    end: async (name) => void await ask(name, {}),
    health: async () => await (await fetch(`http://127.0.0.1:${port}/health`)).json(),
    signal: (name) => signal(name),
    stop() {
      signal("SIGTERM");
      return exit;
    },
  };
}

/** Path in the machine's workspaces root. */
export function inRoot(host: StubHost, ...parts: string[]): string {
  return join(host.config.paths.workspacesRoot, ...parts);
}
