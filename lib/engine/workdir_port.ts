/** Fits the workdir room to what a task's run needs. */
import { join } from "node:path";
import { taskKey } from "../core/mod.ts";
import type { WorkdirPort } from "../tasks/mod.ts";
import type { TaskRoomParts } from "./task_room.ts";

export function workdirPort({ boot }: TaskRoomParts): WorkdirPort {
  const root = boot.config.paths.workspacesRoot;
  return {
    reserve: () => () => {},
    localDirectory: () => Promise.resolve(undefined),
    lock: () => Promise.resolve(() => {}),
    skills: (task) => Promise.resolve(task.agent?.skills ?? []),
    async prepare({ task }) {
      const env = join(root, task.workspace_id, taskKey(task.id));
      const workDir = join(env, "workdir");
      await Deno.mkdir(workDir, { recursive: true });
      const tempDir = join(env, "tmp");
      await Deno.mkdir(tempDir, { recursive: true });
      return {
        root: env,
        workDir,
        tempDir,
        isPriorWorkDir: workDir === task.prior_work_dir,
        env: { TMPDIR: tempDir },
        mcpConfig: task.agent?.mcp_config,
        sessionFile: () => Promise.resolve("unknown"),
        brief: () => Promise.resolve(""),
        prompt: () => `Work on issue ${task.issue_id}: ${task.thread_name}`,
        continuityNotice: "",
        cleanup: () => Promise.resolve(),
        close: () => Promise.resolve(),
      };
    },
  };
}
