import assert from "node:assert/strict";
import { ackAll, withSocket } from "./socket_world.ts";

Deno.test("ControlSocket dials with sorted ids and its headers, tells connected, and beats each runtime at once [W17.5]", async () => {
  await withSocket({ onFrame: ackAll() }, async ({ socket, until, told, peers, seen, acks }) => {
    socket.setRuntimes(["r2", "r1"]);
    await until(() => acks.length === 2);
    assert.equal(seen[0]!.path, "/api/daemon/ws?runtime_ids=r1%2Cr2");
    const { headers } = seen[0]!;
    assert.equal(headers.get("authorization"), "Bearer mul_test");
    assert.equal(headers.get("x-client-platform"), "daemon");
    assert.equal(headers.get("x-client-version"), "9.9.9");
    assert.ok(headers.get("x-client-os"));
    assert.equal(headers.get("x-client-capabilities"), "skill-bundles-v1,coalesced-comments-v1,rpc-v1");
    assert.equal(told[0], "connected r2,r1");
    assert.deepEqual(peers[0]!.frames, [
      { type: "daemon:heartbeat", payload: { runtime_id: "r2", supports_batch_import: true } },
      { type: "daemon:heartbeat", payload: { runtime_id: "r1", supports_batch_import: true } },
    ]);
    assert.equal(socket.status(), "connected for 2 runtimes");
  });
});

Deno.test("ControlSocket beats every interval", async () => {
  await withSocket({ onFrame: ackAll() }, async ({ socket, until, pass, acks }) => {
    socket.setRuntimes(["r1"]);
    await until(() => acks.length === 1);
    for (const n of [2, 3, 4]) {
      await pass(15_000);
      await until(() => acks.length === n);
    }
  });
});

Deno.test("ControlSocket [R29, WS-13, WS-14] a normal ack is fresh for two intervals; gone, empty and nameless ones are not", async () => {
  await withSocket({}, async ({ socket, until, pass, peers, told }) => {
    socket.setRuntimes(["r1", "r2"]);
    await until(() => peers.length === 1);
    const ack = (payload: unknown) => peers[0]!.send({ type: "daemon:heartbeat_ack", payload });
    ack({ runtime_id: "r1", status: "ok" });
    ack({ runtime_id: "r2", status: "ok" });
    ack(null);
    ack({ status: "ok" });
    ack({ runtime_id: "r2", status: "runtime_gone", runtime_gone: true });
    await until(() => told.includes("ack r2 gone"));
    assert.deepEqual(told.slice(1), ["ack r1", "ack r2", "ack r2 gone"]);
    assert.deepEqual([socket.fresh("r1"), socket.fresh("r2"), socket.fresh("r3")], [true, false, false]);
    await pass(29_000);
    assert.equal(socket.fresh("r1"), true);
    ack({ runtime_id: "r2", status: "ok" });
    await until(() => told.length === 5);
    await pass(1_000);
    assert.equal(socket.fresh("r1"), false);
    assert.equal(socket.fresh("r2"), true);
    socket.forget("r2");
    assert.equal(socket.fresh("r2"), false);
  });
});

Deno.test("ControlSocket [R23] forgets every mark when it disconnects", async () => {
  await withSocket({ onFrame: ackAll() }, async ({ socket, until, peers, told }) => {
    socket.setRuntimes(["r1"]);
    await until(() => socket.fresh("r1"));
    peers[0]!.close(1000);
    await until(() => told.some((line) => line.startsWith("disconnected")));
    assert.equal(socket.fresh("r1"), false);
    assert.equal(socket.state, "BACKOFF");
    assert.match(
      socket.status(),
      /^connection lost \(closed by the server \(\d+\)\); polling, next try in 1 s$/,
    );
  });
});

Deno.test("ControlSocket hands on every hint and ignores the rest without losing the connection [W17.4]", async () => {
  await withSocket({}, async ({ socket, until, peers, told }) => {
    socket.setRuntimes(["r1"]);
    await until(() => peers.length === 1);
    const [peer] = peers;
    for (
      const frame of [
        "no json",
        "[1]",
        { type: "chat:message", payload: {} },
        { type: "daemon:task_available", payload: "odd" },
        { type: "daemon:task_available", payload: { runtime_id: "r1", task_id: "t" } },
        { type: "daemon:task_available" },
        { type: "daemon:task_available", payload: null },
        { type: "daemon:runtime_profiles_changed", payload: { workspace_id: "" } },
        { type: "daemon:runtime_profiles_changed", payload: { workspace_id: "w1", runtime_profile_id: "p" } },
        { type: "daemon:workspaces_changed", payload: {} },
        { type: "daemon:pending_work", payload: { kind: "model_list" } },
        { type: "daemon:pending_work", payload: { runtime_id: "r1", kind: "model_list" } },
        { type: "daemon:rpc_response", payload: { request_id: "nobody", status: 200 } },
      ]
    ) peer!.send(frame);
    await until(() => told.includes("work r1 model_list"));
    assert.deepEqual(told.slice(1), [
      "task r1",
      "task ",
      "task ",
      "profiles w1",
      "workspaces",
      "work r1 model_list",
    ]);
    assert.equal(socket.state, "CONNECTED");
  });
});

