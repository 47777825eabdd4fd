/** Finds programs: PATH, version managers' directories, bundled ones. Synchronous and without starting anything. */
import { basename, delimiter, dirname, isAbsolute, join, resolve, sep } from "node:path";

/** What a lookup depends on. */
export interface LocateContext {
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly os: typeof Deno.build.os;
}

/** Used where the host has no PATH at all (decisions: empty PATH). */
export const FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin";

/** The host's PATH, never empty. */
export function hostPath(env: Readonly<Record<string, string>>): string {
  const path = env["PATH"] ?? env["Path"] ?? "";
  return path === "" ? FALLBACK_PATH : path;
}

/**
 * PATH for a program found outside of it: with the program's own directory at its end, so that a script finds the
 * interpreter installed beside it (`#!/usr/bin/env node` of a version manager).
 */
export function pathFor(executable: string, path: string): string {
  const dir = dirname(executable);
  return path.split(delimiter).includes(dir) ? path : `${path}${delimiter}${dir}`;
}

/** True for a command that names a file rather than something on PATH. */
export function hasSeparator(command: string): boolean {
  return command.includes("/") || command.includes("\\");
}

/**
 * The absolute path behind a command: a path is checked itself, a bare name searched on PATH. Undefined when there is no such
 * executable. Hits inside `~/.multica/hooks` are passed over: wrappers there call the same name again (spec 03 §17.9).
 */
export function findCommand(command: string, context: LocateContext): string | undefined {
  if (hasSeparator(command)) return executableAt(resolve(expandHome(command, context.home)), context);
  return findIn(command, hostPath(context.env).split(delimiter), context);
}

/** The first executable of that name in the directories. */
export function findIn(
  command: string,
  dirs: readonly string[],
  context: LocateContext,
): string | undefined {
  for (const dir of dirs) {
    if (dir === "" || !isAbsolute(dir)) continue;
    for (const name of fileNames(command, context)) {
      const found = executableAt(join(dir, name), context);
      if (found !== undefined && !insideHooks(found, context.home)) return found;
    }
  }
  return undefined;
}

/**
 * The canonical form of an executable file's path, undefined when it is none. Directories are resolved, the last part is not:
 * shims act on the name they are called by, and an in-place upgrade moves what a link points to.
 */
export function executableAt(path: string, context: Pick<LocateContext, "os">): string | undefined {
  try {
    const stat = Deno.statSync(path);
    if (!stat.isFile) return undefined;
    if (context.os !== "windows" && ((stat.mode ?? 0) & 0o111) === 0) return undefined;
    return join(Deno.realPathSync(dirname(path)), basename(path));
  } catch {
    return undefined; // missing, or a directory that may not be read: not a candidate either way
  }
}

/** True for a path inside `~/.multica/hooks`. */
export function insideHooks(path: string, home: string): boolean {
  return path.startsWith(join(home, ".multica", "hooks") + sep);
}

/** Directories where version managers and installers put commands, newest Node versions first. Existing or not. */
export function wellKnownDirs(context: LocateContext): string[] {
  return context.os === "windows" ? windowsDirs(context) : unixDirs(context);
}

function unixDirs(context: LocateContext): string[] {
  const { env, home, os } = context;
  const at = (...parts: string[]) => join(home, ...parts);
  const mac = os === "darwin";
  const fnm = [env["FNM_DIR"], at(".local/share/fnm"), at(".fnm"), at("Library/Application Support/fnm")];
  return [
    at(".local/bin"),
    at("bin"),
    at(".claude/local"),
    at(".opencode/bin"),
    ...nvmDirs(env["NVM_DIR"] ?? at(".nvm")),
    ...fnm.flatMap((dir) => dir ? fnmDirs(dir) : []),
    join(env["VOLTA_HOME"] ?? at(".volta"), "bin"),
    join(env["ASDF_DATA_DIR"] ?? at(".asdf"), "shims"),
    join(env["MISE_DATA_DIR"] ?? at(".local/share/mise"), "shims"),
    join(env["BUN_INSTALL"] ?? at(".bun"), "bin"),
    ...(env["NPM_CONFIG_PREFIX"] ? [join(env["NPM_CONFIG_PREFIX"], "bin")] : []),
    at(".npm-global/bin"),
    at(".npm-packages/bin"),
    env["PNPM_HOME"] ?? at(mac ? "Library/pnpm" : ".local/share/pnpm"),
    at(".yarn/bin"),
    at(".config/yarn/global/node_modules/.bin"),
    at(".cargo/bin"),
    at(".deno/bin"),
    at("go/bin"),
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    at(".linuxbrew/bin"),
    at(".nix-profile/bin"),
    "/run/current-system/sw/bin",
    "/nix/var/nix/profiles/default/bin",
    "/snap/bin",
    "/usr/bin",
    "/bin",
  ];
}

function windowsDirs({ env, home }: LocateContext): string[] {
  const roaming = env["APPDATA"] ?? join(home, "AppData", "Roaming");
  const local = env["LOCALAPPDATA"] ?? join(home, "AppData", "Local");
  return [
    join(home, ".local", "bin"),
    join(roaming, "npm"),
    env["PNPM_HOME"] ?? join(local, "pnpm"),
    join(env["VOLTA_HOME"] ?? join(local, "Volta"), "bin"),
    join(env["BUN_INSTALL"] ?? join(home, ".bun"), "bin"),
    join(home, "scoop", "shims"),
    join(local, "Microsoft", "WinGet", "Links"),
    "C:\\ProgramData\\chocolatey\\bin",
  ];
}

/** nvm: the default alias' version first, then the others, newest first. */
function nvmDirs(root: string): string[] {
  const versions = names(join(root, "versions", "node")).sort(newestFirst);
  const wanted = readLine(join(root, "alias", "default"));
  const preferred = wanted === ""
    ? []
    : versions.filter((name) => `${name}.`.startsWith(`v${wanted.replace(/^v/, "")}.`));
  return [...new Set([...preferred, ...versions])].map((name) => join(root, "versions", "node", name, "bin"));
}

function fnmDirs(root: string): string[] {
  const versions = names(join(root, "node-versions")).sort(newestFirst);
  return [
    join(root, "aliases", "default", "bin"),
    ...versions.map((name) => join(root, "node-versions", name, "installation", "bin")),
  ];
}

function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, "en", { numeric: true });
}

function names(dir: string): string[] {
  try {
    return [...Deno.readDirSync(dir)].map((entry) => entry.name);
  } catch {
    return []; // this version manager is not installed
  }
}

function readLine(file: string): string {
  try {
    return Deno.readTextFileSync(file).trim();
  } catch {
    return ""; // no default alias set
  }
}

/** The file names a command may have: with each extension of PATHEXT on Windows. */
export function fileNames(command: string, context: LocateContext): string[] {
  if (context.os !== "windows" || /\.[a-z]{3}$/i.test(command)) return [command];
  const extensions = (context.env["PATHEXT"] ?? ".COM;.EXE;.BAT;.CMD").split(";").filter((ext) => ext !== "");
  return extensions.map((ext) => command + ext.toLowerCase());
}

function expandHome(path: string, home: string): string {
  return path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : path;
}
