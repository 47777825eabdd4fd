/** The lock of a user's directory: within this host by the workdir room, among all hosts of the machine by the supervisor. */
import { type Clock, errorText, getLog, type Random, sleep } from "../core/mod.ts";
import type { WorkdirPort } from "../tasks/mod.ts";
import { type LocalDirectory, taskKind } from "../workdir/mod.ts";
import type { BrokerCall } from "./broker_client.ts";

const log = getLog("engine", "directory lock");

/** Between two tries while another host has the directory, ms: the shortest, and what chance adds. */
const RETRY_MS = 1_000;
const RETRY_SPREAD_MS = 1_000;

export interface DirectoryLockPorts {
  readonly call: BrokerCall;
  readonly clock: Clock;
  readonly random: Random;
}

/** The same port with locks that hold against other hosts too. Chat tasks share their directory (spec 04 §20.12). */
export function lockedAmongHosts(
  workdir: WorkdirPort,
  ports: DirectoryLockPorts,
): Pick<WorkdirPort, "localDirectory" | "lock"> {
  const shared = new WeakSet<LocalDirectory>();
  return {
    async localDirectory(task, signal) {
      const directory = await workdir.localDirectory(task, signal);
      if (directory !== undefined && taskKind(task) === "chat") shared.add(directory);
      return directory;
    },
    async lock(directory, taskId, { signal, onBusy }) {
      let told = false;
      const busy = (holder: string) => {
        if (!told) onBusy(holder);
        told = true;
      };
      const release = await workdir.lock(directory, taskId, { signal, onBusy: busy });
      if (shared.has(directory)) return release;
      try {
        await takeAmongHosts(directory.path, taskId, signal, busy, ports);
      } catch (error) {
        release();
        throw error;
      }
      return once(() => {
        release();
        const { path } = directory;
        ports.call("local.unlock", { path, taskId }).catch((error: unknown) =>
          log.warn("directory not given back", { task: taskId, error: errorText(error) })
        );
      });
    },
  };
}

async function takeAmongHosts(
  path: string,
  taskId: string,
  signal: AbortSignal,
  onBusy: (holder: string) => void,
  { call, clock, random }: DirectoryLockPorts,
): Promise<void> {
  for (;;) {
    const answer = await call("local.lock", { path, taskId });
    if (answer.held && !signal.aborted) return;
    if (answer.held) await call("local.unlock", { path, taskId });
    signal.throwIfAborted();
    if (!answer.held) onBusy(answer.holder);
    await sleep(clock, RETRY_MS + random() * RETRY_SPREAD_MS, signal);
  }
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
