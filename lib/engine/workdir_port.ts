/** Opens the workdir room for a task's run: what it may not do itself it asks of the supervisor. */
import { providerRow } from "../agents/mod.ts";
import { inlineFiles, pooledFiles } from "../core/mod.ts";
import type { WorkdirPort } from "../tasks/mod.ts";
import { Workdirs } from "../workdir/mod.ts";
import type { TaskRoomParts } from "./task_room.ts";

/** The directories of this host's tasks. @throws {HostError} when the workspaces root cannot be used */
export function openWorkdirs({ boot, ports, control }: TaskRoomParts): Promise<WorkdirPort> {
  const { config } = boot;
  return Workdirs.open({
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
  });
}
