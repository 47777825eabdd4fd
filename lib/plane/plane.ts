/** The embedded control plane as one object: database, HTTP and WebSocket server, faults, waiting, administration. */
import { type Clock, HostError, systemClock, type Timer } from "../core/mod.ts";
import { PlaneAdmin } from "./admin.ts";
import type { Synchronous } from "./db.ts";
import { Faults } from "./faults.ts";
import { Gate } from "./gate.ts";
import type { Hub } from "./hub.ts";
import { type RecordedRequest, Recorder, waitOn } from "./recorder.ts";
import type { FeatureFlags } from "./routes_daemon.ts";
import { PlaneServer, type SpecialRoute } from "./server.ts";
import { Store } from "./store.ts";
import { sweep, SWEEP_MS } from "./sweeper.ts";
import type { TaskView } from "./task_view.ts";
import { createUser, mintToken } from "./tokens.ts";
import type { Era, PlaneEvent } from "./types.ts";

/** See {@link Plane.open}. */
export interface PlaneOptions {
  /** SQLite file. @default ":memory:" */
  readonly path?: string;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** @default "baseline" */
  readonly era?: Era;
  /** Port on 127.0.0.1. @default 0 = any */
  readonly port?: number;
  /** Commit durability. @default "NORMAL" */
  readonly synchronous?: Synchronous;
  /** Keep every request for inspection. @default true */
  readonly record?: boolean;
  /** Put the TCP gate in front, for resets, half-open sockets and refused connections. @default false */
  readonly gate?: boolean;
  /** Run the sweeper every 30 s of the clock. @default true */
  readonly sweeper?: boolean;
  /** Flags in baseline heartbeat answers. */
  readonly featureFlags?: FeatureFlags;
  /** Name of the default user. @default "Local" */
  readonly userName?: string;
  readonly userEmail?: string;
  /** The default user's token; minted when absent. */
  readonly token?: string;
  /** More routes, made for this plane; see `local_routes.ts`. */
  readonly routes?: (plane: Plane) => readonly SpecialRoute[];
}

/** Another program listens on the plane's port. */
export class PlanePortBusy extends HostError {
  constructor(readonly port: number, cause: unknown) {
    super(`Cannot serve the control plane on 127.0.0.1:${port}: the port is in use`, {
      code: "plane_port_busy",
      hint: "choose another port, or end the program that listens there",
      cause,
      facts: { port },
    });
  }
}

/** A running plane. Close it. */
export class Plane extends PlaneAdmin {
  /** A `mul_` token of the default user. */
  readonly token: string;
  readonly faults: Faults;
  readonly recorder: Recorder;
  readonly hub: Hub;
  /** May be changed at any time. */
  featureFlags: FeatureFlags | undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #gate: Gate | undefined;
  readonly #stop = new AbortController();
  #sweepTimer: Timer | undefined;
  #closed: Promise<void> | undefined;

