/** `multica-host logs`: the profile's log file (spec 03 §7.10, §17.3, §17.7). */
import { profilePaths } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { type CliContext, profileFlag } from "./context.ts";
import { requireProfile } from "./known_profiles.ts";
import { follow, lastLines } from "./tail.ts";

/** Prints the last lines, and with `--follow` what comes. */
export async function logs(context: CliContext, options: Readonly<Record<string, unknown>>): Promise<number> {
  requireProfile(context);
  const { machine, profile } = context;
  const path = profilePaths(machine.home, profile).logFile;
  const lines = Number(options["lines"]);
  if (!Number.isInteger(lines) || lines < 0) {
    throw new HostError(`--lines "${options["lines"]}": invalid integer`, {
      code: "bad_flag",
      hint: "--lines 50",
    });
  }
  const write = (bytes: Uint8Array) => void Deno.stdout.writeSync(bytes);
  try {
    const { text, end } = await lastLines(path, lines);
    context.note(`${path}${profile === "" ? "" : ` (profile ${profile})`}`);
    write(new TextEncoder().encode(text));
    if (options["follow"] === true) {
      await follow(path, end, write, { clock: machine.clock, signal: new AbortController().signal });
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new HostError(`There is no log yet at "${path}"`, {
      code: "no_log",
      hint: `the host writes it when it runs: multica-host${profileFlag(profile)}`,
    });
  }
}
