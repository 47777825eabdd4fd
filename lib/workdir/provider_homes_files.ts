/** Reading the user's own files in an agent's home, where an agent may have planted a link (guides/deno.md §4, f22). */
import { dirname, resolve } from "node:path";
import { errorText, HostError, isBelow } from "../core/mod.ts";

/** A file of the user's that cannot be used. */
export class HomeFileRefused extends HostError {
  constructor(path: string, why: string, cause?: unknown) {
    super(`Cannot read "${path}": ${why}`, { code: "home_file_refused", cause, facts: { path } });
  }
}

/** Stores of package managers that make settings: nobody but they can write there. */
const STORES = ["/nix/store", "/gnu/store"];

/**
 * Text of a regular file, undefined when it is missing. People keep their settings as links into a directory of theirs:
 * followed while the end is below the file's own directory or one of `roots`.
 * @throws {HomeFileRefused} for a link that leads elsewhere, for what is no regular file, and for what the system says
 */
export async function readHomeFile(path: string, roots: readonly string[]): Promise<string | undefined> {
  try {
    const real = await Deno.realPath(path);
    const allowed = [await realDirectory(dirname(path)), ...roots.map((root) => resolve(root)), ...STORES];
    if (!allowed.some((root) => isBelow(real, root))) {
      throw new HomeFileRefused(path, `it is a link to ${real}, outside of the home directory`);
    }
    // Not through an opened file: its `stat` asks for rights at the real path, which the engine need not have.
    const before = await Deno.stat(path);
    if (!before.isFile) throw new HomeFileRefused(path, "it is no regular file");
    const text = await Deno.readTextFile(path);
    const after = await Deno.stat(path);
    if (before.ino !== after.ino || before.dev !== after.dev || await Deno.realPath(path) !== real) {
      throw new HomeFileRefused(path, "it was exchanged meanwhile");
    }
    return text;
  } catch (error) {
    if (error instanceof HostError) throw error;
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new HomeFileRefused(path, errorText(error), error);
  }
}

/** The engine may know a file in the home directory and not the directory itself. */
async function realDirectory(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return resolve(path);
    throw error;
  }
}
