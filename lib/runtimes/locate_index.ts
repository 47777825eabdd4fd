/** Many commands looked up in many directories: each directory is listed once, instead of one failing stat per pair. */
import { delimiter } from "node:path";
import { fileNames, findIn, hostPath, type LocateContext, wellKnownDirs } from "./locate.ts";

/** One pass' view of the directories; make a new one for the next pass. */
export class ProgramIndex {
  /** Directory → names in it; "unlisted" = it may be searched but not read. */
  readonly #listed = new Map<string, ReadonlySet<string> | "unlisted">();

  #wellKnown: readonly string[] | undefined;

  constructor(private readonly context: LocateContext) {}

  /** Directories of version managers as they are in this pass: an upgrade makes new ones. */
  get wellKnown(): readonly string[] {
    return this.#wellKnown ??= wellKnownDirs(this.context);
  }

  /** As `findCommand` for a bare name. */
  onPath(command: string): string | undefined {
    return this.find(command, hostPath(this.context.env).split(delimiter));
  }

  /** As `findIn`. */
  find(command: string, dirs: readonly string[]): string | undefined {
    const names = fileNames(command, this.context);
    const candidates = dirs.filter((dir) => {
      const listed = this.#list(dir);
      return listed === "unlisted" || names.some((name) => listed.has(name));
    });
    return candidates.length === 0 ? undefined : findIn(command, candidates, this.context);
  }

  #list(dir: string): ReadonlySet<string> | "unlisted" {
    let listed = this.#listed.get(dir);
    if (listed === undefined) {
      listed = this.#read(dir);
      this.#listed.set(dir, listed);
    }
    return listed;
  }

  #read(dir: string): ReadonlySet<string> | "unlisted" {
    // Windows compares names without case: there every candidate is looked at.
    if (this.context.os === "windows") return "unlisted";
    try {
      return new Set(Array.from(Deno.readDirSync(dir), (entry) => entry.name));
    } catch (error) {
      return error instanceof Deno.errors.PermissionDenied ? "unlisted" : new Set();
    }
  }
}
