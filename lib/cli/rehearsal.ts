/** The rehearsal agent as a program on disk, so that `local` can start it like any other agent CLI. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { REHEARSAL_VERB, runRehearsalAgent } from "../agents/mod.ts";

/** Provider key of the rehearsal agent. */
export const REHEARSAL = "rehearsal";

/** Plays the agent: the hidden verb that {@link writeRehearsalProgram}'s program calls. */
export function rehearse(args: readonly string[]): Promise<number> {
  return runRehearsalAgent(args.slice(1));
}

/** Writes the program into `dir` and gives its path. */
export async function writeRehearsalProgram(dir: string): Promise<string> {
  const path = join(dir, "rehearsal-agent");
  const command = [...ownCommand(), REHEARSAL_VERB].map(shellQuoted).join(" ");
  await mkdir(dir, { recursive: true, mode: 0o755 });
  await writeFile(path, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  await chmod(path, 0o755);
  return path;
}

/** How this very program is started. */
function ownCommand(): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  return [Deno.execPath(), "run", "-q", "-A", fileURLToPath(Deno.mainModule)];
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
