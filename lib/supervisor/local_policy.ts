/** Which directories of the user a task may work in (spec 04 §10.3, stricter where that only compares for equality). */
import { dirname, join } from "node:path";
import { isPlainAbsolute, isWithin, realRoots } from "./path_check.ts";

/** Where systems keep the homes of their users: a sibling there is somebody's home; elsewhere it is any directory. */
const HOMES = /^(?:(?:\/var|\/export)?\/home|\/Users|[A-Za-z]:[\\/]Users)$/i;

/** What the policy knows of this machine. */
export interface LocalFacts {
  readonly home: string;
  readonly os: typeof Deno.build.os;
  /** Our own directories: workspaces root, state directory, temporary base. */
  readonly own: readonly string[];
}

export type LocalVerdict = { readonly ok: true; readonly path: string } | {
  readonly ok: false;
  readonly reason: string;
};

/** Refused themselves; what lies below may be fine. */
const ROOTS = [
  "/",
  "/Users",
  "/Users/Shared",
  "/home",
  "/root",
  "/var",
  "/tmp",
  "/opt",
  "/private",
  "/Volumes",
  "/mnt",
  "/media",
  "/srv",
];
/** Refused with everything below. */
const SYSTEM = [
  "/etc",
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/boot",
  "/dev",
  "/proc",
  "/sys",
  "/run",
  "/var/lib",
  "/var/log",
  "/var/run",
  "/var/spool",
  "/System",
  "/Library",
  "/Applications",
];
const WINDOWS_ROOTS = [
  "c:\\users",
  "c:\\programdata",
  "c:\\program files",
  "c:\\program files (x86)",
  "c:\\windows",
];

/** Checks a directory; the answer's path is the real one. Each reason starts with `local_directory:`. */
export async function checkLocalDirectory(path: string, facts: LocalFacts): Promise<LocalVerdict> {
  const literal = path.length > 1 ? path.replace(/[/\\]+$/, "") || "/" : path;
  if (path.trim() === "") return refuse("the path is empty");
  if (!isPlainAbsolute(literal)) return refuse(`${path} is not an absolute path`);
  const own = [...facts.own, ...await realRoots(facts.own)];
  const homes = [facts.home, ...await realRoots([facts.home])];
  const early = forbidden(literal, facts, homes, own);
  if (early !== "") return refuse(early);
  let real: string;
  try {
    real = await Deno.realPath(literal);
    if (!(await Deno.stat(real)).isDirectory) return refuse(`${path} is not a directory`);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    return refuse(
      missing ? `${path} does not exist` : `${path} cannot be resolved: ${(error as Error).message}`,
    );
  }
  const late = forbidden(real, facts, homes, own);
  if (late !== "") return refuse(real === literal ? late : `${late} (${path} leads there)`);
  const unusable = await probe(real);
  return unusable === "" ? { ok: true, path: real } : refuse(unusable);
}

function refuse(reason: string): LocalVerdict {
  return { ok: false, reason: `local_directory: ${reason}` };
}

/** "" or why this very path is refused. */
function forbidden(
  path: string,
  facts: LocalFacts,
  homes: readonly string[],
  own: readonly string[],
): string {
  if (isDriveRoot(path, facts.os)) return `${path} is a drive root`;
  if (isSystem(path, facts.os, homes)) return `${path} is a protected system root`;
  for (const home of homes) {
    if (path === home) return `${path} is the user's home directory`;
    if (isWithin(home, path)) return `${path} contains the user's home directory`;
    if (isWithin(path, home) && path.slice(home.length + 1).startsWith(".")) {
      return `${path} is in a hidden directory of the user's home, where keys and settings are kept`;
    }
    if (dirname(path) === dirname(home) && HOMES.test(dirname(home))) {
      return `${path} is another user's home directory`;
    }
  }
  for (const root of own) {
    if (isWithin(path, root) || isWithin(root, path)) return `${path} belongs to this host itself (${root})`;
  }
  return "";
}

function isDriveRoot(path: string, os: LocalFacts["os"]): boolean {
  return os === "windows" && /^(?:[a-z]:[\\/]?|\\\\[^\\]+\\[^\\]+\\?)$/i.test(path);
}

function isSystem(path: string, os: LocalFacts["os"], homes: readonly string[]): boolean {
  if (os === "windows") return WINDOWS_ROOTS.includes(path.toLowerCase());
  const plain = (os === "darwin" ? path.replace(/^\/private(?=\/)/, "") : path) || "/";
  const key = os === "darwin" ? plain.toLowerCase() : plain;
  const spelled = (root: string) => os === "darwin" ? root.toLowerCase() : root;
  if (ROOTS.some((root) => key === spelled(root))) return !homes.includes(path);
  return SYSTEM.some((root) => isWithin(key, spelled(root)));
}

/** Lists it and writes a file in it. */
async function probe(path: string): Promise<string> {
  const file = join(path, `.multica-rwcheck-${crypto.randomUUID().slice(0, 8)}`);
  try {
    for await (const _ of Deno.readDir(path)) break;
    await Deno.writeTextFile(file, "", { createNew: true });
    await Deno.remove(file);
    return "";
  } catch (error) {
    return `${path} is not readable and writable for this host: ${(error as Error).message}`;
  }
}
