/** Calls waiting for an answer on one connection (spec 02 §17.7). Each is settled exactly once. */
import type { RpcResponse } from "./frames.ts";
import { type Outbound, outbound, type OutboundQueue } from "./outbound_queue.ts";

/** How a call over the socket ended. */
export type RpcOutcome =
  | { readonly kind: "answered"; readonly response: RpcResponse }
  /** Certainly not carried out: never sent. */
  | { readonly kind: "not_sent"; readonly why: string }
  /** Sent, and nobody knows. */
  | { readonly kind: "uncertain"; readonly why: string };

interface Waiting {
  readonly message: Outbound;
  readonly settle: (outcome: RpcOutcome) => void;
}

/** The calls of one connection. */
export class RpcCalls {
  readonly #waiting = new Map<string, Waiting>();

  constructor(private readonly queue: OutboundQueue) {}

  /** Calls without an answer yet. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Queues a request; `settle` is called once, also at once when it cannot be queued. */
  send(requestId: string, frame: string, settle: (outcome: RpcOutcome) => void): void {
    const message = outbound(frame);
    // Waiting before it is queued: writing can fail at once, and then detaches.
    this.#waiting.set(requestId, { message, settle });
    if (!this.queue.push(message)) {
      this.#take(requestId)?.settle({ kind: "not_sent", why: "the write queue is full" });
    }
  }

  /** Hands over an answer; one nobody waits for is dropped. */
  deliver(response: RpcResponse): void {
    const waiting = this.#take(response.request_id);
    waiting?.settle({ kind: "answered", response });
  }

  /** The caller gives up: cancelled when still queued, uncertain when sent. */
  giveUp(requestId: string, why: string): void {
    const waiting = this.#take(requestId);
    if (waiting === undefined) return;
    const unsent = this.queue.cancel(waiting.message);
    waiting.settle({ kind: unsent ? "not_sent" : "uncertain", why });
  }

  /** The connection is gone (and closed already): every waiter learns it. */
  detach(why: string): void {
    for (const requestId of [...this.#waiting.keys()]) this.giveUp(requestId, why);
  }

  #take(requestId: string): Waiting | undefined {
    const waiting = this.#waiting.get(requestId);
    this.#waiting.delete(requestId);
    return waiting;
  }
}
