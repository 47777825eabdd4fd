/** Files below a directory that an agent may write to: resolved, checked, then touched (guides/deno.md §4, f22). */
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { errorText, HostError } from "./errors.ts";
import { type FilePrimitives, pooledFiles } from "./file_primitives.ts";

/** What stands at a path. */
export type FileKind = "file" | "dir" | "link" | "other";

/** Facts of one path. */
export interface FileInfo {
  readonly kind: FileKind;
  readonly size: number;
  /** 0 when unknown. */
  readonly mtimeMs: number;
  /** Permission bits, 0 when unknown. */
  readonly mode: number;
  /** Device and inode, "" where the platform has none: two paths with one identity are one thing. */
  readonly identity: string;
}

/** One name in a directory. */
export interface FileEntry {
  readonly name: string;
  readonly kind: FileKind;
}

/** Options of {@link WorkFiles.writeAtomic}. */
export interface WriteOptions {
  /** Permission bits. Default 0o644. */
  readonly mode?: number;
  /** Survives a power cut: the contents are synced before the rename. Default true. */
  readonly durable?: boolean;
}

/**
 * File access confined to one directory. Paths are absolute; every access resolves the path first and refuses one that
 * leads outside through a link. A missing file is `undefined` or `false`, never an error.
 * Methods throw {@link FileRefused} for a path outside and {@link FileFailed} for what the system says.
 */
export interface WorkFiles {
  /** The directory everything stays below, links resolved. */
  readonly root: string;
  /** Facts of what the path leads to; a link that leads outside is refused. */
  stat(path: string): Promise<FileInfo | undefined>;
  /** Facts of the path itself; a link is not followed. */
  lstat(path: string): Promise<FileInfo | undefined>;
  /** Whole text of a regular file; a link or anything else is refused. */
  read(path: string): Promise<string | undefined>;
  /** Writes a file that must not exist yet, in any form; false when something is there. */
  create(path: string, text: string, mode?: number): Promise<boolean>;
  /** Replaces a file in one step. A link at the path is replaced, not followed. */
  writeAtomic(path: string, text: string, options?: WriteOptions): Promise<void>;
  /** Makes the directory and the missing ones above it. Existing ones are fine. */
  mkdir(path: string, mode?: number): Promise<void>;
  /** Removes a file, a link or an empty directory; with `recursive` a whole tree. False when nothing was there. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<boolean>;
  /** Entries of a directory in the file system's order, undefined when it is missing. */
  list(path: string): Promise<readonly FileEntry[] | undefined>;
}

/** A path that is not, or does not stay, below the opened directory. */
export class FileRefused extends HostError {
  constructor(readonly path: string, why: string) {
    super(`Cannot use "${path}": ${why}`, { code: "file_refused", facts: { path } });
  }
}

/** The system refused an operation. */
export class FileFailed extends HostError {
  constructor(doing: string, readonly path: string, cause: unknown) {
    super(`Cannot ${doing} "${path}": ${errorText(cause)}`, { code: "file_failed", cause, facts: { path } });
  }
}

/** True when `path` is `root` or below it. Both absolute and normalised. */
export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/**
 * Opens an existing directory for direct access. `io`: one that no agent has anything mounted in may be touched in place.
 * @throws {FileFailed} when it cannot be resolved
 */
export async function openFiles(root: string, io: FilePrimitives = pooledFiles): Promise<WorkFiles> {
  const plain = resolve(root);
  try {
    return new DirectFiles(plain, await io.realPath(plain), { io, own: new Set() });
  } catch (error) {
    throw new FileFailed("open", plain, error);
  }
}

/** A text is written back as it was read: a byte order mark belongs to it. */
const keepingBom = new TextDecoder("utf-8", { ignoreBOM: true });

/** Files of a directory this host made a moment ago, in which no agent has run yet. */
export interface FreshFiles extends WorkFiles {
  /** An agent gets to it now: from here on every path is resolved again before it is used, in the thread pool. */
  share(): void;
  /** The same below a directory that was made in it. */
  below(path: string): FreshFiles;
}

/**
 * Makes a directory that must not exist yet, and opens it; undefined when something is there. What this host itself makes
 * in it is taken for what it is until {@link FreshFiles.share}, and touched through `io`: nobody else has been in there.
 */
export async function makeFresh(
  parent: WorkFiles,
  path: string,
  io: FilePrimitives = pooledFiles,
): Promise<FreshFiles | undefined> {
  const above = dirname(path);
  if (await parent.lstat(above) === undefined) await parent.mkdir(above);
  const real = await io.realPath(above);
  if (!isBelow(real, parent.root)) throw new FileRefused(path, `a link leads out of ${parent.root}`);
  const place = join(real, basename(path));
  try {
    await io.mkdir(place, { mode: 0o755 });
    return new DirectFiles(place, place, { io, own: new Set([place]) });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw new FileFailed("make the directory", path, error);
  }
}

/** What is known of a directory, shared by all views of it. */
interface Standing {
  io: FilePrimitives;
  /** Directories of our own making that nobody else has been in. */
  readonly own: Set<string>;
}

class DirectFiles implements FreshFiles {
  constructor(
    private readonly given: string,
    readonly root: string,
    private readonly standing: Standing,
  ) {}

  share(): void {
    this.standing.own.clear();
    this.standing.io = pooledFiles;
  }

  below(path: string): FreshFiles {
    return new DirectFiles(path, path, this.standing);
  }

  async stat(path: string): Promise<FileInfo | undefined> {
    const real = await this.#followed(path, "look at");
    return real === undefined ? undefined : await look(real, "look at", this.standing.io.stat);
  }

