/** Versions of programs that have not changed since they were probed, kept over restarts: readiness waits for no probe. */
import { errorText, getLog } from "../core/mod.ts";

const log = getLog("runtimes", "discovery");

interface Entry extends KnownVersion {
  readonly mtimeMs: number;
  readonly size: number;
  readonly inode: number;
}

interface Stored {
  readonly v: 1;
  readonly versions: Record<string, Entry>;
  /** Command → path, as the login shell answered. */
  shell?: { readonly key: string; readonly at: number; readonly paths: Readonly<Record<string, string>> };
}

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
    const value: unknown = JSON.parse(Deno.readTextFileSync(file));
    if (!isStored(value)) throw new Error("it has another form");
    return value;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.warn("discovery cache unreadable, starting anew", { file, error: errorText(error) });
    }
    return empty();
  }
}

/** Plain code: the cache is read before anything else of a start. */
function isStored(value: unknown): value is Stored {
  if (!isMap(value) || value["v"] !== 1) return false;
  const { versions, shell } = value;
  return isMap(versions) && Object.values(versions).every(isEntry) && (shell === undefined || isShell(shell));
}

function isEntry(value: unknown): value is Entry {
  return isMap(value) && typeof value["version"] === "string" &&
    ["mtimeMs", "size", "inode", "probedAt"].every((name) => typeof value[name] === "number");
}

function isShell(value: unknown): value is Stored["shell"] {
  return isMap(value) && typeof value["key"] === "string" && typeof value["at"] === "number" &&
    isMap(value["paths"]) && Object.values(value["paths"]).every((path) => typeof path === "string");
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fingerprint(path: string): { mtimeMs: number; size: number; inode: number } | undefined {
  try {
    const stat = Deno.statSync(path);
    return { mtimeMs: stat.mtime?.getTime() ?? 0, size: stat.size, inode: stat.ino ?? 0 };
  } catch {
    return undefined; // vanished: nothing to compare with
  }
}
