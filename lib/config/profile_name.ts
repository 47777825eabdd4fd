/** Profile names: which are allowed, and the health port each one owns. */
import { HostError } from "../core/mod.ts";

/** A profile name that cannot be a directory below `~/.multica/profiles`. */
export class InvalidProfileName extends HostError {
  constructor(readonly profile: string) {
    super(`"${profile}" is no profile name: use letters, digits and . _ - / without "." or ".." as a part`, {
      code: "invalid_profile_name",
      hint: "multica-host --profile staging",
      facts: { profile },
    });
  }
}

/** Returns `name`; "" is the default profile (spec 03 §2). @throws {InvalidProfileName} */
export function checkProfileName(name: string): string {
  if (name === "") return name;
  const parts = name.split("/");
  const allowed = /^[A-Za-z0-9._/-]+$/.test(name) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (!allowed) throw new InvalidProfileName(name);
  return name;
}

/** The port of the local API: 19514, or 19515–20514 by the bytes of the name (spec 03 §2.1). */
export function healthPort(profile: string): number {
  if (profile === "") return 19514;
  const sum = new TextEncoder().encode(profile).reduce((total, byte) => total + byte, 0);
  return sum % 1000 + 19515;
}
