/** The one writer of a socket: a bounded queue, at most 10 s a message (spec 02 §6.3, 17.7 rule 1). */
import type { Clock, Timer } from "../core/mod.ts";

/** What the writer writes to. */
export interface Sink {
  /** Takes the text into the socket's buffer. */
  send(text: string): void;
  /** Bytes not yet handed to the network. */
  readonly bufferedAmount: number;
}

/** Life of one message: `queued` may still be cancelled, `sent` may have arrived. */
export type OutboundState = "queued" | "sent" | "cancelled";

/** One message and where it is. */
export interface Outbound {
  readonly text: string;
  state: OutboundState;
}

/** A new message. */
export function outbound(text: string): Outbound {
  return { text, state: "queued" };
}

/** More than this in the socket's own buffer: the peer does not read, so messages wait here. */
const BUFFER_LIMIT = 64 * 1024;
const LOOK_MS = 20;
const STUCK_MS = 10_000;

/** Room for `n` runtimes' heartbeats and a claim. */
export function queueCapacity(runtimes: number): number {
  return Math.max(16, 2 * runtimes);
}

/** Writes in order; `stuck` is called once when the peer has not read for 10 s or the socket throws. */
export class OutboundQueue {
  readonly #queue: Outbound[] = [];
  #timer: Timer | undefined;
  #waitedSince = 0;
  #closed = false;

  constructor(
    private readonly sink: Sink,
    private readonly capacity: number,
    private readonly clock: Clock,
    private readonly stuck: (why: string) => void,
  ) {}

  /** Messages waiting. */
  get size(): number {
    return this.#queue.length;
  }

  /** Queues a message made by {@link outbound}; false when the queue is full or closed. */
  push(message: Outbound): boolean {
    if (this.#closed || this.#queue.length >= this.capacity) return false;
    this.#queue.push(message);
    this.#pump();
    return true;
  }

  /** Takes a message back if it is still here. @returns true when it will certainly not be sent. */
  cancel(message: Outbound): boolean {
    if (message.state === "sent") return false;
    message.state = "cancelled";
    const at = this.#queue.indexOf(message);
    if (at >= 0) this.#queue.splice(at, 1);
    return true;
  }

  /** Ends the writer; what is queued is cancelled. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const message of this.#queue.splice(0)) message.state = "cancelled";
  }

  #pump(): void {
    while (!this.#closed && this.#queue.length > 0) {
      if (this.sink.bufferedAmount > BUFFER_LIMIT) return this.#wait();
      const message = this.#queue.shift()!;
      if (message.state === "cancelled") continue;
      message.state = "sent";
      try {
        this.sink.send(message.text);
      } catch (error) {
        this.close();
        return this.stuck(error instanceof Error ? error.message : String(error));
      }
    }
    this.#waitedSince = 0;
  }

  #wait(): void {
    if (this.#timer !== undefined) return;
    const now = this.clock.monotonic();
    if (this.#waitedSince === 0) this.#waitedSince = now;
    if (now - this.#waitedSince >= STUCK_MS) {
      this.close();
      return this.stuck("the server has not read for 10 s");
    }
    this.#timer = this.clock.timer(LOOK_MS, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }
}