Deno.test("ControlSocket waits 1, 2, 4, 8, 16, 30, 30 s between refused dials and polls meanwhile", async () => {
  await withSocket({ refuse: () => 503 }, async ({ socket, until, pass, seen, told }) => {
    socket.setRuntimes(["r1"]);
    let dials = 1;
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      await until(() => socket.state === "BACKOFF");
      assert.equal(seen.length, dials);
      assert.equal(socket.status(), `the upgrade was refused with 503; polling, next try in ${seconds} s`);
      await pass(seconds * 1000 - 1);
      assert.equal(seen.length, dials);
      await pass(1);
      await until(() => seen.length === ++dials || seen.length === dials);
    }
    assert.deepEqual(told, []);
  });
});

Deno.test("ControlSocket jitters each wait by a fifth", async () => {
  for (const [random, first] of [[0, 800], [0.999999, 1200]] as const) {
    await withSocket(
      { refuse: () => 503, options: { random: () => random } },
      async ({ socket, until, clock }) => {
        socket.setRuntimes(["r1"]);
        await until(() => socket.state === "BACKOFF");
        assert.equal(Math.round(clock.nextDue!), first);
      },
    );
  }
});

Deno.test("ControlSocket starts over at 1 s after a life of 10 s, inclusive, and not before [W17.1]", async () => {
  for (const [life, next] of [[9_999, 4], [10_000, 1]] as const) {
    await withSocket(
      { refuse: (n) => n <= 2 ? 503 : undefined },
      async ({ socket, until, pass, peers, seen }) => {
        socket.setRuntimes(["r1"]);
        for (const seconds of [1, 2]) {
          await until(() => socket.state === "BACKOFF");
          await pass(seconds * 1000);
        }
        await until(() => peers.length === 1 && socket.state === "CONNECTED");
        assert.equal(seen.length, 3);
        await pass(life);
        peers[0]!.close(1001);
        await until(() => socket.state === "BACKOFF");
        assert.match(socket.status(), new RegExp(`next try in ${next} s$`));
      },
    );
  }
});

Deno.test("ControlSocket dials anew at once when the set differs, and only then", async () => {
  await withSocket({ onFrame: ackAll() }, async ({ socket, until, pass, told, seen }) => {
    socket.setRuntimes(["r1", "r2"]);
    await until(() => socket.fresh("r1") && socket.fresh("r2"));
    for (const same of [["r2", "r1"], ["r1", "r2", "r1"]]) socket.setRuntimes(same);
    await pass(5_000);
    assert.equal(seen.length, 1);
    socket.setRuntimes(["r1"]);
    await until(() => told.includes("connected r1"));
    assert.equal(seen[1]!.path, "/api/daemon/ws?runtime_ids=r1");
    assert.ok(told.includes("disconnected the runtime set changed"));
    assert.equal(told.filter((line) => line === "connected r1").length, 1);
  });
});

Deno.test("ControlSocket ends a back-off early when the set changes", async () => {
  await withSocket({ refuse: (n) => n === 1 ? 503 : undefined }, async ({ socket, until, clock, told }) => {
    socket.setRuntimes(["r1"]);
    await until(() => socket.state === "BACKOFF");
    socket.setRuntimes(["r1", "r2"]);
    await until(() => told.includes("connected r1,r2"));
    assert.equal(clock.monotonic(), 0);
  });
});

Deno.test("ControlSocket gives up a dial when the set changes under it", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  await withSocket({
    refuse: async (n) => {
      if (n !== 1) return undefined;
      await held;
      return 503;
    },
  }, async ({ socket, until, told, seen }) => {
    socket.setRuntimes(["r1"]);
    await until(() => seen.length === 1);
    assert.equal(socket.state, "DIALLING");
    socket.setRuntimes(["r2"]);
    await until(() => told.length > 0);
    assert.deepEqual(told, ["connected r2"]);
    release();
  });
});

Deno.test("ControlSocket surfaces a refused token and goes on trying", async () => {
  await withSocket({ refuse: (n) => n <= 2 ? 401 : undefined }, async ({ socket, until, pass, told }) => {
    socket.setRuntimes(["r1"]);
    await until(() => told.length === 1);
    assert.match(socket.status(), /^refused: the token is not accepted; polling/);
    await pass(1_000);
    await until(() => told.length === 2);
    await pass(2_000);
    await until(() => told.length === 3);
    assert.deepEqual(told, ["unauthorized", "unauthorized", "connected r1"]);
  });
});

Deno.test("ControlSocket asks for heartbeats at once when an upgrade is refused with 404", async () => {
  await withSocket({ refuse: () => 404 }, async ({ socket, until, told }) => {
    socket.setRuntimes(["r1", "r2"]);
    await until(() => told.length === 1);
    assert.deepEqual(told, ["refused r1,r2"]);
  });
});

