/** The agents' `multica` on disk: a small program that starts this host's hidden verb (spec 04 §17.2). */
import { join } from "node:path";
import { BASH_ENV_FILE, errorText, HostError, OWN_BASH_ENV } from "../core/mod.ts";

/** The hidden verb the shim starts. */
export const MULTICA_VERB = "__multica";

/** Where the shim goes and what it starts. */
export interface ShimOptions {
  /** Made when missing (0755). */
  readonly shimDir: string;
  /** How this very host is started: program and leading arguments. */
  readonly host: readonly [string, ...string[]];
}

/** The shim's path in its directory. */
export function shimPath(shimDir: string, os: string = Deno.build.os): string {
  return join(shimDir, os === "windows" ? "multica.cmd" : "multica");
}

/**
 * Writes the shim, and what brings its directory back into the PATH of a bash; gives the shim's path. Each file is
 * written whole or not at all, an equal one stays.
 * @throws {HostError} `launcher_unusable`
 */
export async function installShim({ shimDir, host }: ShimOptions): Promise<string> {
  if (Deno.build.os !== "windows") {
    await writeWhole(join(shimDir, BASH_ENV_FILE), bashEnvText(shimDir), 0o644);
  }
  return await writeLauncher(shimPath(shimDir), [...host, MULTICA_VERB]);
}

/** For `BASH_ENV`: the user's own file first, expanded as bash would, then PATH. Leaves nothing else behind. */
export function bashEnvText(shimDir: string): string {
  const dir = shellQuoted(shimDir);
  return [
    `if [ -n "\${${OWN_BASH_ENV}-}" ]; then`,
    `  eval "__multica_own=\\"\$${OWN_BASH_ENV}\\""`,
    '  if [ -r "$__multica_own" ]; then . "$__multica_own"; fi',
    "  unset __multica_own",
    "fi",
    `case ":$PATH:" in *:${dir}:*) ;; *) PATH=${dir}:$PATH ;; esac`,
    "",
  ].join("\n");
}

/**
 * Writes an executable file (0755) at `path` that runs `command` with the arguments it gets. Atomic: a program that runs it
 * meanwhile sees the old or the new one.
 * @throws {HostError} `launcher_unusable`
 */
export async function writeLauncher(
  path: string,
  command: readonly string[],
  os: string = Deno.build.os,
): Promise<string> {
  return await writeWhole(path, launcherText(command, os), 0o755);
}

async function writeWhole(path: string, text: string, mode: number): Promise<string> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    if (await isSame(path, text, mode)) return path;
    await Deno.mkdir(join(path, ".."), { recursive: true, mode: 0o755 });
    await Deno.writeTextFile(temporary, text, { createNew: true, mode });
    if (Deno.build.os !== "windows") await Deno.chmod(temporary, mode); // whatever the umask says
    await Deno.rename(temporary, path);
    return path;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // never made, or renamed already; the cause is what counts
    throw new HostError(`Cannot write ${path}: ${errorText(error)}`, {
      code: "launcher_unusable",
      hint: "make its directory writable for this user",
      cause: error,
      facts: { path },
    });
  }
}

/** The program's text: `exec`, so that signals and the exit code go straight through. */
export function launcherText(command: readonly string[], os: string): string {
  if (os === "windows") {
    const words = command.map((word) => `"${word.replaceAll('"', '""').replaceAll("%", "%%")}"`).join(" ");
    return `@echo off\r\n${words} %*\r\n`;
  }
  return `#!/bin/sh\nexec ${command.map(shellQuoted).join(" ")} "$@"\n`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function isSame(path: string, text: string, mode: number): Promise<boolean> {
  try {
    const info = await Deno.lstat(path);
    const allowed = info.mode === null || (info.mode & mode) === mode;
    return info.isFile && allowed && await Deno.readTextFile(path) === text;
  } catch {
    // Not there, or nothing readable: it is written anew.
    return false;
  }
}
