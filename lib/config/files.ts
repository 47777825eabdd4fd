/** The few file operations the settings need, so that they can be handed in; and the real ones. */
import { dirname, join } from "node:path";
import { HostError } from "../core/mod.ts";

/** Files as the settings see them. Synchronous: they are small and read once. */
export interface ConfigFiles {
  /** Content, or undefined when there is no such file. @throws {FileTrouble} */
  read(path: string): string | undefined;
  /** Replaces the file in one step: temporary file beside it, mode, rename; its directory is made. @throws {FileTrouble} */
  write(path: string, text: string, mode: number): void;
  /** Names of the directories in `path`; [] when it cannot be read. */
  directories(path: string): string[];
  /** Runs `work` while no other process of ours changes files in `dir`. */
  locked<T>(dir: string, work: () => T): T;
}

/** A settings file that cannot be read or written. */
export class FileTrouble extends HostError {
  constructor(doing: "read" | "write", readonly path: string, cause: unknown) {
    super(`Cannot ${doing} "${path}": ${reason(cause)}`, {
      code: `file_${doing}_failed`,
      hint: /no space|ENOSPC/i.test(reason(cause))
        ? "free some disk space"
        : `check the owner and the rights of "${dirname(path)}"`,
      cause,
      facts: { path },
    });
  }
}

/** The machine's own files. */
export const realFiles: ConfigFiles = {
  read(path) {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return undefined;
      }
      throw new FileTrouble("read", path, error);
    }
  },
  write: writeAtomic,
  directories(path) {
    try {
      return [...Deno.readDirSync(path)].filter((entry) => entry.isDirectory).map((entry) => entry.name)
        .sort();
    } catch {
      // Spec 03 §4.2: a profiles directory that is missing or unreadable has no profiles.
      return [];
    }
  },
  locked(dir, work) {
    const path = join(dir, ".config.lock");
    let lock: Deno.FsFile;
    try {
      Deno.mkdirSync(dir, { recursive: true, mode: 0o755 });
      lock = Deno.openSync(path, { create: true, write: true, mode: 0o600 });
    } catch (error) {
      throw new FileTrouble("write", path, error);
    }
    try {
      lock.lockSync(true);
      return work();
    } finally {
      lock.close();
    }
  },
};

function writeAtomic(path: string, text: string, mode: number): void {
  const temporary = join(dirname(path), temporaryName(path));
  try {
    Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const file = Deno.openSync(temporary, { createNew: true, write: true, mode });
    try {
      const bytes = new TextEncoder().encode(text);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      file.syncSync();
    } finally {
      file.close();
    }
    if (Deno.build.os !== "windows") Deno.chmodSync(temporary, mode);
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw new FileTrouble("write", path, error);
  }
}

/** `config.json` → `.config-<random>.json.tmp` (spec 03 §3, §4.1). */
function temporaryName(path: string): string {
  const name = path.slice(dirname(path).length + 1);
  const dot = name.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  return `.${stem}-${crypto.randomUUID().slice(0, 8)}${end}.tmp`;
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was never created, or is gone already; the error that led here is the one to report.
  }
}

/** The system's reason without our path in it. */
function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/: \w+ '.*'$/, "").replace(/ \(os error \d+\).*$/, "");
}
