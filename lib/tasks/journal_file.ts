/** Opens the journal's file: private, sound, or moved aside and begun anew. */
import { DatabaseSync } from "node:sqlite";
import { type Clock, errorText, getLog } from "../core/mod.ts";
import { isSound, prepareSchema } from "./journal_schema.ts";

const log = getLog("tasks", "journal");

/** SQLite's codes for "no room" and for "this is no database" or a broken one. */
const FULL = 13;
const IO_ERROR = 10;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/**
 * Opens or makes the file (0600). A torn or foreign file is moved aside (`<path>.broken-<time>`, never deleted)
 * with an error in the log. `:memory:` is passed through.
 */
export function openJournalFile(path: string, clock: Pick<Clock, "now">): DatabaseSync {
  makePrivate(path);
  try {
    return openSound(path);
  } catch (error) {
    if (!isBroken(error)) throw error;
    moveAside(path, clock, error);
    makePrivate(path);
    return openSound(path);
  }
}

function openSound(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    if (!isSound(db)) throw Object.assign(new Error("quick_check failed"), { errcode: CORRUPT });
    prepareSchema(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function makePrivate(path: string): void {
  if (path === ":memory:") return;
  Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
  if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600);
}

function moveAside(path: string, clock: Pick<Clock, "now">, cause: unknown): void {
  const aside = `${path}.broken-${clock.now()}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.renameSync(path + suffix, aside + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  log.error("journal unreadable, moved aside and begun anew; undelivered reports are in the old file", {
    path,
    aside,
    error: errorText(cause),
  });
}

function sqliteCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : textCode(errorText(error));
}

/** Some runtimes give no number; the text is SQLite's own. */
function textCode(text: string): number {
  if (/database or disk is full/i.test(text)) return FULL;
  if (/not a database/i.test(text)) return NOT_A_DATABASE;
  if (/malformed|quick_check/i.test(text)) return CORRUPT;
  return /disk I\/O error/i.test(text) ? IO_ERROR : 0;
}

/** True for the errors of a full disk (a write that the file system refused counts). */
export function isFull(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === FULL || code === IO_ERROR;
}

function isBroken(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}
