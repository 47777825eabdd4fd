/** Files that say whose a directory is: of an env root, of the workspaces root (spec 04 §20.1, 20.4). */
import { join } from "node:path";
import * as z from "zod";
import type { ClaimedTask } from "../control/mod.ts";
import { errorText, getLog, type WorkFiles } from "../core/mod.ts";
import { MANAGED_TASK, TASK_MARKER } from "./context_files.ts";
import { safeJson } from "./phrasing.ts";

const log = getLog("workdir", "provenance");

const MANAGED_ENV = "multica-daemon-managed-env";

const markSchema = z.object({
  managed_by: z.string(),
  workspace_id: z.string().optional(),
  agent_id: z.string().optional(),
  issue_id: z.string().optional(),
  chat_session_id: z.string().optional(),
});
type Mark = z.output<typeof markSchema>;

/** What ties a run to its conversation; undefined for tasks whose directory is never used again. */
export function conversationOf(task: ClaimedTask): Partial<Mark> | undefined {
  if (task.agent_id === "") return undefined;
  if (task.chat_session_id !== "") return { chat_session_id: task.chat_session_id };
  return task.issue_id === "" ? undefined : { issue_id: task.issue_id };
}

/** Text of `.managed_env.json`, undefined for tasks without a conversation. */
export function managedEnv(task: ClaimedTask): string | undefined {
  const conversation = conversationOf(task);
  if (conversation === undefined) return undefined;
  const { workspace_id, agent_id } = task;
  return JSON.stringify({ managed_by: MANAGED_ENV, workspace_id, agent_id, ...conversation });
}

/** Why an env root may not be used again by this task; "" when both of its files say that it may. */
export async function foreignEnv(
  files: WorkFiles,
  paths: { readonly managed: string; readonly workDir: string },
  task: ClaimedTask,
): Promise<string> {
  const env = await readMark(files, paths.managed);
  if (env?.managed_by !== MANAGED_ENV) return "it has no record of its origin";
  if (env.workspace_id !== task.workspace_id) return "it belongs to another workspace";
  if (!sameConversation(env, task)) return "it belongs to another agent or conversation";
  const work = await readMark(files, join(paths.workDir, TASK_MARKER));
  if (work?.managed_by !== MANAGED_TASK) return "its work directory has no marker of ours";
  return sameConversation(work, task) ? "" : "its work directory belongs to another agent or conversation";
}

function sameConversation(mark: Mark, task: ClaimedTask): boolean {
  const wanted = conversationOf(task);
  return wanted !== undefined && mark.agent_id === task.agent_id && mark.issue_id === wanted.issue_id &&
    mark.chat_session_id === wanted.chat_session_id;
}

async function readMark(files: WorkFiles, path: string): Promise<Mark | undefined> {
  const text = await files.read(path);
  if (text === undefined) return undefined;
  try {
    return markSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // torn or foreign counts as absent (spec 04 §20.1)
  }
}

/** Keeps the marker of the workspaces root in place, looking at the file only when it has changed. */
export class RootMarker {
  #seen = "";

  constructor(private readonly files: WorkFiles) {}

  /** Writes the marker where it is missing or torn. A foreign file is left, with a warning; trouble never fails a task. */
  async ensure(): Promise<void> {
    const path = join(this.files.root, TASK_MARKER);
    try {
      const info = await this.files.lstat(path);
      const now = info === undefined ? "" : `${info.identity}/${info.size}/${info.mtimeMs}`;
      if (now !== "" && now === this.#seen) return;
      if (await this.#mend(path)) await this.#remember(path);
    } catch (error) {
      log.warn("marker of the workspaces root not written", { path, error: errorText(error) });
    }
  }

  async #mend(path: string): Promise<boolean> {
    const text = await this.files.read(path);
    const mark = await readMark(this.files, path);
    if (mark?.managed_by === MANAGED_TASK) return true;
    if (text !== undefined && isJson(text)) {
      log.warn("marker of the workspaces root belongs to somebody else, left alone", { path });
      return true;
    }
    if (text === undefined) await this.files.mkdir(join(this.files.root, ".multica"));
    await this.files.writeAtomic(path, safeJson({ managed_by: MANAGED_TASK }), { durable: false });
    return true;
  }

  async #remember(path: string): Promise<void> {
    const info = await this.files.lstat(path);
    if (info !== undefined) this.#seen = `${info.identity}/${info.size}/${info.mtimeMs}`;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
