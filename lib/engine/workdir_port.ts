/** Opens the workdir room for a task's run: what it may not do itself it asks of the supervisor. */
import { providerRow } from "../agents/mod.ts";
import type { WorkdirPort } from "../tasks/mod.ts";
import { type LostRun, takeOutLeftovers, type WorkdirDeps, Workdirs } from "../workdir/mod.ts";
import { lockedAmongHosts } from "./directory_lock.ts";
import type { TaskRoomParts } from "./task_room.ts";

/** The directories of this host's tasks. */
export interface OpenWorkdirs {
  readonly port: WorkdirPort;
  /** Takes out of users' own directories what these runs of a killed host left there. */
  takeOutLeftovers(runs: readonly LostRun[], signal: AbortSignal): Promise<void>;
}

/** Opens them. @throws {HostError} when the workspaces root cannot be used */
export async function openWorkdirs(parts: TaskRoomParts): Promise<OpenWorkdirs> {
  const deps = workdirDeps(parts);
  const rooms = await Workdirs.open(deps);
  const { localDirectory, lock } = lockedAmongHosts(rooms, parts.ports);
  return {
    port: {
      reserve: (task) => rooms.reserve(task),
      skills: (task, signal) => rooms.skills(task, signal),
      prepare: (input) => rooms.prepare(input),
      localDirectory,
      lock,
    },
    takeOutLeftovers: (runs, signal) => takeOutLeftovers(runs, deps, signal),
  };
}

function workdirDeps({ boot, ports, control }: TaskRoomParts): WorkdirDeps {
  const { config } = boot;
  return {
    settings: {
      workspacesRoot: config.paths.workspacesRoot,
      daemonId: config.daemonId,
      profile: config.profile,
      home: config.paths.home,
      tempBase: boot.tempBase,
      os: Deno.build.os,
      serverUrl: config.serverUrl,
      healthPort: config.healthPort,
      shimDir: config.paths.shimDir,
      inheritedEnv: config.inheritedEnv,
      agentArgs: config.agentArgs,
    },
    clock: ports.clock,
    control,
    providerFiles: providerRow,
    link: (path, target) => ports.call("link", { path, target }),
    openLocal: (path) => ports.call("local.open", { path }),
    localOps: (root, ops) => ports.call("local", { root, ops }),
  };
}
