/** The engine: composition root of everything that runs in the Worker, from start to drain (spec 01 §7.1, 7.9). */
import type { CheckoutAnswer, CheckoutRequest, HealthSnapshot } from "../api/mod.ts";
import { profileBases } from "../agents/mod.ts";
import { checkHostConfig } from "../config/schema/mod.ts";
import { type ClaimedTask, ControlSocket, HttpControl } from "../control/mod.ts";
import { errorText, failureOf, getLog, HostError, Scope, settleWithin } from "../core/mod.ts";
import { HOST_STOPPED, Registrar, RuntimeRegistry } from "../runtimes/mod.ts";
import type { DiscoveredAgent, LaunchTarget, ModelLists } from "../runtimes/mod.ts";
import type { EngineBoot } from "../supervisor/mod.ts";
import { RepoNotReady, RepoReadiness } from "../repos/mod.ts";
import { Actions } from "./actions.ts";
import { actionAnswers, modelLists } from "./action_answers.ts";
import { ClaimGate } from "./claim_gate.ts";
import { ClaimTrouble } from "./claiming.ts";
import { Claims } from "./claims.ts";
import { DiscoveryLoop } from "./discovery_loop.ts";
import { HealthReporter } from "./health_report.ts";
import { Heartbeats } from "./heartbeats.ts";
import { Inventory } from "./inventory.ts";
import { renewalLoop, type RenewalPorts, renewOnce } from "./renewal.ts";
import { firstSync } from "./first_sync.ts";
import { type Slot, SlotPool } from "./slots.ts";
import { snapshotOf } from "./snapshot.ts";
import { StatusBoard } from "./status_board.ts";
import { suspendLoop } from "./suspend_watch.ts";
import { openTasks, type TaskRoom } from "./task_room.ts";
import { WakeRouter } from "./wake.ts";
import type { EngineEnd, EngineHandle, EnginePorts } from "./worker_scope.ts";
import { WorkspaceSync } from "./workspace_sync.ts";

const log = getLog("engine");

/** How long a first registration waits for the journal's old results to be delivered, ms. */
const SETTLE_MS = 10_000;
/** How long the clean-up after a killed host may hold up the claims, ms. */
const TIDY_MS = 10_000;
/** How long the end of the host waits for reports that can be delivered, ms. */
const FLUSH_MS = 15_000;
const DEREGISTER_MS = 5_000;
/** This version has no repository cache. */
const NO_CACHE = "repo cache not initialized";

/**
 * Builds and runs an engine. Everything it starts has ended when `finished` settles.
 * @throws {HostError} when the configuration has not the form it was promised in
 */
export function startEngine(boot: EngineBoot, ports: EnginePorts): EngineHandle {
  return new Engine({ ...boot, config: checkHostConfig(boot.config) }, ports);
}

class Engine implements EngineHandle {
  readonly finished: Promise<EngineEnd>;
  readonly #root = new Scope("engine");
  /** Loops that end first when the host drains; claims in flight and tasks outlive them. */
  readonly #loops = this.#root.child("loops");
  readonly #requests = this.#root.child("requests");
  readonly #running = this.#root.child("tasks");
  readonly #stop = Promise.withResolvers<{ readonly drainMs: number; readonly exitCode: number }>();
  #token: string;
  #stage: "starting" | "running" | "stopping" = "starting";
  #reached = false;
  #reloadWhy = "";

  readonly #control: HttpControl;
  readonly #registry = new RuntimeRegistry();
  readonly #inventory: Inventory;
  readonly #slots: SlotPool;
  readonly #gate: ClaimGate;
  readonly #trouble = new ClaimTrouble(() => this.#health.changed());
  readonly #status: StatusBoard;
  readonly #health: HealthReporter;
  /** Opened first thing in `#run`; nothing but orders from outside comes before. */
  #tasks!: TaskRoom;
  readonly #registrar: Registrar;
  readonly #sync: WorkspaceSync;
  readonly #repos: RepoReadiness;
  readonly #models: ModelLists;
  readonly #actions: Actions;
  readonly #wake: WakeRouter;
  #replayed: Promise<unknown> = Promise.resolve();
  #socket: ControlSocket | undefined;
  #heartbeats: Heartbeats | undefined;
  #claims: Claims | undefined;
  #discovery: DiscoveryLoop | undefined;

