/** The engine's life: started, watched, restarted when it hangs or dies, replaced for new rights, drained, ended (f21). */
import { Backoff, type Clock, errorText, getLog, type Random, type Timer } from "../core/mod.ts";
import type { EngineThread, StartThread } from "./engine_thread.ts";
import { Pulse } from "./pulse.ts";
import type { EngineBoot, EngineFailure, FromEngine, ToEngine } from "./protocol.ts";

const log = getLog("supervisor", "engine");

const FIRST_RESTART_MS = 500;
const MAX_RESTART_MS = 60_000;
/** An engine that lived this long was well: the next restart waits the shortest time again. */
const WELL_MS = 60_000;
/** Beyond the drain's own time: polite stops, reports, deregistering. */
const DRAIN_SLACK_MS = 30_000;
/** Trees of a dead engine get this long between TERM and KILL. */
const ORPHAN_GRACE_MS = 2_000;

/** This many engines in a row that never got to run: an internal fault, and exit code 70 (guides: exit codes). */
const HOPELESS = 8;
const INTERNAL_FAULT = 70;

/** How the host's run ended. */
export interface HostEnd {
  readonly exitCode: number;
  readonly error?: EngineFailure;
}

/** Where the engine stands, for `/health`. */
export type EngineLife = "starting" | "running" | "restarting" | "draining" | "ended";

export interface EngineHostPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly startThread: StartThread;
  /** Rights of the next engine, from what is known now. */
  readonly grant: () => Deno.PermissionOptionsObject;
  /** First message to the engine that was granted rights last. */
  readonly boot: (restarts: number) => EngineBoot;
  /** Everything but what concerns the engine's life itself. */
  readonly onMessage: (message: FromEngine, reply: (message: ToEngine) => void) => void;
  /** The engine is gone: nothing it was asked will be answered any more. */
  readonly onGone: () => void;
  /** Ends every process tree the engine had registered; true when all are proven empty. */
  readonly endTrees: (graceMs: number) => Promise<boolean>;
}

/** Owner of the one engine. */
export class EngineHost {
  readonly #ended = Promise.withResolvers<HostEnd>();
  readonly #backoff: Backoff;
  #life: EngineLife = "starting";
  #thread: EngineThread | undefined;
  #pulse: Pulse | undefined;
  #restarts = 0;
  #startedAt = 0;
  #restartTimer: Timer | undefined;
  #drainTimer: Timer | undefined;
  #closing = false;
  #stillborn = 0;
  /** Why the thread failed before its engine was started; undefined while it is well. */
  #fault: string | undefined;

  constructor(private readonly ports: EngineHostPorts) {
    this.#backoff = new Backoff(FIRST_RESTART_MS, MAX_RESTART_MS, ports.random);
  }

  /** Settles once, after the last process tree is proven empty (or could not be ended, which is logged). */
  get ended(): Promise<HostEnd> {
    return this.#ended.promise;
  }

