/** Flags of commands that take long text or files. */
import type { FlagSpec } from "./types.ts";

/** The three flags of a text called `name`. */
export function textFlags(name: string, about: string): FlagSpec[] {
  return [
    { name, kind: "text", about: `${about}; \\n, \\r, \\t and \\\\ are decoded` },
    { name: `${name}-stdin`, kind: "bool", about: `read it from stdin` },
    { name: `${name}-file`, kind: "text", about: `read it from a UTF-8 file inside the current directory` },
  ];
}

/** The flag that lets a file stand elsewhere. */
export const EXTERNAL_FILE_FLAG: FlagSpec = {
  name: "allow-external-file",
  kind: "bool",
  about: "take a file from outside the current directory",
};
