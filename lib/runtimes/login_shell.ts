/** What the user's login shell knows: a host started from a desktop lacks the PATH of start-up files (spec 03 §6.3). */
import { basename, isAbsolute } from "node:path";
import { errorText, getLog } from "../core/mod.ts";
import { type ProbePorts, runProbe } from "./discovery_run.ts";
import { executableAt, hostPath, insideHooks, type LocateContext } from "./locate.ts";

const log = getLog("runtimes", "login-shell");

const SHELLS = ["bash", "zsh", "sh", "dash", "ksh"];
const LIMITS = { limitMs: 3_000, heldMs: 2_000 };
/** Answers, also empty ones, are kept this long. */
const KEEP_MS = 30 * 60_000;

/** Command → absolute path. */
export type ShellPaths = ReadonlyMap<string, string>;

/** True for names that may stand in the script unquoted. */
export function isSafeName(name: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(name);
}

/**
 * The script: for each name, aliases and functions of that name removed, `command -v`, and the directory resolved while the
 * shell still runs (per-shell directories of version managers vanish with it).
 */
export function loginShellScript(names: readonly string[]): string {
  return [
    `for c in ${names.join(" ")}; do`,
    'unalias "$c" >/dev/null 2>&1; unset -f "$c" >/dev/null 2>&1',
    'p=$(command -v "$c" 2>/dev/null) || continue',
    'case "$p" in /*) ;; *) continue ;; esac',
    'd=$(unalias cd >/dev/null 2>&1; unset -f cd >/dev/null 2>&1; cd "${p%/*}/" >/dev/null 2>&1 && pwd -P) || continue',
    `printf '%s\\t%s\\n' "$c" "$d/\${p##*/}"`,
    "done; true",
  ].join("\n");
}

/** Reads the script's answer; lines that are not ours (start-up files print) are dropped. */
export function parseShellAnswer(
  output: string,
  names: readonly string[],
  check: (path: string) => string | undefined,
): ShellPaths {
  const found = new Map<string, string>();
  for (const line of output.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab < 0) continue;
    const name = line.slice(0, tab);
    const path = line.slice(tab + 1).trimEnd();
    if (!names.includes(name) || !isAbsolute(path)) continue;
    const usable = check(path);
    if (usable !== undefined) found.set(name, usable);
  }
  return found;
}

/** Asks the login shell at most once per half hour and environment. One question at a time; all share it. */
export class LoginShell {
  #asked: { key: string; at: number; answer: Promise<ShellPaths> } | undefined;

  constructor(private readonly context: LocateContext, private readonly ports: ProbePorts) {}

  /** Paths of those of `names` the shell finds. Empty for unsupported shells, time-outs and failures. */
  paths(names: readonly string[]): Promise<ShellPaths> {
    const { env } = this.context;
    const safe = names.filter(isSafeName);
    const shell = env["SHELL"] ?? "";
    if (safe.length === 0 || !SHELLS.includes(basename(shell)) || this.context.os === "windows") {
      return Promise.resolve(new Map());
    }
    const key = JSON.stringify([env["PATH"] ?? "", shell, env["HOME"] ?? "", safe]);
    const now = this.ports.clock.monotonic();
    if (this.#asked?.key !== key || now - this.#asked.at >= KEEP_MS) {
      this.#asked = { key, at: now, answer: this.#ask(shell, safe) };
    }
    return this.#asked.answer;
  }

  async #ask(shell: string, names: readonly string[]): Promise<ShellPaths> {
    const { env, home } = this.context;
    try {
      const run = await runProbe(
        {
          executable: shell,
          args: ["-ilc", loginShellScript(names)],
          env: { ...env, HOME: env["HOME"] ?? home, PATH: hostPath(env), TERM: "dumb" },
          cwd: home,
        },
        LIMITS,
        this.ports,
      );
      log.debug("asked the login shell", {
        shell,
        ms: Math.round(run.ms),
        timedOut: run.timedOut,
        code: run.code,
      });
      if (run.timedOut || run.code !== 0) return new Map();
      return parseShellAnswer(
        run.stdout,
        names,
        (path) => insideHooks(path, home) ? undefined : executableAt(path, this.context),
      );
    } catch (error) {
      log.warn("login shell did not start", { shell, error: errorText(error) });
      return new Map();
    }
  }
}
