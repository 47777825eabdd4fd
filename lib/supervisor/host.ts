/** One host from bound port to closed port: the order of spec 03 §7.4 and §7.5. */
import { isAbsolute } from "node:path";
import { type ApiServer, bindApi, type HealthSnapshot, STARTING, writeCredential } from "../api/mod.ts";
import { type HostConfig, multicaDir } from "../config/mod.ts";
import {
  type Child,
  type Clock,
  DirectProcessControl,
  errorFromFailure,
  getLog,
  HostError,
  launch,
  type LaunchSpec,
  liesOnLocalFileSystem,
  type Random,
  sleep,
} from "../core/mod.ts";
import { AgentDiscovery, type DiscoverableAgent, type LocateContext } from "../runtimes/finding/mod.ts";
import { AgentsState } from "./agents_state.ts";
import { Broker } from "./broker.ts";
import { CheckoutRelay } from "./checkout_relay.ts";
import { makeTempBase, prepareDirectories, removeTempBase, writePidFile } from "./directories.ts";
import { DirectoryLocks } from "./directory_locks.ts";
import { EngineHost, type HostEnd } from "./engine_host.ts";
import { emitRecords } from "./engine_log.ts";
import type { StartThread } from "./engine_thread.ts";
import { GroupLedger } from "./group_ledger.ts";
import type { EngineBoot, FromEngine, ToEngine } from "./protocol.ts";
import { Launchers } from "./launchers.ts";
import { workerPermissions } from "./rights.ts";
import type { ListenSignals } from "./signals.ts";
import { watchToken } from "./token_watch.ts";

const log = getLog("supervisor");

/** Probes wait for a running engine no longer than this: it may be waiting for its server. */
const PROBES_AT_LATEST_MS = 2_000;

/** What a host stands on; tests hand in their own. */
export interface HostPorts {
  readonly config: HostConfig;
  readonly catalog: readonly DiscoverableAgent[];
  readonly clock: Clock;
  readonly random: Random;
  readonly startThread: StartThread;
  readonly signals: ListenSignals;
  readonly processes: DirectProcessControl;
  /** The token comes from the profile's file, and a new one there is taken over. @default false */
  readonly watchesToken?: boolean;
  /** Puts on disk what agents need, once this host owns the profile and before the engine starts. */
  readonly install?: () => Promise<void>;
  /** Hears a new token before anything else does, so that it is never written anywhere. */
  readonly onToken?: (token: string) => void;
  /** Hears when the port is bound and the engine is on its way. */
  readonly onStarted?: (host: { readonly port: number; readonly credential: string }) => void;
  /** Hears, once, that tasks are taken. */
  readonly onReady?: () => void;
}

/** The host cannot log in: there is no token in the profile. */
export class TokenMissing extends HostError {
  constructor(profile: string) {
    const name = profile === "" ? "the default profile" : `profile "${profile}"`;
    super(`Cannot start ${name}: it is not logged in`, {
      code: "profile_token_missing",
      exitCode: 3,
      hint: `multica-host login${profile === "" ? "" : ` --profile ${profile}`}`,
    });
  }
}

/** Runs until the host has ended. @throws {HostError} when it cannot start or the engine ended with an error. */
export async function runOnPorts(ports: HostPorts): Promise<number> {
  const host = new Host(ports);
  const end = await host.run();
  if (end.error) throw errorFromFailure(end.error);
  return end.exitCode;
}

/** Steps that undo the start, last first. */
type Undo = (() => Promise<unknown> | void)[];

/** What runs the engine. */
interface Parts {
  readonly state: AgentsState;
  /** Processes of the probes. */
  readonly probes: DirectProcessControl;
  readonly engine: EngineHost;
}

class Host {
  #credential = "";
  #launchers: Launchers | undefined;
  #health: HealthSnapshot = STARTING;
  #engine: EngineHost | undefined;
  #stopping = false;
  #token: string;
  readonly #ledger: GroupLedger;
  readonly #directories: DirectoryLocks;
  readonly #relay = new CheckoutRelay((message) => this.#toEngine(message));
  readonly #abort = new AbortController();
  readonly #engineUp = Promise.withResolvers<void>();

  constructor(private readonly ports: HostPorts) {
    const { config, processes } = ports;
    this.#token = config.token;
    this.#directories = new DirectoryLocks(`${multicaDir(config.paths.home)}/directory_locks`);
    this.#ledger = new GroupLedger(`${config.paths.stateDir}/process_groups`, () => processes.groups());
  }

