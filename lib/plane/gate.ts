/**
 * A TCP gate in front of the plane's HTTP server: real connection resets, half-open connections that swallow
 * bytes both ways, and a port that refuses. Only test planes pay for it. It stands on `node:net`, because closing a
 * `Deno.TcpConn` does not end a read in progress (measured, 2.8.3) and cannot send a reset.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { getLog } from "../core/mod.ts";

const log = getLog("plane", "gate");

interface Pair {
  readonly front: Socket;
  readonly back: Socket;
  swallow: boolean;
}

/** Listens on a public port and copies to the server behind it. */
export class Gate {
  readonly #target: number;
  /** By the local port of the server's side. */
  readonly #pairs = new Map<number, Pair>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** Public port on 127.0.0.1. */
  readonly port: number;

  private constructor(targetPort: number, server: Server) {
    this.#target = targetPort;
    this.port = (server.address() as { port: number }).port;
    this.#adopt(server);
  }

  /** Opens the public port; 0 = any. */
  static async open(options: { readonly targetPort: number; readonly port: number }): Promise<Gate> {
    return new Gate(options.targetPort, await listen(options.port));
  }

  /** Resets the connection whose server side came from this local port. */
  reset(backPort: number): void {
    const pair = this.#pairs.get(backPort);
    if (pair === undefined) return;
    pair.front.resetAndDestroy();
    pair.back.destroy();
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
  async refuse(refuse: boolean): Promise<void> {
    if (refuse) await this.close();
    else if (this.#server === undefined) this.#adopt(await listen(this.port));
  }

  /** Closes everything. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server === undefined
      ? undefined
      : new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #adopt(server: Server): void {
    this.#server = server;
    server.on("connection", (front) => this.#serve(front));
  }

  #serve(front: Socket): void {
    const back = connect({ host: "127.0.0.1", port: this.#target, allowHalfOpen: true });
    const pair: Pair = { front, back, swallow: false };
    for (const socket of [front, back]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on("error", (error) => log.debug("gate connection ended", { error: error.message }));
      socket.on("close", () => {
        this.#sockets.delete(socket);
        const other = socket === front ? back : front;
        if (!pair.swallow || socket === front) other.destroy();
      });
    }
    let key: number | undefined;
    back.on("connect", () => {
      key = back.localPort;
      if (key !== undefined) this.#pairs.set(key, pair);
    });
    back.on("close", () => {
      if (key !== undefined) this.#pairs.delete(key);
    });
    copy(pair, front, back);
    copy(pair, back, front);
  }
}

function copy(pair: Pair, from: Socket, to: Socket): void {
  from.on("data", (chunk) => {
    if (pair.swallow || to.write(chunk)) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
  from.on("end", () => {
    if (!pair.swallow) to.end();
  });
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true });
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
