/** Opens the workdir room for a task's run: what it may not do itself it asks of the supervisor. */
import { providerRow } from "../agents/mod.ts";
import { inlineFiles, pooledFiles } from "../core/mod.ts";
import type { WorkdirPort } from "../tasks/mod.ts";
import { type LostRun, takeOutLeftovers, type WorkdirDeps, Workdirs } from "../workdir/mod.ts";
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
  return {
    port: await Workdirs.open(deps),
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
    io: boot.localFiles ? inlineFiles : pooledFiles,
    control,
    providerFiles: providerRow,
    link: (path, target) => ports.call("link", { path, target }),
    openLocal: (path) => ports.call("local.open", { path }),
    machineLock: {
      take: (path, task) => ports.call("local.lock", { path, task }),
      release: (path, task) => ports.call("local.unlock", { path, task }),
    },
    localOps: (root, ops) => ports.call("local", { root, ops }),
  };
}
