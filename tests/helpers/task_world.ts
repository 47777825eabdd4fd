/** Everything a task's run needs, real where it counts: plane, HTTP, journal, outbox; a scripted agent and directory. */
import type {
  AgentEvent,
  AgentResult,
  AgentRun,
  Driver,
  RunPorts,
  RunRequest,
} from "../../lib/agents/mod.ts";
import { classifyFailure } from "../../lib/agents/mod.ts";
import { type ClaimedTask, HttpControl } from "../../lib/control/mod.ts";
import { type Clock, type EndReport, launch, type ProcessControl, systemClock } from "../../lib/core/mod.ts";
import { Plane, type PlaneOptions, type TaskSpec } from "../../lib/plane/mod.ts";
import type { LaunchTarget } from "../../lib/runtimes/mod.ts";
import {
  Journal,
  Outbox,
  type TaskDeps,
  type TaskEnvironment,
  type TaskOutcome,
  TaskRunner,
  type TaskSettings,
  type TaskSlot,
  type TurnFacts,
  type WorkdirPort,
} from "../../lib/tasks/mod.ts";
import { type Scene, scene } from "./plane.ts";

/** What a scripted agent does in one run. */
export interface AgentScript {
  /** Called once per run; what it returns completes the default result. */
  (run: ScriptedRun): Promise<Partial<AgentResult> | void> | Partial<AgentResult> | void;
}

/** A scripted run's means. */
export interface ScriptedRun {
  readonly request: RunRequest;
  readonly ports: RunPorts;
  readonly emit: (event: AgentEvent) => void;
  /** Resolves when the run is told to stop. */
  readonly stopped: Promise<void>;
  /** When the leader's group counts as empty; default: at once after the result. */
  exited: Promise<void>;
  /** When the tree counts as gone; default: with `exited`. */
  ended: Promise<EndReport>;
}

const RESULT: AgentResult = {
  status: "completed",
  output: "done",
  error: "",
  sessionId: "",
  usage: {},
  durationMs: 1,
  resumeRejected: false,
  costUsdTicks: 0,
};

