/** `config.json` of a profile: read, changed, written; keys of other programs stay (spec 03 §3, §17.1). */
import { dirname } from "node:path";
import { HostError } from "../core/mod.ts";
import type { ConfigFiles } from "./files.ts";

/** The file as it stands: any keys, in the order they were written. */
export type ProfileFile = Readonly<Record<string, unknown>>;

/** A `config.json` that is no JSON object. */
export class ProfileFileInvalid extends HostError {
  constructor(readonly path: string, reason: string) {
    super(`Cannot read "${path}": ${reason}`, {
      code: "profile_file_invalid",
      hint: "repair the file, or move it away and log in again with multica-host login",
      facts: { path },
    });
  }
}

/** Reads the file; a missing or blank one is empty. @throws {ProfileFileInvalid} @throws {FileTrouble} */
export function readProfileFile(files: ConfigFiles, path: string): ProfileFile {
  const text = files.read(path)?.replace(/^\uFEFF/, "") ?? "";
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProfileFileInvalid(path, `it is no JSON (${error instanceof Error ? error.message : error})`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProfileFileInvalid(path, "it is no JSON object");
  }
  return value as ProfileFile;
}

/** Reads, changes and writes the file while no other command of ours does the same. `change` returns the new content. */
export function updateProfileFile(
  files: ConfigFiles,
  path: string,
  change: (old: ProfileFile) => ProfileFile,
): ProfileFile {
  return files.locked(dirname(path), () => {
    const next = change(readProfileFile(files, path));
    files.write(path, JSON.stringify(next, null, 2) + "\n", 0o600);
    return next;
  });
}

/** Value at a dotted key (`backends.openclaw.cli_timeout`), or undefined. */
export function fileValue(file: ProfileFile, key: string): unknown {
  let value: unknown = file;
  for (const part of key.split(".")) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** `file` with `value` at a dotted key. undefined and "" remove it, and a parent that holds nothing else. */
export function withFileValue(file: ProfileFile, key: string, value: unknown): ProfileFile {
  const [head = "", ...rest] = key.split(".");
  const inner = rest.length === 0 ? value : withFileValue(objectAt(file, head), rest.join("."), value);
  const gone = inner === undefined || inner === "" ||
    rest.length > 0 && Object.keys(inner as ProfileFile).length === 0;
  const { [head]: _old, ...others } = file;
  return gone ? others : { ...file, [head]: inner };
}

function objectAt(file: ProfileFile, key: string): ProfileFile {
  const value = file[key];
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value as ProfileFile : {};
}