  constructor(private readonly boot: EngineBoot, private readonly ports: EnginePorts) {
    const { config } = boot;
    const { clock, random } = ports;
    this.#token = config.token;
    this.#control = new HttpControl({
      baseUrl: config.serverUrl,
      token: () => this.#token,
      identity: { version: config.version },
      clock,
    });
    this.#inventory = new Inventory(boot.executables, boot.agents);
    this.#slots = new SlotPool(config.maxConcurrentTasks);
    this.#health = new HealthReporter(clock, () => this.#snapshot(), (health) => ports.reportHealth(health));
    this.#status = new StatusBoard(() => this.#health.changed());
    this.#gate = new ClaimGate(() =>
      this.#tasks?.journal.canClaim() ?? true ? "" : "the disk has no room for the journal"
    );
    this.#gate.pause("starting", "the host is starting");
    this.#registrar = new Registrar({
      control: this.#control,
      registry: this.#registry,
      agents: () => this.#inventory.usable(),
      found: () => this.#inventory.found(),
      families: new Set(profileBases()),
      deviceName: config.deviceName,
      config,
      clock,
      resolve: async ({ command, profileId, prefixArgs }) => {
        const answer = await ports.call("executable.add", { command, profileId, prefixArgs });
        if (answer.allowed && !answer.effective) this.#wantReload(`${command} was allowed`);
        return { path: answer.path, version: answer.version, reason: answer.allowed ? "" : answer.reason };
      },
      hasLive: (runtimeId) => this.#tasks.outbox.hasLive(runtimeId) || this.#hasRunning(runtimeId),
      settled: (_ids, signal) => this.#settled(signal),
    });
    this.#sync = new WorkspaceSync({
      control: this.#control,
      registry: this.#registry,
      registrar: this.#registrar,
      clock,
      random,
      status: this.#status,
      onLeft: (id) => this.#repos.forget(id),
      intervalMs: config.syncIntervalMs,
    });
    this.#repos = new RepoReadiness({
      workspaceUrls: (id) => this.#registry.workspace(id)?.repos.map(({ url }) => url),
      refresh: async (id, signal) =>
        this.#registry.applyRepos(id, await this.#control.workspaceRepos(id, { signal })),
      cache: { has: () => false, sync: () => Promise.reject(new Error(NO_CACHE)) },
    });
    this.#models = modelLists(boot, ports);
    this.#actions = new Actions({
      control: this.#control,
      registry: this.#registry,
      ...actionAnswers(config, this.#gate, this.#models, (id) => this.#target(id)),
    }, this.#requests);
    this.#wake = new WakeRouter(this.#wakeTargets(), clock);
    this.finished = this.#run();
  }

  drain(timeoutMs: number): void {
    this.#gate.pause("draining", "the host is stopping");
    this.#stop.resolve({ drainMs: timeoutMs, exitCode: this.#reached ? 0 : 2 });
  }

  force(): void {
    this.#stop.resolve({ drainMs: 0, exitCode: 1 });
    this.#running.abort(new HostError("the host was told to stop at once", { code: "forced" }));
  }

  token(token: string): void {
    if (token === this.#token) return;
    this.#token = token;
    this.#tasks?.runner.learnSecret(token);
    log.info("new token taken over");
    this.#authorized();
    this.#loops.spawn("token renewal", (signal) => renewOnce(this.#renewal(), signal));
    this.#tasks?.outbox.kick();
    this.#socket?.dropConnection("new token");
  }

  agents(agents: readonly DiscoveredAgent[]): void {
    this.#takeAgents(agents);
  }

  /** True when something that matters changed. */
  #takeAgents(agents: readonly DiscoveredAgent[]): boolean {
    const now = this.ports.clock.monotonic();
    const { offersChanged, waiting, doubtful } = this.#inventory.replace(agents, now);
    this.#health.changed();
    if (waiting.length > 0) this.#wantReload(`${waiting.join(", ")} found`);
    if (!offersChanged || this.#stage !== "running") return offersChanged || doubtful || waiting.length > 0;
    this.#sync.request();
    return true;
  }

  /** Whether the repository may be checked out is answered; there is no cache to check it out from yet. */
  async checkout(request: CheckoutRequest, signal: AbortSignal): Promise<CheckoutAnswer> {
    try {
      await this.#repos.ensure(request.workspace_id, request.url, signal);
    } catch (error) {
      if (error instanceof RepoNotReady) return { status: error.status, body: error.message };
      throw error;
    }
    return { status: 500, body: NO_CACHE };
  }

  async #run(): Promise<EngineEnd> {
    try {
      const { boot, ports } = this;
      this.#tasks = await openTasks({
        boot,
        ports,
        control: this.#control,
        models: this.#models,
        onChange: () => this.#health.changed(),
      });
      this.#root.spawn("outbox", (signal) => this.#tasks.outbox.run(signal));
      this.ports.reportState("starting", "reading workspaces");
      this.#health.now();
      const stopped = this.#stop.promise;
      const started = this.#loops.run((signal) => this.#start(signal));
      const first = await Promise.race([started.then(() => "started" as const), stopped]);
      if (first !== "started") started.catch(() => {});
      const { drainMs, exitCode } = await stopped;
      await this.#drain(drainMs);
      return { exitCode };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      log.error("engine ends", { error: error.message, code: error.code });
      return { exitCode: error.exitCode, error: failureOf(error) };
    } finally {
      await this.#close();
    }
  }

  /** Renew, first sync, loops, ready (spec 01 §7.1). The server being away only makes it later. */
  async #start(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.ports;
    const { config } = this.boot;
    this.#replayed = this.#root.run(() => this.#tasks.outbox.replay());
    this.#replayed.catch((error: unknown) => log.error("journal replay failed", { error: errorText(error) }));
    const renewal = this.#renewal();
    const tidied = settleWithin(clock, TIDY_MS, "clean-up", this.#root.run(this.#tasks.tidyUp)).catch(
      (error: unknown) => log.warn("clean-up after a killed host not finished", { error: errorText(error) }),
    );
    await renewOnce(renewal, signal);
    await firstSync({
      clock,
      random,
      sync: this.#sync,
      serverUrl: config.serverUrl,
      loginCommand: renewal.loginCommand,
      canWork: () => this.#inventory.usable().length > 0,
      onTrouble: (sentence, waitMs) => {
        this.#status.set("start", `${sentence}; next try in ${Math.ceil(waitMs / 1000)} s`);
        this.ports.reportState("starting", sentence);
        this.#gate.pause("starting", sentence);
      },
    }, signal);
    await tidied;
    this.#reached = true;
    this.#gate.resume("starting");
    this.#startLoops(renewal);
    this.#stage = "running";
    this.ports.reportState("running", `claiming for ${this.#registry.runtimeIds().length} runtimes`);
    this.#health.now();
    this.#reloadIfIdle();
  }

  #renewal(): RenewalPorts {
    const { config } = this.boot;
    return {
      control: this.#control,
      clock: this.ports.clock,
      status: this.#status,
      loginCommand: `multica-host login${config.profile === "" ? "" : ` --profile ${config.profile}`}`,
      intervalMs: config.renewIntervalMs,
    };
  }

  #startLoops(renewal: RenewalPorts): void {
    const { clock, random } = this.ports;
    const { config } = this.boot;
    this.#status.remove("start");
    this.#openSocket();
    this.#heartbeats = new Heartbeats({
      control: this.#control,
      registry: this.#registry,
      clock,
      random,
      intervalMs: config.heartbeatIntervalMs,
      status: this.#status,
      fresh: (id) => this.#socket?.fresh(id) ?? false,
      onAnswer: (id, answer) => this.#actions.dispatch(id, answer),
      onGone: (id) => this.#gone(id),
      onReachable: () => {
        this.#authorized();
        this.#tasks.outbox.kick();
      },
      onUnauthorized: () => this.#unauthorized(),
    }, this.#loops.child("heartbeats"));
    this.#claims = new Claims(
      {
        control: this.#control,
        socket: () => this.#socket,
        registry: this.#registry,
        slots: this.#slots,
        gate: this.#gate,
        trouble: this.#trouble,
        status: this.#status,
        clock,
        daemonId: config.daemonId,
        intervalMs: config.pollIntervalMs,
        onTask: (task, slot) => this.#take(task, slot),
        onGone: (id) => this.#gone(id),
      },
      this.#loops,
      this.#requests,
    );
    this.#loops.spawn("workspace sync", (signal) => this.#sync.loop(signal));
    this.#loops.spawn("token renewal", (signal) => renewalLoop(renewal, signal));
    const discovery = this.#discovery = new DiscoveryLoop({
      clock,
      random,
      status: this.#status,
      discover: () => this.ports.call("agents.discover", {}),
      onAgents: (agents) => this.#takeAgents(agents),
    });
    this.#loops.spawn("discovery", (signal) => discovery.loop(signal));
    this.#loops.spawn("suspend watch", (signal) =>
      suspendLoop(clock, this.#status, () => {
        this.#control.dropConnections();
        this.#socket?.dropConnection("the machine was suspended");
        this.#wake.woke();
      }, signal));
    this.#pausedFor = this.#gate.why;
    const unsubscribe = this.#gate.changes.subscribe(() => this.#gateChanged());
    this.#loops.signal.addEventListener("abort", unsubscribe, { once: true });
  }

  #openSocket(): void {
    const { clock, random } = this.ports;
    const { config } = this.boot;
    this.#socket = new ControlSocket({
      baseUrl: config.serverUrl,
      token: () => this.#token,
      version: config.version,
      clock,
      random,
      heartbeatIntervalMs: config.heartbeatIntervalMs,
      scope: this.#loops.child("socket"),
      listener: {
        connected: () => {
          this.#claims?.connected();
          this.#authorized();
          this.#wake.connected();
        },
        disconnected: () => this.#claims?.disconnected(),
        ack: (answer) => {
          this.#wake.ack(answer);
          this.#claims?.acknowledged();
        },
        taskAvailable: (id) => this.#wake.taskAvailable(id),
        profilesChanged: (id) => this.#wake.profilesChanged(id),
        workspacesChanged: () => this.#wake.workspacesChanged(),
        pendingWork: (id) => this.#wake.pendingWork(id),
        unauthorized: () => this.#wake.refused(401),
        runtimesRefused: () => this.#wake.refused(404),
        said: (sentence) => this.#status.set("socket", sentence),
      },
    });
    const unsubscribe = this.#registry.changes.subscribe(({ ids, removed }) => {
      for (const id of removed) this.#socket?.forget(id);
      this.#socket?.setRuntimes(ids);
      this.#health.changed();
    });
    this.#loops.signal.addEventListener("abort", unsubscribe, { once: true });
    this.#socket.setRuntimes(this.#registry.announcedIds());
  }

  #wakeTargets(): ConstructorParameters<typeof WakeRouter>[0] {
    return {
      wakePollers: (id) => this.#claims?.wake(id),
      answer: (id, answer) => this.#actions.dispatch(id, answer),
      gone: (id) => this.#gone(id),
      beat: (ids) => this.#heartbeats?.beatNow(ids),
      syncWorkspaces: (pushed) => {
        if (pushed) this.#sync.sawPush();
        this.#sync.request();
      },
      refreshProfiles: (id) =>
        this.#loops.spawn("profile refresh", (signal) => this.#registrar.refresh(id, signal)),
      recheckTasks: () => this.#requests.spawn("recheck", () => this.#tasks.runner.recheck()),
      kickOutbox: () => this.#tasks.outbox.kick(),
      unauthorized: () => this.#unauthorized(),
    };
  }

  #gone(runtimeId: string): void {
    this.#root.spawn("runtime gone", (signal) => this.#registrar.gone(runtimeId, signal));
  }

  #unauthorized(): void {
    this.#gate.pause("unauthorized", "the server refuses the token; log in again");
  }

  #authorized(): void {
    this.#gate.resume("unauthorized");
  }

  /** A task was claimed: counted before anything else, then run in the background with its slot. */
  #take(task: ClaimedTask, slot: Slot): void {
    if (this.#registry.runtime(task.runtime_id) === undefined) {
      slot.release();
      const why = "runtime went offline before the task started";
      return this.#tasks.runner.refuse(task, { provider: "" }, why, "runtime_offline");
    }
    slot.occupy();
    this.#gate.taskStarted();
    this.#repos.allow(task.workspace_id, task.repos.map(({ url }) => url));
    this.#health.changed();
    const target = this.#target(task.runtime_id);
    this.#running.spawn(`task ${task.id}`, async (signal) => {
      try {
        const { reason } = await this.#tasks.runner.run(task, await this.#present(target), slot, signal);
        // The program may have moved under its path (an upgrade by a version manager): look again.
        if (reason === "agent_error.runtime_missing_executable") this.#discovery?.request();
      } finally {
        slot.release();
        this.#gate.taskEnded();
        this.#health.changed();
        // Its agent may take the next one now, and not every server says so (spec 01 §11.2).
        this.#claims?.wake(task.runtime_id);
      }
    });
  }

  /** The target as it can be started now: its program may have moved under its path. */
  async #present(target: LaunchTarget): Promise<LaunchTarget> {
    if (target.executable === "" || target.profileId !== "") return target;
    try {
      const answer = await this.ports.call("agent.present", { path: target.executable });
      if ("version" in answer) return { ...target, version: answer.version || target.version };
      log.warn("agent program is gone", { provider: target.provider, problem: answer.problem });
    } catch (error) {
      log.warn("agent program not looked at", { provider: target.provider, error: errorText(error) });
    }
    return target;
  }

  #target(runtimeId: string): LaunchTarget {
    return this.#registry.launchTarget(runtimeId, (provider) => this.#inventory.builtin(provider));
  }

  #hasRunning(runtimeId: string): boolean {
    return this.#tasks.runner.hasRuntime(runtimeId);
  }

  /** Old results get their say before orphans are recovered, but never hold the host up for long. */
  async #settled(signal: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    const replayed = this.#replayed.catch(() => {}); // logged where it began
    await settleWithin(clock, SETTLE_MS, "journal replay", replayed, signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
      log.info(
        "results of an earlier run are still waiting for the server; going on without orphan recovery",
      );
    });
  }

  /** Why nothing is claimed, as it was last told; "" while claims are allowed. */
  #pausedFor = "";

  /** The gate also speaks after every claim that left it idle: nothing of that is seen outside. */
  #gateChanged(): void {
    const { why } = this.#gate;
    if (why !== this.#pausedFor) this.#health.changed();
    this.#pausedFor = why;
    this.#reloadIfIdle();
  }

  #wantReload(why: string): void {
    this.#reloadWhy = why;
    this.#reloadIfIdle();
  }

  /** New executables need new rights, and rights come only with a new engine: when nothing would be disturbed. */
  #reloadIfIdle(): void {
    if (this.#reloadWhy === "" || this.#stage !== "running") return;
    if (!this.#gate.trySet("reload", `${this.#reloadWhy}; the engine is being replaced`)) return;
    log.info("engine is replaced to take up new executables", { why: this.#reloadWhy });
    this.ports.requestReload();
  }

  async #drain(drainMs: number): Promise<void> {
    const { clock } = this.ports;
    this.#stage = "stopping";
    this.#gate.pause("draining", "the host is stopping");
    this.ports.reportState("stopping", `waiting for ${this.#gate.active} running tasks`);
    this.#health.now();
    await this.#loops.close();
    const idle = Promise.all([this.#requests.join(), this.#running.join()]);
    await settleWithin(clock, drainMs, "drain", idle).catch(() =>
      log.warn("running tasks are stopped", { active: this.#gate.active })
    );
    await this.#running.close(new HostError("the host is shutting down", { code: "host_shutdown" }));
    await settleWithin(clock, FLUSH_MS, "last reports", this.#tasks.outbox.resting()).catch(() =>
      log.warn("reports wait in the journal for the next start")
    );
    await this.#deregister();
  }

  async #deregister(): Promise<void> {
    const ids = this.#registry.runtimeIds();
    if (ids.length === 0 || !this.#reached) return;
    try {
      const reasons = Object.fromEntries(ids.map((id) => [id, HOST_STOPPED]));
      await this.#control.deregister(ids, { limitMs: DEREGISTER_MS, reasons });
      log.info("runtimes deregistered", { count: ids.length });
    } catch (error) {
      log.warn("deregistration failed", { error: errorText(error) });
    }
  }

  async #close(): Promise<void> {
    await this.#root.close();
    this.#health.close();
    this.#tasks?.close();
    this.#control.close();
  }

  #snapshot(): HealthSnapshot {
    return snapshotOf({
      stage: this.#stage,
      active: this.#tasks?.runner.active() ?? [],
      activeCount: this.#gate?.active ?? 0,
      registry: this.#registry,
      inventory: this.#inventory,
      slots: this.#slots,
      paused: this.#gate?.why ?? "the host is starting",
      unjoined: this.#sync?.unjoined ?? "",
      trouble: this.#trouble.sentence(this.#registry.runtimeIds().length) || this.#heartbeats?.trouble() ||
        "",
      sentences: this.#status?.all() ?? {},
      reports: this.#tasks?.outbox.status().sentence ?? "",
      reload: this.#reloadWhy,
    });
  }
}
