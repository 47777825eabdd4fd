/** The local API's credential: fresh at every start, in a file only the user can read (spec 03 §9.3). */
import { dirname } from "node:path";
import { HostError } from "../core/mod.ts";

/** Makes a new credential and writes it to `path` (0600), replacing the one of an earlier start. */
export async function writeCredential(path: string): Promise<string> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const credential = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const temporary = `${path}.${credential.slice(0, 8)}.tmp`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await Deno.writeTextFile(temporary, credential, { createNew: true, mode: 0o600 });
    await Deno.rename(temporary, path);
  } catch (error) {
    throw new HostError(`Cannot write "${path}": ${error instanceof Error ? error.message : error}`, {
      code: "credential_write_failed",
      hint: `check the free space and the rights of "${dirname(path)}"`,
      cause: error,
      facts: { path },
    });
  }
  return credential;
}

/** The credential of the running host, or "" when there is none to read. */
export async function readCredential(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch {
    // Not there: no host of ours has run with this profile. The refused request says what that means.
    return "";
  }
}

/** True when `header` is `Bearer <credential>`; takes the same time for every wrong one of the same length. */
export function isBearer(header: string | undefined, credential: string): boolean {
  const given = new TextEncoder().encode(header ?? "");
  const wanted = new TextEncoder().encode(`Bearer ${credential}`);
  let different = given.length ^ wanted.length;
  for (let i = 0; i < wanted.length; i++) different |= (given[i] ?? 0) ^ wanted[i]!;
  return different === 0 && credential !== "";
}