  private constructor(store: Store, who: { userId: string; token: string }, options: PlaneOptions) {
    super(store, who.userId);
    this.token = who.token;
    this.featureFlags = options.featureFlags;
    this.faults = new Faults();
    this.recorder = new Recorder(options.record ?? true);
    const server = new PlaneServer({
      store,
      faults: this.faults,
      recorder: this.recorder,
      featureFlags: () => this.featureFlags,
      reset: (backPort) => this.#reset(backPort),
      special: options.routes?.(this) ?? [],
    });
    this.hub = server.hub;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: options.gate === true ? 0 : options.port ?? 0,
      signal: this.#stop.signal,
      onListen: () => {},
    }, (request, info) => server.handle(request, info));
    this.faults.onRefuse = (refuse) => this.#gate?.refuse(refuse) ?? Promise.resolve();
    if (options.sweeper !== false) this.#armSweeper();
  }

  /** Opens the database, makes the default user, and listens. @throws {PlanePortBusy} */
  static async open(options: PlaneOptions = {}): Promise<Plane> {
    if (options.path !== undefined && options.path !== ":memory:") makePrivate(options.path);
    const store = new Store({
      path: options.path ?? ":memory:",
      clock: options.clock ?? systemClock,
      era: options.era ?? "baseline",
      ...(options.synchronous === undefined ? {} : { synchronous: options.synchronous }),
    });
    const who = store.db.tx(() => defaultUser(store, options));
    const port = options.port ?? 0;
    let plane: Plane | undefined;
    try {
      plane = new Plane(store, who, options);
      if (options.gate === true) plane.#gate = await Gate.open({ targetPort: plane.port, port });
      return plane;
    } catch (error) {
      if (plane === undefined) store.db.close();
      else await plane.close();
      throw isBusy(error) ? new PlanePortBusy(port, error) : error;
    }
  }

  /** Public port on 127.0.0.1. */
  get port(): number {
    return this.#gate?.port ?? this.#server.addr.port;
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Every request so far (needs `record`). */
  requests(filter?: string | ((entry: RecordedRequest) => boolean)): RecordedRequest[] {
    return this.recorder.requests(filter);
  }

  /** Resolves with the first event from now on that fits. */
  waitForEvent(predicate: (event: PlaneEvent) => boolean, signal?: AbortSignal): Promise<PlaneEvent> {
    return waitOn(this.store.events, predicate, signal);
  }

  /** Resolves with the first request, past or future, that fits (needs `record`). */
  waitForRequest(
    predicate: (entry: RecordedRequest) => boolean,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): Promise<RecordedRequest> {
    return this.recorder.waitFor(predicate, options);
  }

  /** Resolves once `fact` is true; looked at now and after every event. */
  async until<T>(fact: () => T | undefined | false, signal?: AbortSignal): Promise<T> {
    let found = fact();
    while (found === undefined || found === false) {
      let value: T | undefined | false;
      await waitOn(this.store.events, () => {
        value = fact();
        return value !== undefined && value !== false;
      }, signal);
      found = value;
    }
    return found;
  }

  /** Resolves with the task once it is in one of these states. */
  taskState(id: string, states: string | readonly string[], signal?: AbortSignal): Promise<TaskView> {
    const wanted = typeof states === "string" ? [states] : states;
    return this.until(() => {
      const task = this.task(id);
      return task !== undefined && wanted.includes(task.status) && task;
    }, signal);
  }

  /** Freezes the present sockets (`all`: every present connection): they look open and carry nothing. */
  halfOpen(options: { readonly all?: boolean } = {}): void {
    for (const port of this.hub.freeze()) this.#gate?.freeze(port);
    if (options.all === true) this.#gate?.freezeAll();
  }

  /** Stops everything; idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#sweepTimer?.cancel();
    this.faults.clear();
    this.hub.closeAll();
    this.#stop.abort();
    await this.#gate?.close();
    await this.#server.finished;
    this.store.db.close();
  }

  #reset(backPort: number): boolean {
    this.#gate?.reset(backPort);
    return this.#gate !== undefined;
  }

  #armSweeper(): void {
    this.#sweepTimer = this.store.clock.timer(SWEEP_MS, () => {
      sweep(this.store);
      this.#armSweeper();
    });
  }
}

function defaultUser(store: Store, options: PlaneOptions): { userId: string; token: string } {
  const known = store.db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'default_user'")?.value;
  const userId = known ??
    createUser(store, { name: options.userName ?? "Local", email: options.userEmail ?? "" });
  if (known === undefined) store.db.run("INSERT INTO meta (key, value) VALUES ('default_user', ?)", userId);
  return { userId, token: mintToken(store, "mul", { userId }, options.token) };
}

function isBusy(error: unknown): boolean {
  return error instanceof Deno.errors.AddrInUse ||
    (error as { code?: unknown } | null)?.code === "EADDRINUSE";
}

/** Creates the database file for its owner alone; SQLite gives its side files the same mode. */
function makePrivate(path: string): void {
  Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
}
