/** The rehearsal agent as a program on disk, so that `local` can start it like any other agent CLI. */
import { join } from "node:path";
import { writeLauncher } from "../agentcli/mod.ts";
import { REHEARSAL_VERB, runRehearsalAgent } from "../agents/mod.ts";
import { ownCommand } from "./own_command.ts";

/** Provider key of the rehearsal agent. */
export const REHEARSAL = "rehearsal";

/** Plays the agent: the hidden verb that {@link writeRehearsalProgram}'s program calls. */
export function rehearse(args: readonly string[]): Promise<number> {
  return runRehearsalAgent(args.slice(1));
}

/** Writes the program into `dir` and gives its path. */
export function writeRehearsalProgram(dir: string): Promise<string> {
  return writeLauncher(join(dir, "rehearsal-agent"), [...ownCommand(), REHEARSAL_VERB]);
}
