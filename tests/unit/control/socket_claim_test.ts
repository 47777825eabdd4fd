import assert from "node:assert/strict";
import { claimTasks, RequestError, type SocketClaim } from "../../../lib/control/mod.ts";
import { ackAll, type Peer, withSocket, type World } from "./socket_world.ts";

const BODY = { daemon_id: "d", runtime_ids: ["r1"], max_tasks: 4 };
const OFFER = { server_capabilities: ["rpc-v1"] };

/** A connected socket whose server offers calls; `answer` gets each request. */
function withRpc(
  answer: (peer: Peer, payload: Record<string, unknown>) => void,
  use: (world: World) => Promise<void>,
): Promise<void> {
  const ack = ackAll(OFFER);
  return withSocket({
    onFrame: (peer, frame) => {
      ack(peer, frame);
      if (frame.type === "daemon:rpc_request") answer(peer, frame.payload);
    },
  }, async (world) => {
    world.socket.setRuntimes(["r1"]);
    await world.until(() => world.socket.rpcAvailable());
    await use(world);
  });
}

function respond(peer: Peer, payload: Record<string, unknown>, more: Record<string, unknown>): void {
  peer.send({ type: "daemon:rpc_response", payload: { request_id: payload["request_id"], ...more } });
}

/** The outcome once it is there; I/O runs, the clock stands. */
async function settled({ until }: World, claim: Promise<SocketClaim>): Promise<SocketClaim> {
  let outcome: SocketClaim | undefined;
  claim.then((value) => outcome = value);
  await until(() => outcome !== undefined);
  return outcome!;
}

Deno.test("claim() over the socket makes a round trip [W17.7]", async () => {
  await withRpc(
    (peer, payload) =>
      respond(peer, payload, { status: 200, body: { tasks: [{ id: "t1", status: "dispatched" }] } }),
    async (world) => {
      const outcome = await settled(world, world.socket.claim(BODY));
      assert.ok(outcome.kind === "tasks");
      assert.deepEqual(outcome.tasks.map(({ id }) => id), ["t1"]);
      const { payload } = world.peers[0]!.frames.at(-1)!;
      assert.deepEqual({ ...payload, request_id: "" }, {
        request_id: "",
        method: "tasks.claim",
        timeout_ms: 5_000,
        body: BODY,
      });
      assert.match(String(payload["request_id"]), /^[0-9a-f-]{36}$/);
      assert.equal(world.clock.pending, 2, "only the beat and the watch are left");
    },
  );
});

Deno.test("claim() is unavailable without a connection and without the capability, and nothing is sent [W17.3]", async () => {
  await withSocket({ onFrame: ackAll() }, async ({ socket, until, acks, peers }) => {
    assert.equal((await socket.claim(BODY)).kind, "unavailable");
    socket.setRuntimes(["r1"]);
    await until(() => acks.length === 1);
    assert.equal(socket.rpcAvailable(), false);
    assert.equal((await socket.claim(BODY)).kind, "unavailable");
    assert.deepEqual(peers[0]!.frames.map(({ type }) => type), ["daemon:heartbeat"]);
  });
});

Deno.test("claim() needs the capability anew on every connection [W17.3]", async () => {
  let offer = true;
  await withSocket(
    { onFrame: (peer, frame) => ackAll(offer ? OFFER : {})(peer, frame) },
    async ({ socket, until, acks }) => {
      socket.setRuntimes(["r1"]);
      await until(() => socket.rpcAvailable());
      offer = false;
      socket.dropConnection("test");
      assert.equal(socket.rpcAvailable(), false);
      await until(() => acks.length === 2);
      assert.equal(socket.rpcAvailable(), false);
      assert.equal((await socket.claim(BODY)).kind, "unavailable");
    },
  );
});

Deno.test("claim() falls back to HTTP for every answer that is not 2xx, with its text [W17.7]", async () => {
  for (
    const [status, error] of [[503, "rpc handler unavailable"], [429, "too many"], [404, ""], [
      500,
      "boom",
    ]] as const
  ) {
    await withRpc((peer, payload) => respond(peer, payload, { status, error }), async (world) => {
      assert.deepEqual(await settled(world, world.socket.claim(BODY)), {
        kind: "unavailable",
        why: `the server answered ${status}${error === "" ? "" : `: ${error}`}`,
      });
    });
  }
});

Deno.test("claim() is uncertain when nothing came in 7 s after sending [W17.7]", async () => {
  await withRpc(() => {}, async (world) => {
    const claim = world.socket.claim(BODY);
    await world.until(() => world.peers[0]!.frames.length === 2);
    await world.pass(6_999);
    await world.pass(1);
    assert.deepEqual(await claim, { kind: "uncertain", why: "no answer in time" });
  });
});

