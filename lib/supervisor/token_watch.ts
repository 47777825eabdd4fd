/** Notices a new login while the host runs: looks at the profile's file every few seconds (f14; f16: garbage changes nothing). */
import { readProfileFile, realFiles } from "../config/mod.ts";
import { type Clock, errorText, getLog, sleep } from "../core/mod.ts";

const log = getLog("supervisor", "token");

/** Time between two looks, ms; a look costs one `stat`. */
const LOOK_MS = 5_000;

export interface TokenWatch {
  readonly clock: Clock;
  /** The profile's `config.json`. */
  readonly file: string;
  /** Token in use. */
  readonly token: string;
  /** Hears each other token that is not empty. */
  readonly onToken: (token: string) => void;
  readonly signal: AbortSignal;
}

/** Looks until the signal aborts; resolves then. */
export async function watchToken({ clock, file, token, onToken, signal }: TokenWatch): Promise<void> {
  let known = token;
  let seen = ""; // the first look reads the file: it may have changed since the settings were
  while (await waited(clock, signal)) {
    const now = await stamp(file);
    if (now === seen) continue;
    seen = now;
    const next = readToken(file);
    if (next === "" || next === known) continue;
    known = next;
    onToken(next);
  }
}

function readToken(file: string): string {
  try {
    const token = readProfileFile(realFiles, file)["token"];
    return typeof token === "string" && /^[\x21-\x7e]*$/.test(token.trim()) ? token.trim() : "";
  } catch (error) {
    log.warn("settings changed and cannot be read, the old ones stay", { file, error: errorText(error) });
    return "";
  }
}

async function stamp(file: string): Promise<string> {
  try {
    const { mtime, size, ino } = await Deno.stat(file);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return ""; // No file now: the login stays as it is.
  }
}

async function waited(clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(clock, LOOK_MS, signal);
    return true;
  } catch {
    return false; // The host ends.
  }
}