  async run(): Promise<HostEnd> {
    const { config } = this.ports;
    const api = await this.#bind();
    const undo: Undo = [() => api.close(), () => this.#directories.close()];
    try {
      if (config.token === "") throw new TokenMissing(config.profile);
      await prepareDirectories(config.paths);
      const tempBase = await this.#tempBase(undo);
      if (Launchers.supported()) this.#launchers = new Launchers(await this.#tempBase(undo, "launch_base"));
      const parts = this.#parts(tempBase);
      // Its thread loads while the rest is made ready.
      parts.engine.warm();
      undo.push(() => parts.engine.abandon());
      await this.#makeReady(undo);
      const end = await this.#runEngine(parts, api.port);
      if (this.ports.processes.groups().length === 0) this.#ledger.clear();
      return end;
    } finally {
      this.#abort.abort();
      for (const step of undo.reverse()) await step();
    }
  }

  async #tempBase(undo: Undo, noteName?: string): Promise<string> {
    const base = await makeTempBase(this.ports.config.paths.stateDir, noteName);
    undo.push(() => removeTempBase(base));
    return base;
  }

  /** What must be there before an engine runs, besides its directories. */
  async #makeReady(undo: Undo): Promise<void> {
    const { config, install, processes } = this.ports;
    const { pidFile, credentialFile } = config.paths;
    await install?.();
    undo.push(await writePidFile(pidFile, Deno.pid));
    this.#credential = await writeCredential(credentialFile);
    undo.push(() => Deno.remove(credentialFile).catch(() => {})); // gone already is as good
    if (this.#launchers !== undefined && !await this.#launchers.works()) this.#launchers = undefined;
    await this.#ledger.endLeftovers(processes);
  }

