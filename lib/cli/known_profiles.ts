/** Which profile a command speaks of, and whether it exists (spec 03 §17.3). */
import { join } from "node:path";
import { type ConfigFiles, profilesDir, stateDir } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import type { CliContext } from "./context.ts";

/** Names of the profiles that have a `config.json`, at any depth, sorted. */
export function knownProfiles(files: ConfigFiles, home: string): string[] {
  const found: string[] = [];
  const walk = (name: string, depth: number) => {
    const dir = join(profilesDir(home), name);
    if (name !== "" && files.read(join(dir, "config.json")) !== undefined) found.push(name);
    if (depth === 0) return;
    for (const child of files.directories(dir)) walk(name === "" ? child : `${name}/${child}`, depth - 1);
  };
  walk("", 4);
  return found.sort();
}

/** True when the context's profile has a directory; the default profile always does. */
export function profileExists({ machine, profile }: CliContext): boolean {
  if (profile === "") return true;
  const parts = profile.split("/");
  const parent = stateDir(machine.home, parts.slice(0, -1).join("/"));
  const parentDir = parts.length === 1 ? profilesDir(machine.home) : parent;
  return machine.files.directories(parentDir).includes(parts.at(-1)!);
}

/** A profile nobody ever used here. A mistyped one must not look like a stopped host. */
export class UnknownProfile extends HostError {
  constructor(readonly profile: string, readonly known: readonly string[]) {
    super(`There is no profile "${profile}" on this machine`, {
      code: "unknown_profile",
      hint: known.length === 0 ? "there are no named profiles yet" : `known profiles: ${known.join(", ")}`,
      facts: { profile },
    });
  }
}

/** @throws {UnknownProfile} */
export function requireProfile(context: CliContext): void {
  if (profileExists(context)) return;
  throw new UnknownProfile(context.profile, knownProfiles(context.machine.files, context.machine.home));
}
