/** What killed runs left in users' own directories: taken out when the host starts again (spec 04 §6, 6.5). */
import { brokeredFiles, errorText, getLog, HostError, openFiles, type WorkFiles } from "../core/mod.ts";
import { envPaths, predictEnvRoot } from "./layout.ts";
import type { WorkdirDeps } from "./ports.ts";
import { readManifest, takeOut } from "./sidecars.ts";

const log = getLog("workdir", "leftovers");

/** A run whose end this host has not seen. */
export interface LostRun {
  readonly taskId: string;
  readonly workspaceId: string;
}

/** What {@link takeOutLeftovers} works with. */
export type LeftoverDeps =
  & Pick<WorkdirDeps, "openLocal" | "localOps">
  & { readonly settings: Pick<WorkdirDeps["settings"], "workspacesRoot"> };

/**
 * Takes brief, skills and markers of these runs out of the local directories they worked in, one run after the other
 * until `signal` aborts; none of them may still run. What cannot be taken out is a warning, its record stays for next time.
 */
export async function takeOutLeftovers(
  runs: readonly LostRun[],
  deps: LeftoverDeps,
  signal?: AbortSignal,
): Promise<void> {
  if (runs.length === 0) return;
  const root = await openFiles(deps.settings.workspacesRoot);
  for (const { taskId, workspaceId } of runs) {
    if (signal?.aborted) return;
    const envRoot = predictEnvRoot(root.root, workspaceId, taskId);
    try {
      if (envRoot !== "") await takeOutOne(root, envPaths(envRoot).manifest, taskId, deps);
    } catch (error) {
      log.warn("files of a killed run not taken out", { task: taskId, error: errorText(error) });
    }
  }
}

/** The record goes last, so that a second kill repeats it, and for good: what appears there later is the user's. */
async function takeOutOne(root: WorkFiles, path: string, task: string, deps: LeftoverDeps): Promise<void> {
  const directory = await takeOutRecorded(root, path, deps);
  if (directory === undefined) return;
  await root.remove(path);
  log.info("files of a killed run taken out", { task, directory });
}

/**
 * Takes out of a user's directory what the manifest at `path` names; the manifest stays. Returns the directory, undefined
 * when the record names none. @throws {HostError} when the directory cannot be opened or something cannot be taken out
 */
export async function takeOutRecorded(
  files: WorkFiles,
  path: string,
  deps: Pick<LeftoverDeps, "openLocal" | "localOps">,
): Promise<string | undefined> {
  const manifest = await readManifest(files, path);
  if (manifest?.localDirectory === undefined) return undefined;
  const opened = await deps.openLocal(manifest.localDirectory);
  if (!opened.ok) throw new HostError(opened.reason, { code: "local_directory_error" });
  await takeOut(brokeredFiles(opened.path, deps.localOps), manifest);
  return opened.path;
}
