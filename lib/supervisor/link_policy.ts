/** Symbolic links for the engine: both ends are resolved and checked, because a narrowed Worker may not make any. */
import { dirname, isAbsolute, resolve } from "node:path";
import { isPlainAbsolute, isWithin, realPathOf, realRoots } from "./path_check.ts";
import { BrokerRefused } from "./refusal.ts";

/** Where links may stand, and what they may point to. */
export interface LinkRoots {
  /** Below one of these the link itself stands: workspaces root, temporary base, shim directory. */
  readonly places: readonly string[];
  /** What it may point to beside these: the shared homes of the agents. */
  readonly targets: readonly string[];
}

/**
 * Creates `path` → `target`. The same link already there is fine.
 * @throws {BrokerRefused} when one end lies outside. @throws {Deno.errors.AlreadyExists} when something else is at `path`.
 */
export async function makeLink(path: string, target: string, roots: LinkRoots): Promise<void> {
  if (!isPlainAbsolute(path)) {
    throw new BrokerRefused("link", `${path} is not a plain absolute path`, { path });
  }
  if (target === "" || target.includes("\0")) {
    throw new BrokerRefused("link", "a link needs a target", { path });
  }
  const places = await realRoots(roots.places);
  const parent = await realPathOf(dirname(path));
  if (!places.some((root) => isWithin(parent, root))) {
    throw new BrokerRefused("link", `${path} is outside of this host's directories`, { path });
  }
  const end = await realPathOf(isAbsolute(target) ? resolve(target) : resolve(parent, target));
  const targets = [...places, ...await realRoots(roots.targets)];
  if (!targets.some((root) => isWithin(end, root))) {
    throw new BrokerRefused("link", `${target} is outside of what this host's links may point to`, {
      path,
      target,
    });
  }
  try {
    await Deno.symlink(target, path, { type: await isDirectory(end) ? "dir" : "file" });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists && await sameLink(path, target)) return;
    throw error;
  }
}

async function sameLink(path: string, target: string): Promise<boolean> {
  try {
    return await Deno.readLink(path) === target;
  } catch {
    return false; // no link at all: the caller's AlreadyExists stands
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false; // does not exist yet: only Windows cares which kind it will be
  }
}
