/**
 * A TCP gate in front of the plane's HTTP server: real connection resets, half-open connections that swallow
 * bytes both ways, and a port that refuses. Only test planes pay for it.
 */
import { getLog } from "../core/mod.ts";

const log = getLog("plane", "gate");

interface Pair {
  readonly front: Deno.TcpConn;
  readonly back: Deno.TcpConn;
  swallow: boolean;
}

/** Listens on a public port and copies to the server behind it. */
export class Gate {
  readonly #target: number;
  readonly #pairs = new Map<number, Pair>();
  readonly #jobs = new Set<Promise<void>>();
  #listener: Deno.TcpListener | undefined;
  readonly port: number;

  constructor(options: { readonly targetPort: number; readonly port: number }) {
    this.#target = options.targetPort;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: options.port });
    this.port = this.#listener.addr.port;
    this.#track(this.#accept(this.#listener));
  }

  /** Breaks the connection whose server side came from this local port. */
  reset(backPort: number): void {
    const pair = this.#pairs.get(backPort);
    if (pair !== undefined) closePair(pair);
  }

  /** From now on nothing of this connection gets through, either way; it stays open. */
  freeze(backPort: number): void {
    const pair = this.#pairs.get(backPort);
    if (pair !== undefined) pair.swallow = true;
  }

  /** Freezes every present connection, as a sleeping machine or a lost NAT entry does. Returns how many. */
  freezeAll(): number {
    for (const pair of this.#pairs.values()) pair.swallow = true;
    return this.#pairs.size;
  }

  /** Closes the port and every connection, or opens it again. */
  // deno-lint-ignore require-await
  async refuse(refuse: boolean): Promise<void> {
    if (refuse) {
      this.#listener?.close();
      this.#listener = undefined;
      for (const pair of this.#pairs.values()) closePair(pair);
    } else if (this.#listener === undefined) {
      this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
      this.#track(this.#accept(this.#listener));
    }
  }

  /** Closes everything and waits for the copying to end. */
  async close(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    for (const pair of this.#pairs.values()) closePair(pair);
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for (;;) {
      let front: Deno.TcpConn;
      try {
        front = await listener.accept();
      } catch (error) {
        if (this.#listener === listener) log.warn("gate stopped accepting", { error: String(error) });
        return;
      }
      this.#track(this.#serve(front));
    }
  }

  async #serve(front: Deno.TcpConn): Promise<void> {
    let back: Deno.TcpConn;
    try {
      back = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      front.close();
      return;
    }
    front.setNoDelay(true);
    back.setNoDelay(true);
    const pair: Pair = { front, back, swallow: false };
    const key = (back.localAddr as Deno.NetAddr).port;
    this.#pairs.set(key, pair);
    await Promise.all([copy(pair, "front", "back"), copy(pair, "back", "front")]);
    this.#pairs.delete(key);
    closePair(pair);
  }

  #track(job: Promise<void>): void {
    const tracked = job.finally(() => this.#jobs.delete(tracked));
    this.#jobs.add(tracked);
  }
}

/** Copies one way until that way ends; the end of one way ends the pair unless it swallows. */
async function copy(pair: Pair, from: "front" | "back", to: "front" | "back"): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (;;) {
      const n = await pair[from].read(buffer);
      if (n === null) break;
      if (pair.swallow) continue;
      for (let at = 0; at < n;) at += await pair[to].write(buffer.subarray(at, n));
    }
  } catch {
    // The other direction or a reset has closed the pair: nothing is left to copy.
  }
  if (!pair.swallow || from === "front") closePair(pair);
}

function closePair(pair: Pair): void {
  for (const conn of [pair.front, pair.back]) {
    try {
      conn.close();
    } catch {
      // Closed already by the other direction.
    }
  }
}
