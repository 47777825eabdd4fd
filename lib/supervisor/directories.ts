/** What must be on disk before an engine starts: directories, pid file, private temporary base. */
import { basename, dirname, join } from "node:path";
import type { Paths } from "../config/mod.ts";
import { errorText, getLog, HostError } from "../core/mod.ts";

const log = getLog("supervisor", "files");

const TEMP_PREFIX = "multica-host-";

/** A directory the host cannot do without. */
export class DirectoryUnusable extends HostError {
  constructor(what: string, path: string, cause: unknown) {
    super(`Cannot use ${what} "${path}": ${reasonOf(cause)}`, {
      code: "directory_unusable",
      hint: what === "the workspaces root"
        ? "make it writable, or choose another with MULTICA_WORKSPACES_ROOT"
        : "make it writable for this user",
      cause,
      facts: { path },
    });
  }
}

/** Makes the directories of a profile and proves that they can be written to. @throws {DirectoryUnusable} */
export async function prepareDirectories(paths: Paths): Promise<void> {
  const tried = await Promise.allSettled([
    usable("the state directory", paths.stateDir),
    usable("the workspaces root", paths.workspacesRoot),
    usable("the command directory", paths.shimDir),
  ]);
  for (const outcome of tried) if (outcome.status === "rejected") throw outcome.reason;
}

/**
 * A fresh private directory for temporary files (0700, short path: sockets live there). The one that a killed host of this
 * profile left behind is removed.
 */
export async function makeTempBase(stateDir: string, noteName = "temp_base"): Promise<string> {
  const note = join(stateDir, noteName);
  await removeStaleTemp(note);
  try {
    const base = await Deno.realPath(await Deno.makeTempDir({ prefix: TEMP_PREFIX }));
    await Deno.writeTextFile(note, base, { mode: 0o600 });
    return base;
  } catch (error) {
    throw new DirectoryUnusable("the temporary directory", Deno.env.get("TMPDIR") ?? "/tmp", error);
  }
}

/** Removes the temporary base at the end; a leftover is removed at the next start. */
export async function removeTempBase(base: string): Promise<void> {
  try {
    await Deno.remove(base, { recursive: true });
  } catch (error) {
    log.warn("temporary directory not removed", { path: base, error: errorText(error) });
  }
}

/** Writes our pid; the returned function removes the file if it still is ours. Informational only (spec 03 §1). */
export async function writePidFile(path: string, pid: number): Promise<() => Promise<void>> {
  try {
    await Deno.writeTextFile(path, String(pid), { mode: 0o644 });
  } catch (error) {
    log.warn("pid file not written", { path, error: errorText(error) });
  }
  return async () => {
    try {
      if ((await Deno.readTextFile(path)).trim() === String(pid)) await Deno.remove(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        log.warn("pid file not removed", { path, error: errorText(error) });
      }
    }
  };
}

async function usable(what: string, path: string): Promise<void> {
  const probe = join(path, `.multica-write-${crypto.randomUUID().slice(0, 8)}`);
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o755 });
    await Deno.writeTextFile(probe, "", { createNew: true });
    await Deno.remove(probe);
  } catch (error) {
    throw new DirectoryUnusable(what, path, error);
  }
}

async function removeStaleTemp(note: string): Promise<void> {
  try {
    const stale = (await Deno.readTextFile(note)).trim();
    const ours = basename(stale).startsWith(TEMP_PREFIX) && dirname(stale) !== stale &&
      (await Deno.lstat(stale)).isDirectory;
    if (ours) await Deno.remove(stale, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // nothing was left behind
    log.warn("old temporary directory not removed", { error: errorText(error) });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not write there";
  if (error instanceof Deno.errors.NotCapable) {
    return "the host does not write into the system's own directories";
  }
  if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory) {
    return "it is not a directory";
  }
  return errorText(error);
}
