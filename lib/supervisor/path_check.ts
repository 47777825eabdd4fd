/** Paths compared by what they really are: links resolved first, then checked against roots (guides/deno.md §4, f22). */
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";

/** True when `path` is `root` or below it. Both absolute and normalised. */
export function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** True for an absolute path without `.`, `..`, doubled or trailing separators. */
export function isPlainAbsolute(path: string): boolean {
  return isAbsolute(path) && resolve(path) === path && !path.includes("\0");
}

/**
 * The real path of something that need not exist: links of the longest existing part are resolved, the rest is appended.
 * A dangling link on the way is an error, since what it will point to cannot be known.
 */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (await isLink(path)) {
    throw new Deno.errors.NotFound(`${path} is a link to something that does not exist`);
  }
  const parent = dirname(path);
  if (parent === path) return path;
  return join(await realPathOf(parent), basename(path));
}

/** The real forms of roots, those that exist; each also in the form it was given. */
export async function realRoots(roots: readonly string[]): Promise<string[]> {
  const all = await Promise.all(roots.map(async (root) => {
    try {
      return await realPathOf(root);
    } catch {
      return root; // a dangling root is no root: only its literal form can match
    }
  }));
  return [...new Set(all)];
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