Deno.test("ControlSocket connects without runtimes where the server takes it [W17.2]", async () => {
  await withSocket({}, async ({ socket, until, told, seen }) => {
    socket.setRuntimes([]);
    await until(() => told.includes("connected "));
    assert.equal(seen[0]!.path, "/api/daemon/ws");
  });
});

Deno.test("ControlSocket waits for runtimes where the server refuses an empty set [W17.2]", async () => {
  await withSocket(
    { refuse: (_n, { path }) => path.includes("runtime_ids") ? undefined : 400 },
    async ({ socket, until, pass, told, seen, clock }) => {
      socket.setRuntimes([]);
      await until(() => socket.state === "IDLE" && seen.length === 1);
      assert.equal(clock.pending, 0);
      await pass(120_000);
      assert.equal(seen.length, 1);
      socket.setRuntimes(["r1"]);
      await until(() => told.includes("connected r1"));
    },
  );
});

Deno.test("ControlSocket gives a handshake 10 s", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  await withSocket({
    refuse: async (n) => {
      if (n !== 1) return undefined;
      await held;
      return 503;
    },
  }, async ({ socket, until, pass, told, seen }) => {
    socket.setRuntimes(["r1"]);
    await until(() => seen.length === 1);
    await pass(9_999);
    assert.equal(socket.state, "DIALLING");
    await pass(1);
    await until(() => socket.state === "BACKOFF");
    assert.match(socket.status(), /no handshake within 10 s/);
    release();
    await pass(1_000);
    await until(() => told.includes("connected r1"));
  });
});

Deno.test("ControlSocket treats an unusable base URL as a failed dial", async () => {
  await withSocket({ options: { baseUrl: "ftp://x" } }, async ({ socket, until }) => {
    socket.setRuntimes(["r1"]);
    await until(() => socket.state === "BACKOFF");
    assert.match(socket.status(), /must use ws, wss, http, or https/);
  });
});

Deno.test("ControlSocket dials anew at once after dropConnection(), also out of a back-off", async () => {
  await withSocket({ refuse: (n) => n === 2 ? 503 : undefined }, async ({ socket, until, told, clock }) => {
    socket.setRuntimes(["r1"]);
    await until(() => told.length === 1);
    socket.dropConnection("the machine slept");
    await until(() => socket.state === "BACKOFF");
    socket.dropConnection("the machine slept again");
    await until(() => told.length === 3);
    assert.deepEqual(told, ["connected r1", "disconnected the machine slept", "connected r1"]);
    assert.equal(clock.monotonic(), 0);
  });
});

Deno.test("ControlSocket survives a listener that throws", async () => {
  const told: string[] = [];
  const listener = {
    connected: () => {
      throw new Error("broken");
    },
    disconnected: () => {},
    ack: () => {
      throw new Error("broken");
    },
    taskAvailable: (id: string) => void told.push(id),
    profilesChanged: () => {},
    workspacesChanged: () => {},
    pendingWork: () => {},
    unauthorized: () => {},
    runtimesRefused: () => {},
  };
  await withSocket({ onFrame: ackAll(), options: { listener } }, async ({ socket, until, peers }) => {
    socket.setRuntimes(["r1"]);
    await until(() => socket.fresh("r1"));
    peers[0]!.send({ type: "daemon:task_available", payload: { runtime_id: "r1" } });
    await until(() => told.length === 1);
  });
});

Deno.test("ControlSocket stops from every state, with nothing left", async () => {
  await withSocket({}, async ({ socket, until, scope, clock, told }) => {
    socket.setRuntimes(["r1"]);
    await until(() => told.length === 1);
    await scope.close();
    assert.equal(socket.state, "STOPPED");
    assert.equal(clock.pending, 0);
    assert.deepEqual([told.at(-1), socket.abandoned], ["disconnected shutting down", 0]);
    socket.setRuntimes(["r2"]);
    socket.dropConnection("late");
    assert.equal(socket.state, "STOPPED");
  });
  await withSocket({ refuse: () => 503 }, async ({ socket, until, scope, clock }) => {
    socket.setRuntimes(["r1"]);
    await until(() => socket.state === "BACKOFF");
    await scope.close();
    assert.deepEqual([socket.state, clock.pending], ["STOPPED", 0]);
  });
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  await withSocket({ refuse: () => held.then(() => 503) }, async ({ socket, until, scope, seen, clock }) => {
    socket.setRuntimes(["r1"]);
    await until(() => seen.length === 1);
    await scope.close();
    assert.deepEqual([socket.state, clock.pending], ["STOPPED", 0]);
    release();
  });
  await withSocket({ refuse: () => 400 }, async ({ socket, until, scope, seen }) => {
    socket.setRuntimes([]);
    await until(() => socket.state === "IDLE" && seen.length === 1);
    await scope.close();
    assert.equal(socket.state, "STOPPED");
  });
});
