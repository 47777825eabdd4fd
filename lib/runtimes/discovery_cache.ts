/** Versions of programs that have not changed since they were probed, kept over restarts: readiness waits for no probe. */
import * as z from "zod";
import { errorText, getLog } from "../core/mod.ts";

const log = getLog("runtimes", "discovery");

const Entry = z.object({
  mtimeMs: z.number(),
  size: z.number(),
  inode: z.number(),
  version: z.string(),
  probedAt: z.number(),
});
const CacheFile = z.object({
  v: z.literal(1),
  versions: z.record(z.string(), Entry),
  /** Command → path, as the login shell answered. */
  shell: z.object({ key: z.string(), at: z.number(), paths: z.record(z.string(), z.string()) }).optional(),
});

type Stored = z.infer<typeof CacheFile>;

/** A version as it was probed. */
export interface KnownVersion {
  readonly version: string;
  /** Wall-clock ms of the probe. */
  readonly probedAt: number;
}

/** Owner of the cache file. Losing it costs a few probes, so faults are logged and not more. */
export class DiscoveryCache {
  #stored: Stored;
  #dirty = false;

  /** `file` undefined keeps it in memory only. */
  constructor(private readonly file: string | undefined) {
    this.#stored = file === undefined ? empty() : load(file);
  }

  /** The version of this very file, if it is unchanged. */
  version(path: string): KnownVersion | undefined {
    const entry = this.#stored.versions[path];
    const now = fingerprint(path);
    if (!entry || !now) return undefined;
    const same = entry.mtimeMs === now.mtimeMs && entry.size === now.size && entry.inode === now.inode;
    return same ? { version: entry.version, probedAt: entry.probedAt } : undefined;
  }

  setVersion(path: string, known: KnownVersion): void {
    const now = fingerprint(path);
    if (!now) return;
    this.#stored.versions[path] = { ...now, ...known };
    this.#dirty = true;
  }

  forgetVersion(path: string): void {
    if (delete this.#stored.versions[path]) this.#dirty = true;
  }

  /** What the login shell last answered in this environment. May be old: it is only a first guess. */
  shellPaths(key: string): Readonly<Record<string, string>> {
    return this.#stored.shell?.key === key ? this.#stored.shell.paths : {};
  }

  setShellPaths(key: string, at: number, paths: ReadonlyMap<string, string>): void {
    this.#stored.shell = { key, at, paths: Object.fromEntries(paths) };
    this.#dirty = true;
  }

  /** Writes what changed: temporary file, then rename. */
  save(): void {
    if (!this.#dirty || this.file === undefined) return;
    const temporary = `${this.file}.${Deno.pid}.tmp`;
    try {
      Deno.writeTextFileSync(temporary, JSON.stringify(this.#stored), { mode: 0o600 });
      Deno.renameSync(temporary, this.file);
      this.#dirty = false;
    } catch (error) {
      log.warn("discovery cache not saved", { file: this.file, error: errorText(error) });
    }
  }
}

function empty(): Stored {
  return { v: 1, versions: {} };
}

function load(file: string): Stored {
  try {
    return CacheFile.parse(JSON.parse(Deno.readTextFileSync(file)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.warn("discovery cache unreadable, starting anew", { file, error: errorText(error) });
    }
    return empty();
  }
}

function fingerprint(path: string): { mtimeMs: number; size: number; inode: number } | undefined {
  try {
    const stat = Deno.statSync(path);
    return { mtimeMs: stat.mtime?.getTime() ?? 0, size: stat.size, inode: stat.ino ?? 0 };
  } catch {
    return undefined; // vanished: nothing to compare with
  }
}