  #bind(): Promise<ApiServer> {
    const { config, clock } = this.ports;
    const credential = () => this.#credential;
    return bindApi({
      port: config.healthPort,
      identity: {
        pid: Deno.pid,
        os: Deno.build.os,
        daemon_id: config.daemonId,
        device_name: config.deviceName,
        server_url: config.serverUrl,
        cli_version: config.version,
        profile: config.profile,
        ...(config.launchedBy === "" ? {} : { launched_by: config.launchedBy }),
      },
      snapshot: () => this.#snapshot(),
      get credential() {
        return credential();
      },
      onShutdown: () => this.#stop("local API"),
      checkout: this.#relay.handler,
      clock,
    });
  }

  #parts(tempBase: string): Parts {
    const { config, clock, random, startThread, processes } = this.ports;
    const context: LocateContext = { env: config.inheritedEnv, home: config.paths.home, os: Deno.build.os };
    const probes = new DirectProcessControl(clock);
    const discovery = new AgentDiscovery({
      ...context,
      catalog: this.ports.catalog,
      overrides: config.agentPaths,
      cacheFile: `${config.paths.stateDir}/agents_cache.json`,
      clock,
      launch: (spec) => this.#start(spec),
      processes: probes,
    });
    const state = new AgentsState({
      config,
      catalog: this.ports.catalog,
      discovery,
      context,
      tempBase,
      launchers: () => this.#launchers,
      onChange: (agents) => this.#toEngine({ t: "agents", agents }),
    });
    const broker = this.#broker(state, discovery, context, tempBase);
    const engine = new EngineHost({
      clock,
      random,
      startThread,
      grant: () => workerPermissions(state.grant()),
      boot: (restarts) => this.#boot(state, tempBase, restarts),
      onMessage: (message, reply) => this.#heard(message, reply, broker),
      onGone: () => {
        broker.reset();
        this.#relay.reset();
      },
      endTrees: (graceMs) => processes.endAll({ graceMs }),
    });
    return { state, probes, engine };
  }

  /** A probe: by a start program where there are some, which know absolute paths only. */
  #start(spec: LaunchSpec): Child {
    const launchers = isAbsolute(spec.executable) ? this.#launchers : undefined;
    return launchers?.launch(spec) ?? launch(spec);
  }

  async #runEngine({ state, probes, engine }: Parts, port: number): Promise<HostEnd> {
    const { config } = this.ports;
    if (this.#stopping) return { exitCode: 0 };
    this.#engine = engine;
    const unlisten = this.ports.signals((signal) => this.#signalled(signal));
    try {
      engine.start();
      log.info("host started", { pid: Deno.pid, port, profile: config.profile, version: config.version });
      this.ports.onStarted?.({ port, credential: this.#credential });
      this.#engineUp.promise.then(() => this.ports.onReady?.());
      const beside = Promise.all([this.#probe(state), this.#watchToken()]);
      const end = await engine.ended;
      this.#abort.abort();
      await probes.endAll({ graceMs: 0 });
      await beside;
      return end;
    } finally {
      unlisten();
      this.#relay.reset();
    }
  }

  /**
   * Probes every agent once: at once while some version is unknown, else after the engine is up, so that a start does not
   * share the processor with a dozen CLIs whose versions are remembered.
   */
  async #probe(state: AgentsState): Promise<void> {
    const known = state.found.every((agent) => agent.version !== "");
    const late = sleep(this.ports.clock, PROBES_AT_LATEST_MS, this.#abort.signal).catch(() => {}); // the host ends
    if (known) await Promise.race([this.#engineUp.promise, late]);
    if (!this.#abort.signal.aborted) await state.rediscover(this.#abort.signal);
  }

  /** A new login reaches the running engine, and every later one. */
  async #watchToken(): Promise<void> {
    const { config, clock, watchesToken } = this.ports;
    if (watchesToken !== true) return;
    await watchToken({
      clock,
      file: config.paths.configFile,
      token: config.token,
      signal: this.#abort.signal,
      onToken: (token) => {
        this.ports.onToken?.(token);
        this.#token = token;
        this.#toEngine({ t: "token", token });
      },
    });
  }

  #broker(
    state: AgentsState,
    discovery: AgentDiscovery,
    context: LocateContext,
    tempBase: string,
  ): Broker {
    const { config, processes } = this.ports;
    const { workspacesRoot, stateDir, shimDir, home } = config.paths;
    return new Broker({
      processes,
      discovery,
      rediscover: () => state.rediscover(this.#abort.signal),
      present: (path) => state.present(path, this.#abort.signal),
      executables: () => ({
        ...context,
        overrides: config.profileCommandOverrides,
        allowCommands: config.allowCommands,
      }),
      agents: () => state.agents,
      links: () => ({
        places: [workspacesRoot, tempBase, shimDir],
        targets: state.homes,
      }),
      local: { home, os: Deno.build.os, own: [workspacesRoot, stateDir, tempBase] },
      directories: this.#directories,
      adopt: (path) => state.adopt(path),
    });
  }

  #boot(state: AgentsState, tempBase: string, restarts: number): EngineBoot {
    return {
      config: { ...this.ports.config, token: this.#token },
      agents: state.agents,
      executables: state.granted,
      restarts,
      tempBase,
      localFiles: [this.ports.config.paths.workspacesRoot, tempBase].every((path) =>
        liesOnLocalFileSystem(path)
      ),
      launchers: state.launchers(),
      shims: state.shims(),
    };
  }

  #heard(message: FromEngine, reply: (message: ToEngine) => void, broker: Broker): void {
    switch (message.t) {
      case "call": {
        const { id } = message;
        broker.answer(message.name, message.arg).then((outcome) => reply({ t: "answer", id, ...outcome }));
        return;
      }
      case "group":
        if (broker.announced(message.group)) this.#ledger.add(message.group);
        return;
      case "log":
        return emitRecords(message.records);
      case "health":
        this.#health = message.health as HealthSnapshot;
        return;
      case "checkout":
        return this.#relay.answered(message.id, message.answer);
      case "shutdown":
        return this.#stop("engine");
      case "state":
        if (message.state === "running") this.#engineUp.resolve();
    }
  }

  #toEngine(message: ToEngine): boolean {
    const engine = this.#engine;
    if (engine === undefined || engine.life === "restarting" || engine.life === "ended") return false;
    engine.send(message);
    return true;
  }

  #snapshot(): HealthSnapshot {
    const engine = { state: this.#engine?.life ?? "starting", restarts: this.#engine?.restarts ?? 0 };
    const { status, claiming, ...health } = this.#health;
    return this.#stopping
      ? { status: "stopping", ...health, claiming: { state: "paused", why: "the host is stopping" }, engine }
      : { status, ...health, claiming, engine };
  }

  #signalled(signal: string): void {
    if (this.#stopping) {
      log.warn("second signal: stopping at once", { signal });
      this.#engine?.force();
      return;
    }
    this.#stop(signal);
  }

  #stop(asked: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    log.info("shutting down", { by: asked, drainTimeoutMs: this.ports.config.drainTimeoutMs });
    this.#engine?.drain(this.ports.config.drainTimeoutMs);
  }
}
