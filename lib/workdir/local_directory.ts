/** Which directory of the user's a task is to work in (spec 04 §10.1, 10.2, 20.12). Pure. */
import { basename, isAbsolute, resolve } from "node:path";
import type { ClaimedTask } from "../control/mod.ts";
import { HostError } from "../core/mod.ts";
import { isSquadLeader, oneLine, trimmed } from "./phrasing.ts";

/** A task's assignment that cannot be followed. */
export class LocalDirectoryError extends HostError {
  constructor(why: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(why.startsWith("local_directory:") ? why : `local_directory: ${why}`, {
      code: "local_directory_error",
      hint: "correct the project's local directory for this machine",
      facts,
    });
  }
}

/** An assignment, not yet checked on this machine. */
export interface LocalAssignment {
  readonly path: string;
  /** What users may see of it. */
  readonly label: string;
}

/** The directory of this daemon, undefined for none. @throws {LocalDirectoryError} when it cannot be told */
export function localAssignment(task: ClaimedTask, daemonId: string): LocalAssignment | undefined {
  if (daemonId === "" || isSquadLeader(task)) return undefined;
  const found = task.project_resources
    .filter(({ resource_type }) => resource_type === "local_directory")
    .flatMap(({ resource_ref: ref, label }) => {
      const owner = text(ref.daemon_id);
      if (owner === "") throw new LocalDirectoryError("a resource names no daemon");
      if (owner !== daemonId) return [];
      return [{ path: checkedPath(ref), label: oneLine(text(ref.label) || label) }];
    });
  const [first, second] = found;
  if (first === undefined) return undefined;
  if (second !== undefined) {
    throw new LocalDirectoryError(
      `two directories are assigned to this machine: ${first.path} and ${second.path}`,
    );
  }
  return { path: first.path, label: first.label || basename(first.path) };
}

function checkedPath(ref: Readonly<Record<string, unknown>>): string {
  const path = text(ref.local_path);
  if (path === "") throw new LocalDirectoryError("the path is empty");
  if (!isAbsolute(path)) throw new LocalDirectoryError(`${path} is not an absolute path`);
  const mode = text(ref.execution_mode);
  if (mode === "worktree") {
    throw new LocalDirectoryError("this version works in place only, not in a worktree of the directory");
  }
  if (mode !== "" && mode !== "in_place") throw new LocalDirectoryError(`unknown execution mode "${mode}"`);
  return resolve(path);
}

function text(value: unknown): string {
  return typeof value === "string" ? trimmed(value) : "";
}
