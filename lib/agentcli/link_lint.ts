/** Refuses text whose links lead to files of this machine: nobody else can open them (spec 05 §27.4). */
import { isAbsolute, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isBelow } from "../core/mod.ts";
import { LocalError } from "./failures.ts";
import { linkDestinations } from "./markdown_links.ts";

/** @throws {LocalError} naming the link and `instead`, the way to deliver a file here */
export async function lintLinks(markdown: string, cwd: string, instead: string): Promise<void> {
  for (const target of linkDestinations(markdown)) {
    if (!await isLocal(target, cwd)) continue;
    throw new LocalError(
      `the link to "${target}" leads to a file on this machine, which nobody else can open. ` +
        `Remove it, and ${instead}`,
    );
  }
}

async function isLocal(target: string, cwd: string): Promise<boolean> {
  if (/^file:/i.test(target)) return true;
  if (!isAbsolute(target) || target.startsWith("//")) return false;
  const path = resolve(target.replace(/[?#].*$/, ""));
  const roots = [cwd, await realOrSame(cwd)];
  if (roots.some((root) => root !== sep && isBelow(path, root))) return true;
  return await isFile(path);
}

async function realOrSame(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    // The directory has gone meanwhile: its name still tells which links are local.
    return path;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path.startsWith("file:") ? fileURLToPath(path) : path)).isFile;
  } catch {
    // Not there, or not readable: a path of the server's own, like /issues/MUL-1.
    return false;
  }
}
