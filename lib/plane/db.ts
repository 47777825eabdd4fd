/** A thin layer over `node:sqlite`: statements prepared once, one transaction a request, effects after the commit. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** How hard a commit is pushed to the disk. */
export type Synchronous = "OFF" | "NORMAL" | "FULL";

/** One connection with its prepared statements. Synchronous; one owner. */
export class Db {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #after: (() => void)[] = [];
  #depth = 0;

  constructor(path: string, synchronous: Synchronous = "NORMAL") {
    this.#db = new DatabaseSync(path);
    this.#db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA busy_timeout = 2000;`,
    );
  }

  /** Runs several statements; for schemas. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** The first row, or undefined. */
  get<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  /** All rows. */
  all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  /** Runs a change; returns how many rows it touched. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Runs `work` in one transaction (nested calls join it); a throw rolls everything back, effects included. */
  tx<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#prepare("BEGIN IMMEDIATE").run();
    this.#depth++;
    let done = false;
    try {
      const value = work();
      this.#prepare("COMMIT").run();
      done = true;
      return value;
    } finally {
      this.#depth--;
      if (!done) {
        this.#after.length = 0;
        this.#prepare("ROLLBACK").run();
      } else this.#flush();
    }
  }

  /** Calls `effect` once the current transaction has committed; at once outside of one. */
  afterCommit(effect: () => void): void {
    if (this.#depth === 0) effect();
    else this.#after.push(effect);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #flush(): void {
    if (this.#after.length === 0) return;
    for (const effect of this.#after.splice(0)) effect();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
