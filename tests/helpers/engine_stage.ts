/** A whole engine in this process against a whole plane, on one clock that only the test moves. */
import { join } from "node:path";
import { configureSync, resetSync } from "@logtape/logtape";
import { startEngine } from "../../lib/engine/engine.ts";
import type { EngineEnd, EngineHandle, EnginePorts } from "../../lib/engine/worker_scope.ts";
import type { HostConfig } from "../../lib/config/mod.ts";
import type { HealthSnapshot } from "../../lib/api/mod.ts";
import { LOG_ROOT, type ProcessControl, type Random } from "../../lib/core/mod.ts";
import { Plane, type PlaneOptions, type RecordedRequest, type TaskSpec } from "../../lib/plane/mod.ts";
import type { DiscoveredAgent } from "../../lib/runtimes/mod.ts";
import type { ExecutableAnswer, ExecutableRequest } from "../../lib/supervisor/mod.ts";
import type { ExecutableVerdict } from "../../lib/supervisor/executable_policy.ts";
import { FakeClock } from "./fake_clock.ts";
import { testConfig } from "./host_config.ts";
import { type AgentScript, FakeWorkdir, scriptedDriver } from "./task_world.ts";
import { Traffic } from "./traffic.ts";

const NO_PROCESSES: ProcessControl = {
  started: () => {},
  end: () => Promise.resolve({ empty: true, leftovers: [], killed: false }),
  groupEmpty: () => Promise.resolve(true),
  cpuTime: () => Promise.resolve(undefined),
};

/** See {@link EngineStage.open}. */
export interface StageOptions {
  /** @default one */
  readonly workspaces?: number;
  /** Providers found on the machine. @default claude */
  readonly providers?: readonly string[];
  readonly plane?: Omit<PlaneOptions, "clock">;
  readonly config?: Partial<HostConfig>;
  readonly random?: Random;
  /** @default at once a result, without a word */
  readonly script?: AgentScript;
  /** Custom commands that resolve here: name → path. */
  readonly commands?: Readonly<Record<string, string>>;
  /** Decides about custom commands in the place of `commands`. */
  readonly policy?: (request: ExecutableRequest) => ExecutableVerdict;
  /** False: the engine is started by {@link EngineStage.start}. */
  readonly start?: boolean;
  /** Keep only the last log lines. */
  readonly quietLogs?: boolean;
  /** Timers so close together count as simultaneous, ms. @default 0 */
  readonly grainMs?: number;
}

/** A usable agent CLI. */
export function foundAgent(provider: string, more: Partial<DiscoveredAgent> = {}): DiscoveredAgent {
  return {
    provider,
    path: `/opt/agents/${provider}`,
    version: "1.0.0",
    probedAt: 0,
    problem: "",
    fix: "",
    ...more,
  };
}

/** One stage. Close it. */
export class EngineStage {
  readonly clock = new FakeClock();
  readonly traffic = new Traffic();
  readonly workspaceIds: string[] = [];
  readonly workdir: FakeWorkdir;
  readonly commands = new Map<string, string>();
  readonly reloads: number[] = [];
  /** Log lines of warning and above, info too: `level message {fields}`. */
  readonly logs: string[] = [];
  script: AgentScript;
  plane!: Plane;
  config!: HostConfig;
  handle!: EngineHandle;
  health: HealthSnapshot | undefined;
  #end: EngineEnd | undefined;
  /** Ends scripts that would not. */
  readonly #closing = Promise.withResolvers<{ status: "aborted" }>();
  /** The engine has opened its files and speaks. */
  #booted = Promise.withResolvers<void>();
  #started = false;

