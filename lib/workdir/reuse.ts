/** Whether a follow-up may work in the directory of the run before it (spec 04 §20.1). */
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { ClaimedTask } from "../control/mod.ts";
import { type Clock, errorText, openFiles, type WorkFiles } from "../core/mod.ts";
import type { EnvClaims } from "./env_claim.ts";
import { type EnvPaths, envPaths, WORKDIR } from "./layout.ts";
import { conversationOf, foreignEnv } from "./provenance.ts";

/** How long a follow-up waits for its predecessor to leave the directory, ms: a polite stop, a kill, and its proof. */
const LEAVE_MS = 20_000;

/** A prior env root, taken for this run. */
export interface ReusedRoot {
  readonly ok: true;
  readonly paths: EnvPaths;
  /** Access below the env root. */
  readonly files: WorkFiles;
  readonly release: () => void;
}

/** Or why a fresh one is made. */
export interface NotReused {
  readonly ok: false;
  readonly reason: string;
}

/** Checks all conditions, takes the root, and checks again what may have changed meanwhile. */
export async function tryReuse(
  task: ClaimedTask,
  root: WorkFiles,
  { claims, clock, signal }: {
    readonly claims: EnvClaims;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<ReusedRoot | NotReused> {
  const no = (reason: string): NotReused => ({ ok: false, reason });
  const prior = task.prior_work_dir;
  if (prior === "") return no("the claim names no earlier directory");
  if (conversationOf(task) === undefined) return no("the task belongs to no conversation");
  if (!isAbsolute(prior)) return no("the earlier directory is no absolute path");
  try {
    const before = await root.lstat(resolve(prior));
    if (before?.kind !== "dir") return no("the earlier directory is gone or no directory");
    const real = await Deno.realPath(resolve(prior));
    const wrong = misplaced(real, root.root, task.workspace_id);
    if (wrong !== "") return no(wrong);
    const paths = envPaths(dirname(real));
    const release = await claims.takeSoon(paths.root, { clock, limitMs: LEAVE_MS, signal });
    if (release === undefined) return no("another run is at work in it");
    try {
      const files = await openFiles(paths.root);
      const foreign = await foreignEnv(files, paths, task);
      const after = await files.lstat(paths.workDir);
      if (foreign === "" && after?.kind === "dir" && after.identity === before.identity) {
        return { ok: true, paths, files, release };
      }
      release();
      return no(foreign || "the earlier directory was exchanged meanwhile");
    } catch (error) {
      release();
      throw error;
    }
  } catch (error) {
    signal.throwIfAborted();
    return no(`the earlier directory cannot be used: ${errorText(error)}`);
  }
}

/** The path must be `<root>/<workspace>/<one segment>/workdir`. */
function misplaced(real: string, root: string, workspaceId: string): string {
  const parts = relative(root, real).split(sep);
  const [workspace, segment, last] = parts;
  const inPlace = parts.length === 3 && workspace === workspaceId && last === WORKDIR &&
    segment !== undefined && !segment.startsWith(".") && join(root, ...parts) === real;
  return inPlace ? "" : "the earlier directory is no task directory of this workspace";
}