  get life(): EngineLife {
    return this.#life;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Starts the first engine's thread: it loads its program and waits, while the host makes ready what the engine needs. */
  warm(): void {
    this.#begin();
  }

  /** Starts the first engine. */
  start(): void {
    this.#launch();
  }

  /** Ends a warm thread whose engine will not be started. */
  abandon(): void {
    this.#drop();
  }

  /** Passes a message to the engine, if there is one. */
  send(message: ToEngine): void {
    this.#thread?.post(message);
  }

  /** No new claims; what runs gets `timeoutMs`. Idempotent. */
  drain(timeoutMs: number): void {
    if (this.#closing || this.#life === "draining") return;
    this.#life = "draining";
    this.#restartTimer?.cancel();
    if (!this.#thread) return void this.#close({ exitCode: 0 });
    log.info("draining", { timeoutMs });
    this.#thread.post({ t: "drain", timeoutMs });
    this.#drainTimer = this.ports.clock.timer(timeoutMs + DRAIN_SLACK_MS, () => {
      log.error("the engine did not end in its time", { timeoutMs });
      this.force();
    });
  }

  /** Ends everything now: all trees are killed, and proven empty before {@link ended} settles. Idempotent. */
  force(): void {
    if (this.#closing) return;
    log.warn("forced to stop");
    this.#thread?.post({ t: "force" });
    this.#close({ exitCode: 1 });
  }

  #begin(): EngineThread {
    const { startThread, grant } = this.ports;
    this.#fault = undefined;
    const thread = startThread(grant(), {
      onMessage: (message) => this.#thread === thread && this.#heard(thread, message),
      onFault: (reason) => this.#thread === thread && this.#faulted(reason),
    });
    return this.#thread = thread;
  }

  #launch(): void {
    const thread = this.#thread ?? this.#begin();
    this.#startedAt = this.ports.clock.monotonic();
    this.#pulse = new Pulse({
      clock: this.ports.clock,
      ping: (id) => thread.post({ t: "ping", id, at: this.ports.clock.now() }),
      onHung: (silentMs) => this.#failed(`hung: no answer for ${Math.round(silentMs / 1000)} s`),
    });
    if (this.#fault !== undefined) return void this.#failed(this.#fault);
    thread.post({ t: "start", boot: this.ports.boot(this.#restarts) });
    this.#pulse.start();
  }

  /** A thread that fails while it is warm fails when its engine is to start. */
  #faulted(reason: string): void {
    if (this.#pulse === undefined) this.#fault = reason;
    else this.#failed(reason);
  }

  #heard(thread: EngineThread, message: FromEngine): void {
    this.#pulse?.heard();
    switch (message.t) {
      case "pong":
        if (message.lagMs > 1_000) log.warn("the engine's loop was late", { lagMs: message.lagMs });
        return;
      case "stopped":
        return void this.#close(
          message.error === undefined
            ? { exitCode: message.exitCode }
            : { exitCode: message.exitCode, error: message.error },
        );
      case "fault":
        return void this.#failed(message.reason, { standing: true });
      case "reload":
        return void this.#replace();
      case "state":
        if (message.state === "running") this.#stillborn = 0;
        if (message.state === "running" && this.#life === "starting") this.#life = "running";
        log.debug("engine state", { state: message.state, detail: message.detail });
    }
    this.ports.onMessage(message, (reply) => this.#thread === thread && thread.post(reply));
  }

  /** New rights for an engine that runs nothing: no back-off, and not counted as a restart. */
  async #replace(): Promise<void> {
    if (this.#closing || this.#life === "draining") return;
    log.info("replacing the engine", { reason: "new rights" });
    this.#drop();
    this.#life = "starting";
    await this.#endTrees(ORPHAN_GRACE_MS);
    if (this.#life === "starting" && !this.#closing) this.#launch();
    else this.#close({ exitCode: 0 });
  }

  /**
   * A thread that stands still after its fault is ended when its agents have had their grace: they end with it. One that
   * hangs is ended first, for it may wake up; its agents live until it does.
   */
  async #failed(reason: string, { standing = false } = {}): Promise<void> {
    const draining = this.#life === "draining";
    log.error("the engine failed", { reason, restarts: this.#restarts });
    const lived = this.ports.clock.monotonic() - this.#startedAt;
    const end = this.#detach();
    if (!standing) end();
    if (!draining) {
      this.#life = "restarting";
      this.#restarts++;
    }
    await this.#endTrees(ORPHAN_GRACE_MS);
    if (standing) end();
    if (draining) return void this.#close({ exitCode: 1 });
    if (++this.#stillborn >= HOPELESS) return void this.#close(hopeless(reason));
    if (this.#life !== "restarting" || this.#closing) return void this.#close({ exitCode: 1 });
    if (lived >= WELL_MS) this.#backoff.reset();
    const delayMs = this.#backoff.next();
    log.info("the engine is started again", { delayMs: Math.round(delayMs), restarts: this.#restarts });
    this.#restartTimer = this.ports.clock.timer(delayMs, () => {
      this.#life = "starting";
      this.#launch();
    });
  }

  #drop(): void {
    this.#detach()();
  }

  /** Nothing is heard of the engine any more; the returned function ends its thread. */
  #detach(): () => void {
    const thread = this.#thread;
    this.#pulse?.stop();
    this.#pulse = undefined;
    this.#thread = undefined;
    this.ports.onGone();
    return () => thread?.terminate();
  }

  async #close(end: HostEnd): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#restartTimer?.cancel();
    this.#drainTimer?.cancel();
    this.#drop();
    await this.#endTrees(0);
    this.#life = "ended";
    this.#ended.resolve(end);
  }

  async #endTrees(graceMs: number): Promise<void> {
    try {
      if (!await this.ports.endTrees(graceMs)) log.error("some process trees could not be ended");
    } catch (error) {
      log.error("process trees could not be ended", { error: errorText(error) });
    }
  }
}

function hopeless(reason: string): HostEnd {
  const error = {
    message: `The engine failed ${HOPELESS} times before it ran: ${reason}`,
    code: "engine_does_not_start",
    exitCode: INTERNAL_FAULT,
    hint: "multica-host logs",
  };
  return { exitCode: INTERNAL_FAULT, error };
}
