/** Counts what is under way between hosts and planes of this process, so that a clock moves only when all is quiet. */
import { setImmediate } from "node:timers";
import { type Clock, sleep } from "../../lib/core/mod.ts";
import { type Behaviour, Hold, type Plane } from "../../lib/plane/mod.ts";

const realFetch = globalThis.fetch;
const RealSocket = globalThis.WebSocket;

/**
 * Time after which something under way without progress counts as stuck (held, swallowed), ms of this process's own:
 * of each turn of the event loop at most {@link TURN_MS} count, so that a busy machine makes nothing look stuck.
 */
const PATIENCE_MS = 60;
const TURN_MS = 4;

/** Patches `fetch` and `WebSocket` while it is open. One at a time. */
export class Traffic {
  #underWay = 0;
  /** Of those under way: given up on, until they move again. */
  #stuck = 0;
  /** Of those under way: waiting in a plane for its clock or for the test. */
  #paused = 0;
  /** Until when a plane may not have noticed that a caller is gone. */
  #graceUntil = 0;
  #progress = 0;
  /** Own time so far, ms. */
  #own = 0;
  #turns = 0;
  readonly #planes: (() => void)[] = [];

  constructor() {
    globalThis.fetch = (input, init) => this.#fetch(input, init);
    const dial = (socket: WebSocket) => {
      const opened = this.#begin();
      socket.addEventListener("open", opened);
      socket.addEventListener("close", opened);
      this.#follow(socket);
    };
    globalThis.WebSocket = class extends RealSocket {
      constructor(url: string | URL, options?: string | string[]) {
        super(url, options);
        dial(this);
      }
    } as typeof WebSocket;
  }

  /** Counts the frames of a plane too, and knows which requests it keeps waiting. */
  watch(plane: Plane, clock: Clock): void {
    const take = plane.faults.take.bind(plane.faults);
    plane.faults.take = (method, path) => {
      const behaviour = take(method, path);
      return behaviour === undefined ? undefined : this.#visible(behaviour, clock);
    };
    const attach = plane.hub.attach.bind(plane.hub);
    plane.hub.attach = (socket, spec) => {
      this.#follow(socket);
      attach(socket, spec);
    };
    this.#planes.push(() => {
      plane.hub.attach = attach;
      plane.faults.take = take;
    });
  }

  /** Requests, frames and handshakes that have not arrived. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves when nothing is under way that moves. */
  async quiet(): Promise<void> {
    for (let calm = 0, before = performance.now(); calm < 4;) {
      await new Promise((resolve) =>
        ++this.#turns % 32 === 0 ? setTimeout(resolve, 0) : setImmediate(resolve)
      );
      const now = performance.now();
      this.#own += Math.min(now - before, TURN_MS);
      before = now;
      if (this.#underWay - this.#paused <= this.#stuck && this.#own >= this.#graceUntil) {
        calm++;
        continue;
      }
      calm = 0;
      if (this.#own - this.#progress > PATIENCE_MS) this.#stuck = this.#underWay - this.#paused;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  close(): void {
    globalThis.fetch = realFetch;
    globalThis.WebSocket = RealSocket;
    for (const restore of this.#planes) restore();
  }

  #visible(behaviour: Behaviour, clock: Clock): Behaviour {
    const { delayMs, hold, lateMs, lateHold, ...rest } = behaviour;
    return {
      ...rest,
      ...(delayMs === undefined && hold === undefined ? {} : { hold: this.#pause(clock, delayMs, hold) }),
      ...(lateMs === undefined && lateHold === undefined
        ? {}
        : { lateHold: this.#pause(clock, lateMs, lateHold) }),
    };
  }

  #pause(clock: Clock, ms: number | undefined, hold: Hold | undefined): Hold {
    const pause = new Hold();
    pause.wait = async (signal) => {
      this.#paused++;
      try {
        if (ms !== undefined) await sleep(clock, ms, signal);
        await hold?.wait(signal);
      } finally {
        this.#paused--;
        this.#graceUntil = 0;
        this.#progress = this.#own;
      }
    };
    return pause;
  }

  /** Each frame is counted from its sending to its arrival at the other end; a close likewise. */
  #follow(socket: WebSocket): void {
    const send = socket.send.bind(socket);
    const close = socket.close.bind(socket);
    let closing = () => {};
    socket.send = (data) => {
      this.#begin();
      send(data);
    };
    socket.close = (...args) => {
      closing = this.#begin();
      close(...args);
    };
    socket.addEventListener("message", () => this.#end());
    socket.addEventListener("close", () => closing());
  }

  async #fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const end = this.#begin();
    try {
      const response = await realFetch(input, init);
      const { status, headers } = response;
      const empty = response.body === null || status === 304 || status === 204;
      return new Response(empty ? null : await response.arrayBuffer(), { status, headers });
    } catch (error) {
      if (this.#paused > 0) this.#graceUntil = this.#own + PATIENCE_MS;
      throw error;
    } finally {
      end();
    }
  }

  /** The returned function ends it, once. */
  #begin(): () => void {
    this.#underWay++;
    this.#progress = this.#own;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#end();
    };
  }

  #end(): void {
    // A frame that was given up on may still arrive, or its other half was never seen.
    this.#underWay = Math.max(0, this.#underWay - 1);
    this.#stuck = Math.min(this.#stuck, this.#underWay);
    this.#progress = this.#own;
  }
}
