/** The agents' `multica` on disk: a small program that starts this host's hidden verb (spec 04 §17.2). */
import { join } from "node:path";
import { errorText, HostError } from "../core/mod.ts";

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

/** Writes the shim, whole or not at all, and gives its path; an equal one stays. @throws {HostError} `shim_unusable` */
export async function installShim({ shimDir, host }: ShimOptions): Promise<string> {
  return await writeLauncher(shimPath(shimDir), [...host, MULTICA_VERB]);
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
  const text = launcherText(command, os);
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    if (await isSame(path, text)) return path;
    await Deno.mkdir(join(path, ".."), { recursive: true, mode: 0o755 });
    await Deno.writeTextFile(temporary, text, { createNew: true, mode: 0o755 });
    if (os !== "windows") await Deno.chmod(temporary, 0o755); // whatever the umask says
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

async function isSame(path: string, text: string): Promise<boolean> {
  try {
    const info = await Deno.lstat(path);
    const executable = info.mode === null || (info.mode & 0o755) === 0o755;
    return info.isFile && executable && await Deno.readTextFile(path) === text;
  } catch {
    // Not there, or nothing readable: it is written anew.
    return false;
  }
}
