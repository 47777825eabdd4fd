/** Entry of the engine's Worker: connects the thread's port with the engine. Nothing else runs at load. */
import { errorText, systemClock, systemRandom } from "../core/mod.ts";
import type { ToEngine } from "../supervisor/mod.ts";
import { startEngine } from "./engine.ts";
import { serveEngine } from "./worker_scope.ts";

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;

serveEngine(
  {
    post: (message) => scope.postMessage(message),
    listen: (hear) => scope.addEventListener("message", (event: MessageEvent<ToEngine>) => hear(event.data)),
    fault: (error) => reportError(error),
    onFault: (hear) => {
      scope.addEventListener("error", (event) => hear(event.message));
      scope.addEventListener("unhandledrejection", (event) => hear(errorText(event.reason)));
    },
  },
  startEngine,
  { clock: systemClock, random: systemRandom },
);
