import assert from "node:assert/strict";
import { HostError } from "../../../lib/core/mod.ts";
import {
  type EngineEnd,
  type EngineHandle,
  type EnginePorts,
  serveEngine,
} from "../../../lib/engine/worker_scope.ts";
import type { EngineBoot, FromEngine, ToEngine } from "../../../lib/supervisor/protocol.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const boot = { config: { logLevel: "error" } } as EngineBoot;

function setup(more: Partial<EngineHandle> = {}, startError?: unknown) {
  const posted: FromEngine[] = [];
  const faults: unknown[] = [];
  const orders: unknown[] = [];
  const clock = new FakeClock();
  const end = Promise.withResolvers<EngineEnd>();
  let hear: (message: ToEngine) => void = () => {};
  let uncaught: (reason: string) => void = () => {};
  let ports: EnginePorts | undefined;
  serveEngine(
    {
      post: (message) => posted.push(message),
      listen: (fn) => hear = fn,
      fault: (error) => faults.push(error),
      onFault: (fn) => uncaught = fn,
    },
    (_, given) => {
      if (startError !== undefined) throw startError;
      ports = given;
      return {
        drain: (ms) => orders.push(["drain", ms]),
        force: () => orders.push(["force"]),
        token: (token) => orders.push(["token", token]),
        agents: (agents) => orders.push(["agents", agents.length]),
        checkout: () => Promise.resolve({ status: 200, body: {} }),
        finished: end.promise,
        ...more,
      };
    },
    { clock, random: () => 0.5 },
  );
  return {
    posted,
    faults,
    orders,
    clock,
    end,
    hear: (message: ToEngine) => hear(message),
    uncaught: (reason: string) => uncaught(reason),
    ports: () => ports!,
  };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

Deno.test("serveEngine() passes orders in and says how the engine ended", async () => {
  const { posted, orders, end, hear } = setup();
  hear({ t: "start", boot });
  hear({ t: "drain", timeoutMs: 5 });
  hear({ t: "force" });
  hear({ t: "token", token: "new" });
  hear({ t: "agents", agents: [] });
  assert.deepEqual(orders, [["drain", 5], ["force"], ["token", "new"], ["agents", 0]]);
  end.resolve({ exitCode: 0 });
  await turns();
  assert.deepEqual(posted, [{ t: "stopped", exitCode: 0 }]);
});

Deno.test("serveEngine() answers pings with how late its loop was", async () => {
  const { posted, clock, hear } = setup();
  const at = clock.now();
  await clock.advance(40);
  hear({ t: "ping", id: 7, at });
  assert.deepEqual(posted, [{ t: "pong", id: 7, lagMs: 40 }]);
});

Deno.test("serveEngine() ends an engine that was never started", () => {
  const { posted, hear } = setup();
  hear({ t: "drain", timeoutMs: 5 });
  assert.deepEqual(posted, [{ t: "stopped", exitCode: 0 }]);
});

Deno.test("serveEngine() tells a user's problem from a fault: the first ends the host, the second restarts the engine", () => {
  const wrong = setup(
    {},
    new HostError("no journal", { code: "journal", exitCode: 1, hint: "free some space" }),
  );
  wrong.hear({ t: "start", boot });
  assert.deepEqual(wrong.posted.filter((message) => message.t !== "log"), [{
    t: "stopped",
    exitCode: 1,
    error: { message: "no journal", code: "journal", exitCode: 1, hint: "free some space" },
  }]);
  const fault = setup({}, new TypeError("undefined is not a function"));
  fault.hear({ t: "start", boot });
  assert.equal(fault.faults.length, 1);
});

Deno.test("serveEngine() tells of an error nobody caught and stands still until its fuse is lifted [f21]", () => {
  const { hear, uncaught, posted } = setup();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  Atomics.store(cell, 0, 1);
  hear({ t: "fuse", cell });
  hear({ t: "start", boot });
  uncaught("boom");
  assert.deepEqual(posted.at(-1), { t: "fault", reason: "boom" });
});

Deno.test("serveEngine() raises a fault when the engine's end is a rejection", async () => {
  const { faults, end, hear } = setup();
  hear({ t: "start", boot });
  end.reject(new Error("bug"));
  await turns();
  assert.equal((faults[0] as Error).message, "bug");
});

Deno.test("EnginePorts.call() is answered, refused, and rejected when nobody will answer any more", async () => {
  const { posted, end, hear, ports } = setup();
  hear({ t: "start", boot });
  const group = { pid: 5, marker: "M=1" };
  const fine = ports().processes.groupEmpty(group);
  const refused = ports().call("link", { path: "/a", target: "/b" });
  const late = ports().processes.cpuTime(group);
  ports().processes.started(group);
  assert.deepEqual(posted.map((message) => message.t === "call" ? [message.id, message.name] : message.t), [
    [1, "process.groupEmpty"],
    [2, "link"],
    [3, "process.cpuTime"],
    "group",
  ]);
  hear({ t: "answer", id: 1, ok: true, value: true });
  hear({ t: "answer", id: 99, ok: true, value: true });
  hear({
    t: "answer",
    id: 2,
    ok: false,
    error: { message: "outside", code: "broker_refused", exitCode: 1, hint: "" },
  });
  assert.equal(await fine, true);
  await assert.rejects(
    refused,
    (error: HostError) => error.code === "broker_refused" && error.message === "outside",
  );
  end.resolve({ exitCode: 0 });
  await assert.rejects(late, /supervisor is gone/);
});

Deno.test("serveEngine() answers checkouts, aborts them with their caller, and makes an error a 500", async () => {
  const signals: AbortSignal[] = [];
  const { posted, hear } = setup({
    checkout: ({ url }, signal) => {
      signals.push(signal);
      return url === "bad"
        ? Promise.reject(new Error("boom"))
        : Promise.resolve({ status: 200, body: { path: url } });
    },
  });
  const request = (url: string) => ({ url }) as Extract<ToEngine, { t: "checkout" }>["request"];
  hear({ t: "checkout", id: 1, request: request("early") });
  hear({ t: "start", boot });
  hear({ t: "checkout", id: 2, request: request("good") });
  hear({ t: "checkout.abort", id: 2 });
  hear({ t: "checkout", id: 3, request: request("bad") });
  await turns();
  const answers = posted.flatMap((message) =>
    message.t === "checkout" ? [[message.id, message.answer.status]] : []
  );
  assert.deepEqual(answers.sort(), [[1, 503], [2, 200], [3, 500]]);
  assert.equal(signals[0]?.aborted, true);
});
