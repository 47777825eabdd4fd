/** Files an agent hands over: only those of its own directory, so that no stale file of another run is published. */
import { basename, isAbsolute, resolve } from "node:path";
import { errorText, isBelow } from "../core/mod.ts";
import { MAX_FILE } from "./client.ts";
import { LocalError } from "./failures.ts";

/**
 * The bytes of a file that lies inside `cwd`, links followed, unless `anywhere` (spec 05 §27.4).
 * @throws {LocalError} naming the flag and the path
 */
export async function readTaskFile(
  flag: string,
  path: string,
  cwd: string,
  anywhere: boolean,
): Promise<Uint8Array> {
  try {
    const real = await Deno.realPath(isAbsolute(path) ? path : resolve(cwd, path));
    if (!anywhere && !isBelow(real, await Deno.realPath(cwd))) {
      throw new LocalError(
        `${flag}: ${path} lies outside the current directory, where files of other runs may be. ` +
          "Write it inside the work directory, or pass --allow-external-file",
      );
    }
    const { isFile, size } = await Deno.stat(real);
    if (!isFile) throw new LocalError(`${flag}: ${path} is no regular file`);
    if (size > MAX_FILE) throw new LocalError(`${flag}: ${path} is larger than 100 MiB`);
    return await Deno.readFile(real);
  } catch (error) {
    if (error instanceof LocalError) throw error;
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : errorText(error);
    throw new LocalError(`${flag}: cannot read ${path}: ${reason}`, error);
  }
}

/** A file waiting to be sent. */
export interface PendingFile {
  /** As it was given. */
  readonly path: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Reads every attachment before the first is sent. URLs are skipped with a note. */
export async function readAttachments(
  paths: readonly string[],
  { cwd, anywhere, note }: {
    readonly cwd: string;
    readonly anywhere: boolean;
    readonly note: (text: string) => void;
  },
): Promise<PendingFile[]> {
  const files: PendingFile[] = [];
  for (const path of paths) {
    if (/^https?:\/\//i.test(path.trim())) {
      note(`Skipped ${path.trim()}: --attachment takes files; put a link into the text instead.\n`);
      continue;
    }
    const bytes = await readTaskFile("--attachment", path, cwd, anywhere);
    files.push({ path, name: basename(path), bytes });
  }
  return files;
}
