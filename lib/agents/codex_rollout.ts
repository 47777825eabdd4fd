/** A Codex thread's file on disk: whether it is there, and what it says about usage (spec 06 §11.9, §11.13). */
import { type Clock, errorText, getLog, readLines } from "../core/mod.ts";
import { RolloutScan, type RolloutUsage } from "./codex_usage.ts";

const log = getLog("agents", "codex");

/** Pause between looks for a rollout file, ms (spec 06 §11.13). */
export const ROLLOUT_POLL_MS = 50;

/** Where a thread's rollout is, or why nobody can tell. */
export type RolloutState = "present" | "missing" | "unknown";

/** `sessions` directory of the Codex home in `env`; "" when the environment names none. */
export function codexSessionsDir(env: Readonly<Record<string, string>>): string {
  const home = (env["CODEX_HOME"] ?? "").trim();
  if (home !== "") return `${home}/sessions`;
  const user = (env["HOME"] ?? "").trim();
  return user === "" ? "" : `${user}/.codex/sessions`;
}

/**
 * Looks for `rollout-*-<thread id>.jsonl`, flat or in `YYYY/MM/DD`. "unknown" when the directory cannot be read;
 * "missing" only when the whole of it was looked through.
 */
export async function codexRollout(
  env: Readonly<Record<string, string>>,
  threadId: string,
): Promise<{ readonly state: RolloutState; readonly path: string }> {
  const root = codexSessionsDir(env);
  if (root === "" || threadId === "") return { state: "unknown", path: "" };
  try {
    const path = await find(root, `-${threadId}.jsonl`, 3);
    return { state: path === "" ? "missing" : "present", path };
  } catch (error) {
    // A home without any session has no directory yet: nothing is there.
    if (error instanceof Deno.errors.NotFound && (env["CODEX_HOME"] ?? "").trim() !== "") {
      return { state: "missing", path: "" };
    }
    log.debug("cannot look for the codex rollout", { error: errorText(error) });
    return { state: "unknown", path: "" };
  }
}

/** Newest directories first: the file looked for is nearly always of today. */
async function find(dir: string, ending: string, depth: number): Promise<string> {
  const dirs: string[] = [];
  for await (const entry of Deno.readDir(dir)) {
    if (entry.isFile && entry.name.startsWith("rollout-") && entry.name.endsWith(ending)) {
      return `${dir}/${entry.name}`;
    }
    if (entry.isDirectory && depth > 0) dirs.push(entry.name);
  }
  for (const name of dirs.sort().reverse()) {
    const found = await find(`${dir}/${name}`, ending, depth - 1);
    if (found !== "") return found;
  }
  return "";
}

/** True when the file is there, undefined when that cannot be learned. */
export async function rolloutExists(path: string): Promise<boolean | undefined> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? false : undefined;
  }
}

/** Reads a rollout's usage since `startMs`; undefined when it cannot be read. */
export async function rolloutUsage(
  path: string,
  startMs: number,
  resumed: boolean,
): Promise<RolloutUsage | undefined> {
  try {
    const file = await Deno.open(path, { read: true });
    const scan = new RolloutScan(startMs, resumed);
    await readLines(file.readable, ({ lines }) => lines.forEach((line) => scan.line(line)));
    return scan.result;
  } catch (error) {
    log.debug("cannot read usage from the codex rollout", { error: errorText(error) });
    return undefined;
  }
}

/** Looks until `look` finds the file, or cannot tell (both true), or until there is no more time for it (false). */
export async function rolloutAppears(
  look: () => Promise<boolean | undefined>,
  until: { readonly clock: Clock; readonly over: Promise<unknown>; readonly isOver: () => boolean },
): Promise<boolean> {
  while (await look() === false) {
    const next = Promise.withResolvers<void>();
    const timer = until.clock.timer(ROLLOUT_POLL_MS, next.resolve);
    await Promise.race([next.promise, until.over]);
    timer.cancel();
    if (until.isOver()) return false;
  }
  return true;
}