/** A driver that runs a script instead of a process. */
export function scriptedDriver(script: AgentScript): Driver {
  return {
    start: (request, ports) => {
      const stopped = new Promise<void>((resolve) => {
        if (ports.signal.aborted) return resolve();
        ports.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      const run: ScriptedRun = {
        request,
        ports,
        emit: (event) => void ports.emit(event),
        stopped,
        exited: Promise.resolve(),
        ended: Promise.resolve({ empty: true, leftovers: [], killed: false }),
      };
      const result = Promise.resolve().then(() => script(run)).then((part) => ({ ...RESULT, ...part }));
      const exited = result.then(() => run.exited);
      return Promise.resolve<AgentRun>({
        group: { pid: 1, marker: request.marker },
        result,
        exited,
        ended: exited.then(() => run.ended),
      });
    },
  };
}

/** A workdir port over one temporary directory. */
export class FakeWorkdir implements WorkdirPort {
  readonly facts: TurnFacts[] = [];
  readonly closed: string[] = [];
  reserved = 0;
  prior = false;
  prepareError: Error | undefined;
  local: { path: string; label: string } | undefined;
  holder = "";
  lockFree: Promise<void> = Promise.resolve();
  cleaned = 0;
  onPrepare: () => Promise<void> = () => Promise.resolve();

  constructor(readonly dir: string) {}

  reserve(): () => void {
    this.reserved++;
    return () => void this.reserved--;
  }

  localDirectory() {
    return Promise.resolve(this.local);
  }

  async lock(
    _directory: unknown,
    _taskId: string,
    options: { signal: AbortSignal; onBusy: (holder: string) => void },
  ): Promise<() => void> {
    if (this.holder !== "") {
      options.onBusy(this.holder);
      await Promise.race([
        this.lockFree,
        new Promise((_, reject) =>
          options.signal.addEventListener("abort", () => reject(options.signal.reason), { once: true })
        ),
      ]);
    }
    return () => {};
  }

  skills() {
    return Promise.resolve([]);
  }

  async prepare(): Promise<TaskEnvironment> {
    await this.onPrepare();
    if (this.prepareError) throw this.prepareError;
    return {
      root: this.dir,
      workDir: this.dir,
      tempDir: this.dir,
      isPriorWorkDir: this.prior,
      env: {},
      mcpConfig: undefined,
      sessionFile: () => Promise.resolve("unknown"),
      brief: (facts) => {
        this.facts.push(facts);
        return Promise.resolve("brief");
      },
      prompt: (facts) => `prompt ${facts.resumed ? "resumed" : "fresh"}${facts.sessionLost ? " lost" : ""}`,
      continuityNotice: "memory was lost",
      cleanup: () => {
        this.cleaned++;
        return Promise.resolve();
      },
      close: ({ outcome }) => {
        this.closed.push(outcome);
        return Promise.resolve();
      },
    };
  }
}

/** A slot that remembers what was done to it. */
export class FakeSlot implements TaskSlot {
  index = 0;
  readonly calls: string[] = [];
  readonly released = Promise.withResolvers<void>();
  release(): void {
    this.calls.push("release");
    this.released.resolve();
  }
  lend(): void {
    this.calls.push("lend");
  }
  reclaim(): Promise<void> {
    this.calls.push("reclaim");
    return Promise.resolve();
  }
}

const NO_PROCESSES: ProcessControl = {
  started: () => {},
  end: () => Promise.resolve({ empty: true, leftovers: [], killed: false }),
  groupEmpty: () => Promise.resolve(true),
  cpuTime: () => Promise.resolve(undefined),
};

/** Options of {@link TaskWorld.open}. */
export interface WorldOptions {
  readonly clock?: Clock;
  readonly plane?: PlaneOptions;
  readonly settings?: Partial<TaskSettings>;
  readonly processes?: ProcessControl;
  /** Real drivers instead of the scripted one. */
  readonly driverFor?: TaskDeps["driverFor"];
}

/** One host's task side against one plane. */
export class TaskWorld {
  script: AgentScript = () => {};
  readonly workdir: FakeWorkdir;
  journal!: Journal;
  outbox!: Outbox;
  runner!: TaskRunner;
  readonly #stop = new AbortController();
  #outboxStop = new AbortController();
  #outboxRun: Promise<void> = Promise.resolve();

  private constructor(
    readonly plane: Plane,
    readonly scene: Scene,
    readonly control: HttpControl,
    readonly dir: string,
    readonly clock: Clock,
    private readonly options: WorldOptions,
  ) {
    this.workdir = new FakeWorkdir(dir);
    this.start();
  }

  static async open(options: WorldOptions = {}): Promise<TaskWorld> {
    const clock = options.clock ?? systemClock;
    const plane = await Plane.open({ sweeper: false, clock, ...options.plane });
    const setting = await scene(plane, { providers: ["claude"], maxConcurrentTasks: 20 });
    const control = new HttpControl({
      baseUrl: plane.url,
      token: () => plane.token,
      identity: { version: "1.0.0" },
      clock,
    });
    const dir = await Deno.makeTempDir({ prefix: "tasks_" });
    return new TaskWorld(plane, setting, control, dir, clock, options);
  }

  get journalFile(): string {
    return `${this.dir}/journal.sqlite`;
  }

  /** Opens journal and outbox, as a new process would. */
  start(): void {
    const { clock, control } = this;
    this.journal = Journal.open(this.journalFile, clock);
    this.outbox = new Outbox({
      journal: this.journal,
      control,
      clock,
      random: () => 0.5,
      classify: classifyFailure,
    });
    this.runner = new TaskRunner(this.deps());
    this.#outboxStop = new AbortController();
    this.#outboxRun = this.outbox.run(this.#outboxStop.signal);
  }

  /** Ends journal and outbox. */
  async stopHost(): Promise<void> {
    this.#outboxStop.abort(new Error("stopped"));
    await this.#outboxRun;
    this.journal.close();
  }

  deps(): TaskDeps {
    const settings: TaskSettings = {
      serverUrl: this.plane.url,
      healthPort: 1,
      token: this.plane.token,
      home: "/home/someone",
      shimDir: "/opt/shim",
      workspacesRoot: this.dir,
      inheritedEnv: { PATH: "/usr/bin:/bin" },
      agentArgs: {},
      agentModels: {},
      agentTimeoutMs: 0,
      codexSemanticInactivityMs: 600_000,
      codexHandshakeMs: 30_000,
      codexFirstTurnMs: 0,
      idleWatchdogMs: 0,
      toolWatchdogMs: 0,
      providerIdleMs: {},
      ...this.options.settings,
    };
    return {
      control: this.control,
      journal: this.journal,
      outbox: this.outbox,
      clock: this.clock,
      random: () => 0.5,
      launch,
      processes: this.options.processes ?? NO_PROCESSES,
      driverFor: this.options.driverFor ??
        (() => Promise.resolve(scriptedDriver((run) => this.script(run)))),
      workdir: this.workdir,
      settings,
      inlinesBrief: () => false,
    };
  }

  get runtimeId(): string {
    return this.scene.runtimes["claude"]!;
  }

  target(more: Partial<LaunchTarget> = {}): LaunchTarget {
    return {
      runtimeId: this.runtimeId,
      workspaceId: this.scene.workspaceId,
      provider: "claude",
      executable: "/usr/bin/true",
      prefixArgs: [],
      version: "1.0.0",
      profileId: "",
      problem: "",
      ...more,
    };
  }

  /** Adds a task and claims it. */
  async claimed(spec: Partial<TaskSpec> = {}): Promise<ClaimedTask> {
    this.plane.addTask({
      kind: "issue",
      workspaceId: this.scene.workspaceId,
      agentId: this.scene.agents["claude"]!,
      prompt: "do it",
      ...spec,
    } as TaskSpec);
    const task = await this.control.claim(this.runtimeId);
    if (task === undefined) throw new Error("nothing to claim");
    return task;
  }

  /** Runs a claimed task. */
  run(task: ClaimedTask, slot: TaskSlot = new FakeSlot(), target = this.target()): Promise<TaskOutcome> {
    return this.runner.run(task, target, slot, this.#stop.signal);
  }

  async close(): Promise<void> {
    await this.stopHost();
    this.control.close();
    await this.plane.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Runs `work` in a world of its own. */
export async function inWorld(
  options: WorldOptions,
  work: (world: TaskWorld) => Promise<void>,
): Promise<void> {
  const world = await TaskWorld.open(options);
  try {
    await work(world);
  } finally {
    await world.close();
  }
}
