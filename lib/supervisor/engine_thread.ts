/** The engine's Worker, started with exactly the rights worked out for it. */
import type { FromEngine, ToEngine } from "./protocol.ts";

/** A thread that runs an engine. */
export interface EngineThread {
  post(message: ToEngine): void;
  /** Ends the thread at once, and with it the agents it started itself; what those started lives on: their groups are ended apart. */
  terminate(): void;
}

/** What is heard of a thread. */
export interface ThreadEvents {
  readonly onMessage: (message: FromEngine) => void;
  /** An uncaught error, a rejection, or a message that could not be read: the thread is not to be trusted any more. */
  readonly onFault: (reason: string) => void;
}

export type StartThread = (permissions: Deno.PermissionOptionsObject, events: ThreadEvents) => EngineThread;

/** Starts the real engine. The expression keeps the form that `deno compile` finds and bundles (guides/deno.md §3). */
export const startWorker: StartThread = (permissions, events) => {
  const worker = new Worker(new URL("../engine/worker.ts", import.meta.url), {
    type: "module",
    name: "engine",
    deno: { permissions },
  });
  return connectWorker(worker, events);
};

/** A Worker as an {@link EngineThread}. */
export function connectWorker(worker: Worker, events: ThreadEvents): EngineThread {
  let live = true;
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const fuse: ToEngine = { t: "fuse", cell };
  worker.postMessage(fuse);
  worker.onmessage = (event: MessageEvent<FromEngine>) => live && events.onMessage(event.data);
  worker.onmessageerror = () => live && events.onFault("a message could not be read");
  worker.onerror = (event) => {
    event.preventDefault(); // otherwise it would end this thread too
    if (live) events.onFault(event.message === "" ? "uncaught error" : event.message);
  };
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      live = false;
      worker.terminate();
      Atomics.store(cell, 0, 1);
      Atomics.notify(cell, 0);
    },
  };
}