  async lstat(path: string): Promise<FileInfo | undefined> {
    return await look(await this.#place(path, "look at"), "look at", this.standing.io.lstat);
  }

  async read(path: string): Promise<string | undefined> {
    const place = await this.#place(path, "read");
    const before = await look(place, "read", this.standing.io.lstat);
    if (before === undefined) return undefined;
    if (before.kind !== "file") throw new FileRefused(path, `it is no regular file (${before.kind})`);
    const accept = (opened: Deno.FileInfo) => {
      if (identityOf(opened) !== before.identity) throw new FileRefused(path, "it was exchanged meanwhile");
    };
    try {
      return keepingBom.decode(await this.standing.io.read(place, accept));
    } catch (error) {
      if (error instanceof HostError) throw error;
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new FileFailed("read", path, error);
    }
  }

  async create(path: string, text: string, mode = 0o644): Promise<boolean> {
    const place = await this.#place(path, "write");
    try {
      await this.standing.io.writeNew(place, text, mode);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw new FileFailed("write", path, error);
    }
  }

  async writeAtomic(path: string, text: string, options: WriteOptions = {}): Promise<void> {
    const place = await this.#place(path, "write");
    const temporary = join(dirname(place), `.${basename(place)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
    try {
      const write = options.durable ?? true ? writeDurably : this.standing.io.writeNew;
      await write(temporary, text, options.mode ?? 0o644);
      await this.standing.io.rename(temporary, place);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {}); // never made, or renamed already; the cause is what counts
      throw new FileFailed("write", path, error);
    }
  }

  async mkdir(path: string, mode = 0o755): Promise<void> {
    const place = await this.#place(path, "make");
    try {
      if (this.standing.own.has(dirname(place))) return await this.#makeOwn(place, mode);
      await this.standing.io.mkdir(place, { recursive: true, mode });
    } catch (error) {
      throw new FileFailed("make the directory", path, error);
    }
  }

  /** In a directory of our own making: what is made now is ours too; what is there already is not taken for ours. */
  async #makeOwn(place: string, mode: number): Promise<void> {
    try {
      await this.standing.io.mkdir(place, { mode });
      this.standing.own.add(place);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      await this.standing.io.mkdir(place, { recursive: true, mode }); // fails unless it is a directory
    }
  }

  async remove(path: string, options: { readonly recursive?: boolean } = {}): Promise<boolean> {
    const place = await this.#place(path, "remove");
    if (place === this.root) throw new FileRefused(path, "it is the opened directory itself");
    try {
      // A tree may be large: it never holds up the thread.
      if (options.recursive === true) await Deno.remove(place, { recursive: true });
      else await this.standing.io.remove(place);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw new FileFailed("remove", path, error);
    }
  }

  async list(path: string): Promise<readonly FileEntry[] | undefined> {
    const real = await this.#followed(path, "list");
    if (real === undefined) return undefined;
    try {
      return (await this.standing.io.list(real)).map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new FileFailed("list", path, error);
    }
  }

  /** The path with its parent resolved and checked; its last part is not followed. */
  async #place(path: string, doing: string): Promise<string> {
    if (!isAbsolute(path) || resolve(path) !== path || path.includes("\0")) {
      throw new FileRefused(path, "it is not a plain absolute path");
    }
    if (path === this.given || path === this.root) return this.root;
    if (!isBelow(path, this.given) && !isBelow(path, this.root)) {
      throw new FileRefused(path, `it is not below ${this.root}`);
    }
    if (this.standing.own.has(dirname(path))) return path;
    const parent = await this.#realParent(dirname(path), doing);
    if (!isBelow(parent, this.root)) throw new FileRefused(path, `a link leads out of ${this.root}`);
    return join(parent, basename(path));
  }

  /** The path with every link followed; undefined when it does not exist. */
  async #followed(path: string, doing: string): Promise<string | undefined> {
    const place = await this.#place(path, doing);
    let real: string;
    try {
      real = await this.standing.io.realPath(place);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new FileFailed(doing, path, error);
    }
    if (!isBelow(real, this.root)) throw new FileRefused(path, `a link leads out of ${this.root}`);
    return real;
  }

  /** The real path of a directory that need not exist: what exists is resolved, the rest appended. */
  async #realParent(path: string, doing: string): Promise<string> {
    try {
      return await this.standing.io.realPath(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw new FileFailed(doing, path, error);
    }
    const info = await look(path, doing, this.standing.io.lstat);
    if (info?.kind === "link") throw new FileRefused(path, "it is a link to something that does not exist");
    const parent = dirname(path);
    return parent === path ? path : join(await this.#realParent(parent, doing), basename(path));
  }
}

async function look(
  path: string,
  doing: string,
  how: FilePrimitives["lstat"],
): Promise<FileInfo | undefined> {
  try {
    const info = await how(path);
    return {
      kind: kindOf(info),
      size: info.size,
      mtimeMs: info.mtime?.getTime() ?? 0,
      mode: (info.mode ?? 0) & 0o7777,
      identity: identityOf(info),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw new FileFailed(doing, path, error);
  }
}

function kindOf(info: Pick<Deno.FileInfo, "isFile" | "isDirectory" | "isSymlink">): FileKind {
  return info.isSymlink ? "link" : info.isFile ? "file" : info.isDirectory ? "dir" : "other";
}

function identityOf(info: Deno.FileInfo): string {
  return info.ino === null || info.ino === 0 ? "" : `${info.dev}:${info.ino}`;
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.syncData();
}
