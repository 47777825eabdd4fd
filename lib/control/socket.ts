/** The socket to the server: always one, covering all runtimes, dialled again for ever (spec 02 §6, 17). */
import {
  Backoff,
  type Clock,
  errorText,
  getLog,
  Notice,
  type Random,
  type Scope,
  sleep,
  waitAtMost,
} from "../core/mod.ts";
import { Freshness } from "./freshness.ts";
import type { ServerFrame } from "./frames.ts";
import { clientHeaders, SOCKET_CAPABILITIES } from "./identity_headers.ts";
import { type ConnectionEnd, SocketConnection } from "./socket_connection.ts";
import { claimOverSocket, type SocketClaim, type SocketClaimRequest } from "./socket_claim.ts";
import { socketUrl } from "./socket_url.ts";
import type { HeartbeatAnswer } from "./types.ts";

const log = getLog("control", "socket");

/** What the socket tells. Calls come from its reader: they must return at once. */
export interface SocketListener {
  /** Open: look at everything now, work may have come meanwhile. */
  connected(runtimeIds: readonly string[]): void;
  /** A connection that was open is gone. */
  disconnected(reason: string): void;
  /** An ack with a runtime id, `runtime_gone` included. */
  ack(answer: HeartbeatAnswer): void;
  /** "" = all runtimes. */
  taskAvailable(runtimeId: string): void;
  profilesChanged(workspaceId: string): void;
  workspacesChanged(): void;
  pendingWork(runtimeId: string, kind: string): void;
  /** The upgrade was refused with 401. */
  unauthorized(): void;
  /** The upgrade was refused with 404: one of the runtimes is gone; find it over HTTP now. */
  runtimesRefused(runtimeIds: readonly string[]): void;
  /** {@link ControlSocket.status} says something new. */
  said?(sentence: string): void;
}

/** What a {@link ControlSocket} is made of. */
export interface SocketOptions {
  readonly baseUrl: string;
  /** Read before each dial. */
  readonly token: () => string;
  /** Host version for the headers; "" = none. */
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly heartbeatIntervalMs: number;
  readonly listener: SocketListener;
  readonly scope: Scope;
}

/** States of the socket (spec 02 §6.1). */
export type SocketState = "IDLE" | "DIALLING" | "CONNECTED" | "BACKOFF" | "STOPPED";

const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;
/** A connection that lived this long proves the way is good. */
const GOOD_LIFE_MS = 10_000;
/** How long shutdown waits for the peer's close. */
const CLOSE_MS = 2_000;

/** Owns the connection, its back-off and the freshness marks. Starts with the first {@link setRuntimes}. */
export class ControlSocket {
  readonly #freshness: Freshness;
  readonly #changed = new Notice();
  readonly #unclosed = new Set<SocketConnection>();
  readonly #backoff: Backoff;
  #wanted: readonly string[] = [];
  #started = false;
  #state: SocketState = "IDLE";
  #sentence = "not started";
  #current: SocketConnection | undefined;
  #serverAcks = false;
  /** The server wants runtime ids; an empty set waits. */
  #emptyRefused = false;
  /** Status of the last refusal, so that one that goes on is logged once. */
  #refusedWith = 0;

  constructor(private readonly options: SocketOptions) {
    this.#freshness = new Freshness(options.clock, options.heartbeatIntervalMs);
    this.#backoff = new Backoff(BACKOFF_FIRST_MS, BACKOFF_MAX_MS, options.random);
  }

  /** The runtime set as it is now. The first call opens the socket; later ones dial anew only when the set differs. */
  setRuntimes(runtimeIds: readonly string[]): void {
    if (this.#started && sameSet(this.#wanted, runtimeIds)) return;
    this.#wanted = [...new Set(runtimeIds)];
    if (!this.#started) {
      this.#started = true;
      this.options.scope.spawn("socket", (signal) => this.#run(signal));
      return;
    }
    this.#changed.notify();
    this.#current?.end("set_changed", "the runtime set changed");
  }

  /** True when the runtime was acknowledged on the socket less than two intervals ago. */
  fresh(runtimeId: string): boolean {
    return this.#freshness.fresh(runtimeId);
  }

  /** Drops the mark of a pruned runtime. */
  forget(runtimeId: string): void {
    this.#freshness.forget(runtimeId);
  }

  /** Drops the connection, dead or not, and dials at once (after sleep, for instance). Also cuts a back-off short. */
  dropConnection(reason: string): void {
    this.#backoff.reset();
    this.#changed.notify();
    this.#current?.end("dropped", reason);
  }

  get state(): SocketState {
    return this.#state;
  }

  /** One sentence on what the socket does now. */
  status(): string {
    return this.#sentence;
  }

  /** Connections ended here whose peer has not let go. */
  get abandoned(): number {
    return this.#unclosed.size - (this.#current === undefined ? 0 : 1);
  }

  /** The open connection's server offered `rpc-v1` on it. */
  rpcAvailable(): boolean {
    return this.#current?.open === true && this.#current.rpcOffered;
  }

  /** Claims over the socket where the server offers it (spec 02 §17.7). Never throws. */
  claim(request: SocketClaimRequest, options: { readonly signal?: AbortSignal } = {}): Promise<SocketClaim> {
    const calls = this.#current?.rpcOffered ? this.#current.calls : undefined;
    if (calls === undefined) {
      return Promise.resolve({ kind: "unavailable", why: "the socket takes no claims" });
    }
    return claimOverSocket(calls, request, this.options.clock, options.signal);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#current?.end("stopped", "shutting down");
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) await this.#cycle(signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#say("STOPPED", "stopped");
      await this.#closeAll();
    }
  }

