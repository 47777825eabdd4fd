/**
 * A Worker that serves the engine's side of the port with a scripted engine: each checkout request of the local API
 * runs one act, named by its `url`, with `ref` as JSON argument, inside the narrowed thread, and answers with its result.
 */
import { type Child, getLog, launch, systemClock, systemRandom } from "../../lib/core/mod.ts";
import {
  type EngineEnd,
  type EngineHandle,
  type EnginePorts,
  serveEngine,
} from "../../lib/engine/worker_scope.ts";
import type { BrokerName, EngineBoot, ToEngine } from "../../lib/supervisor/protocol.ts";

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
const children = new Map<number, Child>();

type Act = (arg: Record<string, string>, boot: EngineBoot, ports: EnginePorts) => unknown;

const acts: Readonly<Record<string, Act>> = {
  boot: (_, boot) => ({ ...boot, config: { profile: boot.config.profile } }),
  read: ({ path }) => Deno.readTextFile(path!),
  write: ({ path, text }) => Deno.writeTextFile(path!, text!),
  env: ({ name }) => Deno.env.get(name!),
  fetch: async ({ url }) => await (await fetch(url!)).text(),
  connect: async ({ hostname, port }) =>
    (await Deno.connect({ hostname: hostname!, port: Number(port) })).close(),
  kill: ({ pid, signal }) => Deno.kill(Number(pid), signal as Deno.Signal),
  symlink: ({ path, target }) => Deno.symlink(target!, path!),
  broker: ({ name, arg }, _, ports) => ports.call(name as BrokerName, JSON.parse(arg!)),
  run: async ({ path, args }) => {
    const child = launch({ executable: path!, args: JSON.parse(args ?? "[]"), env: {} });
    const [out] = await Promise.all([text(child.stdout), text(child.stderr), child.status]);
    return out;
  },
  start: async ({ path, args, marker }, _, ports) => {
    const [name, value] = marker!.split("=");
    const child = launch({
      executable: path!,
      args: JSON.parse(args ?? "[]"),
      env: { PATH: "/usr/bin:/bin", [name!]: value! },
    });
    children.set(child.pid, child);
    ports.processes.started({ pid: child.pid, marker: marker! });
    await child.stdout.getReader().read();
    return child.pid;
  },
  // Until its machine is gone: `terminate()` alone does not end a busy loop in 2.8, which would load all later tests.
  hang: (_, boot) => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    while (exists(boot.config.paths.workspacesRoot)) Atomics.wait(cell, 0, 0, 20);
  },
  fail: () =>
    void queueMicrotask(() => {
      throw new Error("scripted fault");
    }),
};

function start(boot: EngineBoot, ports: EnginePorts): EngineHandle {
  const end = Promise.withResolvers<EngineEnd>();
  ports.reportState("running", "scripted");
  return {
    drain: (timeoutMs) =>
      boot.config.deviceName === "stubborn" && timeoutMs > 0 ? undefined : end.resolve({ exitCode: 0 }),
    force: () => end.resolve({ exitCode: 1 }),
    token: (token) => getLog("stub").error("taken over", { token }),
    agents: () => {},
    finished: end.promise,
    async checkout(request) {
      if (request.url === "reload") {
        setTimeout(() => ports.requestReload()); // after the answer is on its way
        return { status: 200, body: {} };
      }
      try {
        const result = await acts[request.url]!(JSON.parse(request.ref || "{}"), boot, ports);
        return { status: 200, body: { result: result ?? null } };
      } catch (error) {
        return { status: 200, body: { error: (error as Error).name, message: (error as Error).message } };
      }
    },
  };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text();
}

serveEngine(
  {
    post: (message) => scope.postMessage(message),
    listen: (hear) => scope.addEventListener("message", (event: MessageEvent<ToEngine>) => hear(event.data)),
    fault: (error) => reportError(error),
    onFault: (hear) => scope.addEventListener("error", (event) => hear(event.message)),
  },
  start,
  { clock: systemClock, random: systemRandom },
);
