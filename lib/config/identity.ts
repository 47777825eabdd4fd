/** Who this machine is: `daemon.id`, the ids older versions used, the host name (spec 03 §4). */
import { join } from "node:path";
import { type Clock, isUuid, uuidV7 } from "../core/mod.ts";
import type { ConfigFiles } from "./files.ts";
import { multicaDir, profilesDir } from "./paths.ts";

/** What identity is worked out from. */
export interface IdentityOptions {
  readonly files: ConfigFiles;
  readonly home: string;
  readonly profile: string;
  readonly clock: Pick<Clock, "now">;
}

/**
 * The machine's id, one for all profiles: read, or promoted from this profile's legacy file, or made and written
 * (spec 03 §4.1). A file that cannot be read, as against one that is not there, is an error.
 */
export function machineId(options: IdentityOptions): string {
  const known = peekMachineId(options);
  if (known !== "") return known;
  return options.files.locked(multicaDir(options.home), () => {
    const theirs = peekMachineId(options);
    if (theirs !== "") return theirs;
    const id = legacyProfileId(options, options.profile) || uuidV7(options.clock);
    options.files.write(idFile(options.home), `${id}\n`, 0o600);
    return id;
  });
}

/** The machine's id if there is a valid one; never writes. */
export function peekMachineId(options: Pick<IdentityOptions, "files" | "home">): string {
  const text = options.files.read(idFile(options.home))?.trim() ?? "";
  return isUuid(text) ? text : "";
}

/** Ids this machine may have registered under before, without `daemonId` itself (spec 03 §4.2). */
export function legacyDaemonIds(options: IdentityOptions & { hostname: string; daemonId: string }): string[] {
  const ids = [...hostNameIds(options.hostname, options.profile)];
  for (const name of options.files.directories(profilesDir(options.home))) {
    ids.push(legacyProfileId(options, name));
  }
  return [...new Set(ids)].filter((id) => id !== "" && id !== options.daemonId);
}

/** `MacBook.local`, profile `staging` → `MacBook`, `MacBook.local`, `MacBook-staging`, `MacBook.local-staging`. */
export function hostNameIds(hostname: string, profile: string): string[] {
  const name = hostname.trim();
  if (name === "") return [];
  const base = name.endsWith(".local") ? name.slice(0, -".local".length) : name;
  const names = [base, `${base}.local`];
  return profile === "" ? names : [...names, ...names.map((each) => `${each}-${profile}`)];
}

/** The machine's name, or `local-machine` (spec 03 §4.3). */
export function hostnameOr(hostname: string): string {
  return hostname.trim() === "" ? "local-machine" : hostname.trim();
}

function idFile(home: string): string {
  return join(multicaDir(home), "daemon.id");
}

/** The id an old version kept per profile; "" when missing, unreadable or no UUID. */
function legacyProfileId(options: Pick<IdentityOptions, "files" | "home">, profile: string): string {
  if (profile === "") return "";
  try {
    const text = options.files.read(join(profilesDir(options.home), profile, "daemon.id"))?.trim() ?? "";
    return isUuid(text) ? text : "";
  } catch {
    // Spec 03 §4.2: an unreadable leftover of an old version is skipped.
    return "";
  }
}