  async #cycle(signal: AbortSignal): Promise<void> {
    const ids = this.#wanted;
    this.#changed.take();
    if (ids.length === 0 && this.#emptyRefused) {
      this.#say("IDLE", "waiting for runtimes; the server takes no socket without them");
      return await this.#changed.wait(signal);
    }
    const end = await this.#connect(ids);
    if (signal.aborted) return;
    if (end.cause === "set_changed") return this.#backoff.reset();
    if (end.cause === "dropped") return;
    if (end.cause === "failed") this.#failed(end, ids);
    if (ids.length === 0 && end.status === 400) {
      this.#emptyRefused = true;
      return;
    }
    if (end.livedMs >= GOOD_LIFE_MS) this.#backoff.reset();
    const waitMs = this.#backoff.next();
    log.debug("socket ended", { cause: end.cause, why: end.why, lived_ms: end.livedMs, retry_ms: waitMs });
    this.#say("BACKOFF", `${describe(end)}; polling, next try in ${Math.ceil(waitMs / 1000)} s`);
    await waitAtMost(this.options.clock, this.#changed, waitMs, signal);
  }

  async #connect(ids: readonly string[]): Promise<ConnectionEnd> {
    const { baseUrl, token, version, clock, heartbeatIntervalMs, listener } = this.options;
    this.#say("DIALLING", `connecting for ${runtimes(ids)}`);
    const connection = new SocketConnection({
      url: () => socketUrl(baseUrl, ids),
      headers: clientHeaders({ version }, token(), SOCKET_CAPABILITIES),
      runtimeIds: ids,
      clock,
      intervalMs: heartbeatIntervalMs,
      serverAcks: () => this.#serverAcks,
      onOpen: () => {
        this.#emptyRefused = false;
        this.#refusedWith = 0;
        log.info("socket connected", { runtimes: ids.length });
        this.#say("CONNECTED", `connected for ${runtimes(ids)}`);
        this.#tell("connected", () => listener.connected(ids));
      },
      onFrame: (frame) => this.#frame(frame),
    });
    this.#current = connection;
    this.#unclosed.add(connection);
    connection.closed.then(() => this.#unclosed.delete(connection));
    const end = await connection.ended;
    this.#current = undefined;
    this.#freshness.clear();
    if (end.opened) {
      this.#tell("disconnected", () => listener.disconnected(end.why));
    }
    return end;
  }

  #failed(end: ConnectionEnd, ids: readonly string[]): void {
    const { listener } = this.options;
    const again = this.#refusedWith === end.status;
    this.#refusedWith = end.status;
    if (end.status === 401) {
      if (!again) log.warn("server refused the socket: the token is not accepted", { status: end.status });
      this.#tell("unauthorized", () => listener.unauthorized());
    } else if (end.status === 404) {
      if (!again) {
        log.info("server refused the socket: a runtime is gone or out of reach", { runtimes: ids.length });
      }
      this.#tell("runtimes refused", () => listener.runtimesRefused(ids));
    }
  }

  #frame(frame: ServerFrame): void {
    const { listener } = this.options;
    switch (frame.type) {
      case "ack":
        this.#serverAcks = true;
        if (frame.answer.runtime_gone) this.#freshness.forget(frame.answer.runtime_id);
        else this.#freshness.mark(frame.answer.runtime_id);
        return this.#tell("ack", () => listener.ack(frame.answer));
      case "task_available":
        return this.#tell("task available", () => listener.taskAvailable(frame.runtimeId));
      case "profiles_changed":
        return this.#tell("profiles changed", () => listener.profilesChanged(frame.workspaceId));
      case "workspaces_changed":
        return this.#tell("workspaces changed", () => listener.workspacesChanged());
      case "pending_work":
        return this.#tell("pending work", () => listener.pendingWork(frame.runtimeId, frame.kind));
      case "ignored":
        if (frame.why === "malformed") log.debug("frame dropped", { name: frame.name });
    }
  }

  /** A listener that throws must not end the reader. */
  #tell(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      log.error("socket listener failed", { what, error: errorText(error) });
    }
  }

  #say(state: SocketState, sentence: string): void {
    this.#state = state;
    if (this.#sentence === sentence) return;
    this.#sentence = sentence;
    this.#tell("status", () => this.options.listener.said?.(sentence));
  }

  async #closeAll(): Promise<void> {
    if (this.#unclosed.size === 0) return;
    const late = new AbortController();
    const all = Promise.all([...this.#unclosed].map((connection) => connection.closed));
    await Promise.race([all, sleep(this.options.clock, CLOSE_MS, late.signal).catch(() => {})]);
    late.abort();
  }
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(b);
  return new Set(a).size === set.size && a.every((id) => set.has(id));
}

function runtimes(ids: readonly string[]): string {
  return ids.length === 1 ? "1 runtime" : `${ids.length} runtimes`;
}

function describe({ cause, why, status }: ConnectionEnd): string {
  if (cause !== "failed") return `connection lost (${why})`;
  if (status === 401) return "refused: the token is not accepted";
  if (status === 404) return "refused: a runtime is gone";
  return status === 0 ? `cannot connect (${why})` : `the upgrade was refused with ${status}`;
}
