/**
 * User directories in use by the hosts of this machine: two profiles never work in the same one, or in one inside
 * another, at the same time (spec 04 §20.17).
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errorText, getLog, isBelow } from "../core/mod.ts";

const log = getLog("supervisor", "directories");

/** Whether a directory is ours now. */
export interface DirectoryLock {
  readonly held: boolean;
  /** The task of another host that stands before us, "" when held. */
  readonly holder: string;
}

interface Claim {
  readonly id: number;
  readonly host: string;
  readonly path: string;
  readonly task: string;
}

/**
 * One owner a host. Claims lie in a database all hosts of the user share, in order of arrival. A host shows that it
 * lives by a transaction it keeps open in a file of its own: the system ends that with the process, however it ends.
 */
export class DirectoryLocks {
  readonly #host = `host-${randomUUID()}.sqlite`;
  #life: DatabaseSync | undefined;
  #claims: DatabaseSync | undefined;
  #broken = false;

  /** `dir` is made at the first claim: `~/.multica/directory_locks`. */
  constructor(private readonly dir: string) {}

  /**
   * Claims a directory (real path), or asks again whether it is free by now. Where claims cannot be kept at all, the
   * directory counts as free, with one warning: the host's own locks still hold.
   */
  take(path: string, task: string): DirectoryLock {
    if (this.#broken) return FREE;
    try {
      this.#open();
      return this.#inOneStep((claims) => this.#look(claims, path, task));
    } catch (error) {
      this.#broken = true;
      log.warn("other hosts on this machine are not kept out of local directories", {
        dir: this.dir,
        error: errorText(error),
      });
      return FREE;
    }
  }

  /** Gives a directory back, or stops waiting for it. */
  release(path: string, task: string): void {
    this.#forget("DELETE FROM claims WHERE host = ? AND path = ? AND task = ?", this.#host, path, task);
  }

  /** The engine is gone, and with it every claim of this host. */
  reset(): void {
    this.#forget("DELETE FROM claims WHERE host = ?", this.#host);
  }

  /** The host ends. */
  close(): void {
    this.reset();
    this.#claims?.close();
    if (this.#life !== undefined) {
      this.#life.close();
      removeQuietly(join(this.dir, this.#host));
    }
    this.#claims = this.#life = undefined;
  }

  #open(): void {
    if (this.#claims !== undefined) return;
    Deno.mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    this.#life ??= new DatabaseSync(join(this.dir, this.#host));
    this.#life.exec("BEGIN EXCLUSIVE");
    const claims = new DatabaseSync(join(this.dir, "claims.sqlite"));
    claims.exec(
      "PRAGMA busy_timeout = 2000; PRAGMA synchronous = OFF; CREATE TABLE IF NOT EXISTS claims " +
        "(id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, path TEXT NOT NULL, task TEXT NOT NULL)",
    );
    this.#claims = claims;
  }

  #look(claims: DatabaseSync, path: string, task: string): DirectoryLock {
    const rows = claims.prepare("SELECT id, host, path, task FROM claims ORDER BY id")
      .all() as unknown as Claim[];
    const own = rows.find((row) => row.host === this.#host && row.path === path && row.task === task);
    if (own === undefined) {
      claims.prepare("INSERT INTO claims (host, path, task) VALUES (?, ?, ?)").run(this.#host, path, task);
    }
    const before = rows.filter((row) =>
      row.host !== this.#host && (own === undefined || row.id < own.id) &&
      (isBelow(row.path, path) || isBelow(path, row.path))
    );
    const blocker = before.find((row) => this.#lives(claims, row.host));
    return blocker === undefined ? FREE : { held: false, holder: blocker.task };
  }

  /** False for a host whose transaction has ended; its claims are removed. */
  #lives(claims: DatabaseSync, host: string): boolean {
    const file = join(this.dir, host);
    if (isLocked(file)) return true;
    log.info("directory claims of a host that is gone are dropped", { host });
    claims.prepare("DELETE FROM claims WHERE host = ?").run(host);
    removeQuietly(file);
    return false;
  }

  #inOneStep<T>(work: (claims: DatabaseSync) => T): T {
    const claims = this.#claims!;
    claims.exec("BEGIN IMMEDIATE");
    let done = false;
    try {
      const value = work(claims);
      claims.exec("COMMIT");
      done = true;
      return value;
    } finally {
      if (!done) claims.exec("ROLLBACK");
    }
  }

  #forget(sql: string, ...values: string[]): void {
    try {
      this.#claims?.prepare(sql).run(...values);
    } catch (error) {
      log.warn("directory claim not given back; it ends with this host", { error: errorText(error) });
    }
  }
}

const FREE: DirectoryLock = { held: true, holder: "" };

/** Does some process keep a transaction open in this file? */
function isLocked(file: string): boolean {
  try {
    Deno.statSync(file);
  } catch {
    return false; // no file, no host
  }
  const db = new DatabaseSync(file);
  try {
    db.exec("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK");
    return false;
  } catch {
    return true;
  } finally {
    db.close();
  }
}

function removeQuietly(file: string): void {
  for (const path of [file, `${file}-journal`]) {
    try {
      Deno.removeSync(path);
    } catch {
      // Gone already, or never there.
    }
  }
}