  private constructor(readonly dir: string, readonly options: StageOptions) {
    this.workdir = new FakeWorkdir(dir);
    this.script = options.script ?? (() => {});
    for (const [name, path] of Object.entries(options.commands ?? {})) this.commands.set(name, path);
    configureSync({
      reset: true,
      sinks: {
        lines: ({ level, message, properties }) => {
          this.logs.push(`${level} ${message.join("")} ${JSON.stringify(properties)}`);
          if (options.quietLogs && this.logs.length > 2_000) this.logs.splice(0, 1_000);
        },
      },
      loggers: [
        { category: LOG_ROOT, sinks: ["lines"], lowestLevel: "info" },
        { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
      ],
    });
  }

  /** Opens plane and engine, and waits until the engine runs. */
  static async open(options: StageOptions = {}): Promise<EngineStage> {
    const stage = new EngineStage(await Deno.makeTempDir({ prefix: "stage_" }), options);
    stage.plane = await Plane.open({ ...options.plane, clock: stage.clock });
    stage.traffic.watch(stage.plane, stage.clock);
    for (let i = 0; i < (options.workspaces ?? 1); i++) {
      stage.workspaceIds.push(stage.plane.createWorkspace({ name: `Workspace ${i + 1}` }));
    }
    if (options.start !== false) {
      stage.start();
      await stage.running();
    }
    return stage;
  }

  /** Starts the engine (again, with the same state directory). */
  start(agents: readonly DiscoveredAgent[] = this.agents()): void {
    const base = testConfig(this.dir);
    this.config = {
      ...base,
      serverUrl: this.plane.url,
      token: this.plane.token,
      paths: { ...base.paths, journalFile: join(this.dir, "journal.sqlite") },
      ...this.options.config,
    };
    this.#end = undefined;
    this.#started = true;
    this.#booted = Promise.withResolvers<void>();
    this.handle = startEngine({
      config: this.config,
      agents,
      executables: [...agents.map((agent) => agent.path), ...this.commands.values()],
      restarts: 0,
      tempBase: this.dir,
      localFiles: true,
      launchers: {},
      shims: {},
    }, this.#ports());
    this.handle.finished.then((end) => {
      this.#end = end;
      this.#booted.resolve();
    });
  }

  /** The machine's agents. */
  agents(): DiscoveredAgent[] {
    return (this.options.providers ?? ["claude"]).map((provider) => foundAgent(provider));
  }

  /** Moves the clock; between timers everything under way arrives. */
  async advance(ms: number): Promise<void> {
    const { grainMs } = this.options;
    if (this.#started) await this.#booted.promise;
    await this.clock.advance(ms, {
      io: () => this.traffic.quiet(),
      ...(grainMs === undefined ? {} : { grainMs }),
    });
  }

  /** Everything under way arrives, the clock stands. */
  settle(): Promise<void> {
    return this.advance(0);
  }

  /** Gives real input and output up to ten real seconds to make the fact true while the clock stands. */
  async #late<T>(fact: () => T | undefined | false): Promise<T | undefined | false> {
    for (let round = 0; round < 1_000; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await this.settle();
      const found = fact();
      if (found !== undefined && found !== false) return found;
    }
    return undefined;
  }

  /** Moves the clock until the fact holds. @throws when it does not within `limitMs` of simulated time. */
  async until<T>(what: string, fact: () => T | undefined | false, limitMs = 120_000): Promise<T> {
    const end = this.clock.monotonic() + limitMs;
    await this.settle();
    for (;;) {
      const found = fact();
      if (found !== undefined && found !== false) return found;
      const now = this.clock.monotonic();
      const next = this.clock.nextDue;
      // Files and processes are not counted as traffic: on a busy machine their answers may still be under way.
      if (next === undefined || next > end) {
        const late = await this.#late(fact);
        if (late !== undefined && late !== false) return late;
      }
      if (next === undefined || next > end) throw new Error(`${what}: not within ${limitMs} ms`);
      await this.advance(Math.max(0, next - now));
    }
  }

  /** Waits until the engine claims. */
  async running(limitMs = 600_000): Promise<void> {
    await this.until("engine runs", () => this.health?.status === "running", limitMs);
    await this.settle();
  }

  /** Waits for the engine's end. */
  async ended(limitMs = 600_000): Promise<EngineEnd> {
    return await this.until("engine ends", () => this.#end, limitMs);
  }

  /** An agent in a workspace, bound to the runtime of that provider. */
  agent(spec: { workspaceId?: string; provider?: string; profileId?: string; max?: number } = {}): string {
    const { workspaceId = this.workspaceIds[0]!, provider = "claude", profileId, max = 20 } = spec;
    return this.plane.createAgent({
      workspaceId,
      name: `${provider} ${crypto.randomUUID().slice(0, 8)}`,
      ...(profileId === undefined ? { provider } : { profileId }),
      maxConcurrentTasks: max,
    });
  }

  /** A task for an agent of the first workspace, unless told otherwise. Returns its id. */
  task(agentId: string, spec: Partial<TaskSpec> = {}): string {
    return this.plane.addTask({
      kind: "issue",
      workspaceId: this.workspaceIds[0]!,
      agentId,
      prompt: "do it",
      ...spec,
    } as TaskSpec).id;
  }

  /** Rows the server has of this host, of one workspace. */
  runtimeIds(workspaceId = this.workspaceIds[0]!): string[] {
    return this.plane.runtimes(workspaceId).map((row) => row.id);
  }

  /** Requests from now on. */
  mark(): (filter?: string) => RecordedRequest[] {
    const after = this.plane.requests().at(-1)?.n ?? 0;
    return (filter = "") => this.plane.requests(filter).filter((request) => request.n > after);
  }

  /** Drains the engine and waits for its end. */
  async stop(drainMs = 30_000): Promise<EngineEnd> {
    this.#started = false;
    this.handle.drain(drainMs);
    return await this.ended();
  }

  async close(): Promise<void> {
    try {
      this.#closing.resolve({ status: "aborted" });
      if (this.#started && this.#end === undefined) {
        this.plane.faults.clear();
        this.handle.force();
        await this.ended();
      }
    } finally {
      await this.plane.close();
      await this.traffic.quiet();
      this.traffic.close();
      resetSync();
      await Deno.remove(this.dir, { recursive: true });
    }
  }

  #ports(): EnginePorts {
    return {
      clock: this.clock,
      random: this.options.random ?? (() => 0.5),
      processes: NO_PROCESSES,
      call:
        ((name: string, arg: ExecutableRequest) =>
          name === "executable.add"
            ? Promise.resolve(this.#resolve(arg))
            : name === "agent.present"
            ? Promise.resolve({ version: "" })
            : Promise.reject(new Error(`no answer to ${name} on this stage`))) as EnginePorts["call"],
      reportState: () => this.#booted.resolve(),
      reportHealth: (health) => this.health = health as HealthSnapshot,
      requestReload: () => void this.reloads.push(this.clock.monotonic()),
      requestShutdown: () => {},
      taskParts: {
        driverFor: () =>
          Promise.resolve(
            scriptedDriver((run) => Promise.race([this.script(run), this.#closing.promise])),
          ),
        workdir: this.workdir,
      },
    };
  }

  #resolve(request: ExecutableRequest): ExecutableAnswer {
    const { command } = request;
    const verdict = this.options.policy?.(request);
    if (verdict?.allowed === false) {
      return { allowed: false, path: "", version: "", reason: verdict.reason, effective: false };
    }
    if (verdict !== undefined) {
      return { allowed: true, path: verdict.path, version: "2.0.0", reason: "", effective: true };
    }
    const path = this.commands.get(command);
    return path === undefined
      ? {
        allowed: false,
        path: "",
        version: "",
        reason: `command not found on PATH: ${command}`,
        effective: false,
      }
      : { allowed: true, path, version: "2.0.0", reason: "", effective: true };
  }
}

/** Opens a stage, runs the test, closes it. */
export async function onStage(
  options: StageOptions,
  work: (stage: EngineStage) => Promise<void>,
): Promise<void> {
  const stage = await EngineStage.open(options);
  try {
    await work(stage);
  } finally {
    await stage.close();
  }
}