Deno.test("claim() is uncertain when the connection is lost after sending [W17.7]", async () => {
  await withRpc((peer) => peer.close(1001), async (world) => {
    assert.equal((await settled(world, world.socket.claim(BODY))).kind, "uncertain");
  });
  await withRpc(() => {}, async (world) => {
    const claim = world.socket.claim(BODY);
    world.socket.dropConnection("the machine slept");
    assert.deepEqual(await claim, { kind: "uncertain", why: "the machine slept" });
  });
});

Deno.test("claim() is uncertain when the answer cannot be read, or the caller gave up after sending [W17.7]", async () => {
  await withRpc((peer, payload) => respond(peer, payload, { status: 200, body: "odd" }), async (world) => {
    assert.equal((await settled(world, world.socket.claim(BODY))).kind, "uncertain");
  });
  await withRpc(() => {}, async (world) => {
    const abort = new AbortController();
    const claim = world.socket.claim(BODY, { signal: abort.signal });
    abort.abort();
    assert.deepEqual(await claim, { kind: "uncertain", why: "cancelled" });
    const never = await world.socket.claim(BODY, { signal: AbortSignal.abort() });
    assert.deepEqual(never, { kind: "unavailable", why: "cancelled" });
  });
});

Deno.test("claim() keeps parallel calls apart, whatever the order of their answers", async () => {
  const waiting: (() => void)[] = [];
  await withRpc((peer, payload) => {
    const { max_tasks } = payload["body"] as typeof BODY;
    waiting.push(() => respond(peer, payload, { status: 200, body: { tasks: [{ id: `t${max_tasks}` }] } }));
  }, async (world) => {
    const claims = [1, 2, 3].map((max_tasks) => world.socket.claim({ ...BODY, max_tasks }));
    await world.until(() => waiting.length === 3);
    for (const answer of waiting.reverse()) answer();
    for (const [n, claim] of claims.entries()) {
      const outcome = await settled(world, claim);
      assert.ok(outcome.kind === "tasks" && outcome.tasks[0]!.id === `t${n + 1}`);
    }
  });
});

Deno.test("claim() takes an answer larger than 64 KiB [W17.1]", async () => {
  const instructions = "x".repeat(300_000);
  await withRpc(
    (peer, payload) =>
      respond(peer, payload, {
        status: 200,
        body: { tasks: [{ id: "t", agent: { id: "a", instructions } }] },
      }),
    async (world) => {
      const outcome = await settled(world, world.socket.claim(BODY));
      assert.ok(outcome.kind === "tasks");
      assert.equal(outcome.tasks[0]!.agent?.instructions.length, 300_000);
    },
  );
});

Deno.test("claim() does not send what a server would close the connection for", async () => {
  await withRpc(() => {}, async ({ socket, peers }) => {
    const runtime_ids = Array.from({ length: 2_000 }, () => crypto.randomUUID());
    assert.equal((await socket.claim({ ...BODY, runtime_ids })).kind, "unavailable");
    assert.equal(peers[0]!.frames.length, 1);
  });
});

const task = { kind: "tasks", tasks: [] } as const;

Deno.test("claimTasks() prefers the socket, uses HTTP in the same cycle when nothing was sent, never when uncertain", async () => {
  const calls: string[] = [];
  const api = {
    claimBatch: () => {
      calls.push("http");
      return Promise.resolve([]);
    },
  };
  const socket = (outcome: SocketClaim) => ({
    claim: () => {
      calls.push("socket");
      return Promise.resolve(outcome);
    },
  });
  assert.deepEqual(await claimTasks(api, socket(task), BODY), task);
  assert.equal((await claimTasks(api, socket({ kind: "uncertain", why: "" }), BODY)).kind, "uncertain");
  assert.deepEqual(calls, ["socket", "socket"]);
  assert.equal((await claimTasks(api, socket({ kind: "unavailable", why: "" }), BODY)).kind, "tasks");
  assert.equal((await claimTasks(api, socket(task), BODY, { socket: false })).kind, "tasks");
  assert.equal((await claimTasks(api, undefined, BODY)).kind, "tasks");
  assert.deepEqual(calls, ["socket", "socket", "socket", "http", "http", "http"]);
});

Deno.test("claimTasks() takes 404 for a server without batch claims and passes other errors on [C11.2]", async () => {
  const failing = (status: number) => ({
    claimBatch: () => Promise.reject(new RequestError({ method: "POST", path: "/x", status, body: "" })),
  });
  assert.equal((await claimTasks(failing(404), undefined, BODY)).kind, "unsupported");
  await assert.rejects(claimTasks(failing(503), undefined, BODY), { status: 503 });
  await assert.rejects(claimTasks(failing(403), undefined, BODY), { status: 403 });
});
