/**
 * The journal's tables. They only grow: a binary one release older must be able to read the file (reliability §3).
 * `state` lies behind `body`: asking for it without an index reads the whole body, hence the two partial ones.
 */
import type { DatabaseSync } from "node:sqlite";

/** Raised with each addition; an older binary ignores what it does not know. */
export const JOURNAL_VERSION = 2;

const TABLES = `
CREATE TABLE IF NOT EXISTS claims (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL,
  fence TEXT NOT NULL,
  runtime TEXT NOT NULL,
  workspace TEXT NOT NULL,
  provider TEXT NOT NULL,
  retryable INTEGER NOT NULL,
  claimed_at INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'live',
  session TEXT NOT NULL DEFAULT '',
  work_dir TEXT NOT NULL DEFAULT '',
  last_seq INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS claims_task ON claims(task);
CREATE TABLE IF NOT EXISTS records (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  claim INTEGER NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  first_seq INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'pending',
  reason TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS records_claim ON records(claim, id);
CREATE INDEX IF NOT EXISTS records_pending ON records(claim, id) WHERE state='pending';
CREATE INDEX IF NOT EXISTS records_parked ON records(id) WHERE state='parked';
`;

/** Makes what is missing and sets the durability the promise needs: WAL, every commit on disk. */
export function prepareSchema(db: DatabaseSync): void {
  db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=2000;");
  db.exec("PRAGMA wal_autocheckpoint=1000;");
  db.exec(TABLES);
  const found = db.prepare("PRAGMA user_version").get()?.user_version;
  if (Number(found ?? 0) < JOURNAL_VERSION) db.exec(`PRAGMA user_version=${JOURNAL_VERSION}`);
}

/** True when SQLite finds the file sound. */
export function isSound(db: DatabaseSync): boolean {
  const row = db.prepare("PRAGMA quick_check(1)").get();
  return row !== undefined && Object.values(row)[0] === "ok";
}
