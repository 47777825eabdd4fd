/** Counts what is under way between hosts and planes of this process, so that a clock moves only when all is quiet. */
import { setImmediate } from "node:timers";
import type { Plane } from "../../lib/plane/mod.ts";

const realFetch = globalThis.fetch;
const RealSocket = globalThis.WebSocket;

/** Real time after which something under way without progress counts as stuck (held, swallowed), ms. */
const PATIENCE_MS = 60;

/** Patches `fetch` and `WebSocket` while it is open. One at a time. */
export class Traffic {
  #underWay = 0;
  /** Of those under way: given up on, until they move again. */
  #stuck = 0;
  #progress = performance.now();
  #turns = 0;
  readonly #planes: (() => void)[] = [];

  constructor() {
    globalThis.fetch = (input, init) => this.#fetch(input, init);
    const traffic = this;
    globalThis.WebSocket = class extends RealSocket {
      constructor(url: string | URL, options?: string | string[]) {
        super(url, options);
        const opened = traffic.#begin();
        let closing = () => {};
        this.addEventListener("open", opened);
        this.addEventListener("message", () => traffic.#end());
        this.addEventListener("close", () => {
          opened();
          closing();
        });
        const close = this.close.bind(this);
        this.close = (...args) => {
          closing = traffic.#begin();
          close(...args);
        };
      }
      override send(data: string): void {
        traffic.#begin();
        super.send(data);
      }
    } as typeof WebSocket;
  }

  /** Counts the frames of a plane too. */
  watch(plane: Plane): void {
    const attach = plane.hub.attach.bind(plane.hub);
    plane.hub.attach = (socket, spec) => {
      const send = socket.send.bind(socket);
      socket.send = (data) => {
        this.#begin();
        send(data);
      };
      const close = socket.close.bind(socket);
      let closing = () => {};
      socket.close = (...args) => {
        closing = this.#begin();
        close(...args);
      };
      socket.addEventListener("message", () => this.#end());
      socket.addEventListener("close", () => closing());
      attach(socket, spec);
    };
    this.#planes.push(() => plane.hub.attach = attach);
  }

  /** Requests, frames and handshakes that have not arrived. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves when nothing is under way that moves. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 4;) {
      await new Promise((resolve) =>
        ++this.#turns % 32 === 0 ? setTimeout(resolve, 0) : setImmediate(resolve)
      );
      if (this.#underWay <= this.#stuck) {
        calm++;
        continue;
      }
      calm = 0;
      if (performance.now() - this.#progress > PATIENCE_MS) this.#stuck = this.#underWay;
    }
  }

  close(): void {
    globalThis.fetch = realFetch;
    globalThis.WebSocket = RealSocket;
    for (const restore of this.#planes) restore();
  }

  async #fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const end = this.#begin();
    try {
      const response = await realFetch(input, init);
      const { status, headers } = response;
      const empty = response.body === null || status === 304 || status === 204;
      return new Response(empty ? null : await response.arrayBuffer(), { status, headers });
    } finally {
      end();
    }
  }

  /** The returned function ends it, once. */
  #begin(): () => void {
    this.#underWay++;
    this.#progress = performance.now();
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
    this.#progress = performance.now();
  }
}
