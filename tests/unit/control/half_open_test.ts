import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { ackAll, withSocket, type World, type WorldOptions } from "./socket_world.ts";

/** A TCP relay that can swallow bytes in both directions and keeps its connections open. */
class Relay {
  swallow = false;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #target = 0;

  constructor() {
    this.#server = createServer((near) => {
      const far = connect(this.#target, "127.0.0.1");
      this.#pipe(near, far);
      this.#pipe(far, near);
    });
  }

  /** Listens; from now on relays to the server at `url`. */
  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  to(url: string): string {
    this.#target = Number(new URL(url).port);
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #pipe(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("data", (bytes) => void (this.swallow || to.write(bytes)));
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

async function withRelay(
  setup: WorldOptions,
  use: (world: World, relay: Relay) => Promise<void>,
): Promise<void> {
  const relay = new Relay();
  await relay.listen();
  await withSocket({ ...setup, dial: (url) => relay.to(url) }, async (world) => {
    try {
      await use(world, relay);
    } finally {
      await relay.close();
    }
  });
}

Deno.test("half-open socket [f05] is dropped after two missed acks, and dialled anew without waiting for its close", async () => {
  await withRelay({ onFrame: ackAll() }, async ({ socket, until, pass, told, acks, seen }, relay) => {
    socket.setRuntimes(["r1"]);
    await until(() => acks.length === 1);
    relay.swallow = true;
    await pass(29_999);
    assert.equal(socket.state, "CONNECTED");
    await pass(1);
    assert.equal(socket.state, "BACKOFF");
    assert.equal(told.at(-1), "disconnected nothing heard for 30 s");
    assert.equal(socket.fresh("r1"), false);
    assert.equal(socket.abandoned, 1);
    relay.swallow = false;
    await pass(1_000);
    await until(() => acks.length === 2);
    assert.equal(seen.length, 2);
    assert.equal(told.filter((line) => line.startsWith("connected")).length, 2);
  });
});

Deno.test("half-open socket is found after 60 s where this connection was never acknowledged but the server does so [W17.1]", async () => {
  let mute = false;
  const ack = ackAll();
  await withSocket(
    { onFrame: (peer, frame) => mute || ack(peer, frame) },
    async ({ socket, until, pass, told, acks }) => {
      socket.setRuntimes(["r1"]);
      await until(() => acks.length === 1);
      mute = true;
      socket.dropConnection("test");
      await until(() => told.filter((line) => line.startsWith("connected")).length === 2);
      await pass(59_999);
      assert.equal(socket.state, "CONNECTED");
      await pass(1);
      assert.equal(told.at(-1), "disconnected nothing heard for 60 s");
    },
  );
});

Deno.test("half-open watch leaves a server alone that never acknowledges", async () => {
  await withSocket({}, async ({ socket, until, pass, told }) => {
    socket.setRuntimes(["r1"]);
    await until(() => told.length === 1);
    for (let n = 0; n < 40; n++) await pass(15_000);
    assert.equal(socket.state, "CONNECTED");
    assert.equal(told.length, 1);
  });
});

Deno.test("half-open watch takes any message as a sign of life [W17.1]", async () => {
  await withSocket({}, async ({ socket, until, pass, told, peers }) => {
    socket.setRuntimes(["r1"]);
    await until(() => peers.length === 1);
    peers[0]!.send({ type: "daemon:heartbeat_ack", payload: { runtime_id: "r1", status: "ok" } });
    await until(() => told.includes("ack r1"));
    for (let n = 1; n <= 6; n++) {
      await pass(20_000);
      peers[0]!.send({ type: "some:event" });
      await pass(0);
    }
    assert.equal(socket.state, "CONNECTED");
    await pass(30_000);
    assert.equal(socket.state, "BACKOFF");
  });
});
