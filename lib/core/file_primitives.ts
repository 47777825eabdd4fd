/**
 * The primitives under {@link import("./files.ts").WorkFiles}: through the thread pool, or in place.
 *
 * On a file system of this machine such an operation takes 5 to 30 µs; handing it to the pool and back costs 60 to 200 µs
 * and a turn of the event loop (measured), and preparing a task's directory takes fifty of them. A network file system may
 * make the caller wait for seconds, so there everything goes through the pool.
 */

/** Answers at once or later; errors are thrown or rejected alike, so callers `await` inside `try`. */
type Answer<T> = T | Promise<T>;

/** What the file system is asked for; the errors are Deno's own. */
export interface FilePrimitives {
  realPath(path: string): Answer<string>;
  stat(path: string): Answer<Deno.FileInfo>;
  lstat(path: string): Answer<Deno.FileInfo>;
  mkdir(path: string, options: Deno.MkdirOptions): Answer<void>;
  makeTempDir(options: Deno.MakeTempOptions): Answer<string>;
  /** Writes a new file; fails when something is there. */
  writeNew(path: string, text: string, mode: number): Answer<void>;
  /** Facts and bytes of one opened file. `accept` throws where the file is not the one that was looked for. */
  read(path: string, accept: (info: Deno.FileInfo) => void): Promise<Uint8Array>;
  rename(from: string, to: string): Answer<void>;
  /** Removes a file, a link or an empty directory. */
  remove(path: string): Answer<void>;
  list(path: string): Answer<Deno.DirEntry[]>;
}

/** Everything through the thread pool. */
export const pooledFiles: FilePrimitives = {
  realPath: Deno.realPath,
  stat: Deno.stat,
  lstat: Deno.lstat,
  mkdir: Deno.mkdir,
  makeTempDir: Deno.makeTempDir,
  writeNew: (path, text, mode) => Deno.writeTextFile(path, text, { createNew: true, mode }),
  async read(path, accept) {
    using file = await Deno.open(path, { read: true });
    accept(await file.stat());
    return await new Response(file.readable).bytes();
  },
  rename: Deno.rename,
  remove: (path) => Deno.remove(path),
  list: (path) => Array.fromAsync(Deno.readDir(path)),
};

/** Everything but reading in place, by the thread that asks. */
export const inlineFiles: FilePrimitives = {
  realPath: Deno.realPathSync,
  stat: Deno.statSync,
  lstat: Deno.lstatSync,
  mkdir: Deno.mkdirSync,
  makeTempDir: Deno.makeTempDirSync,
  writeNew: (path, text, mode) => Deno.writeTextFileSync(path, text, { createNew: true, mode }),
  // Opening may wait for ever: a pipe put in the file's place since it was looked at.
  read: pooledFiles.read,
  rename: Deno.renameSync,
  remove: (path) => Deno.removeSync(path),
  list: (path) => [...Deno.readDirSync(path)],
};
