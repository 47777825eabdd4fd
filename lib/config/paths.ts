/** Where each profile keeps its files (spec 03 §1). */
import { isAbsolute, join, resolve } from "node:path";
import type { Paths } from "./types.ts";

/** `~/.multica`, shared by all profiles. */
export function multicaDir(home: string): string {
  return join(home, ".multica");
}

/** `~/.multica/profiles`. */
export function profilesDir(home: string): string {
  return join(multicaDir(home), "profiles");
}

/** `~/.multica`, or `~/.multica/profiles/<name>`. */
export function stateDir(home: string, profile: string): string {
  return profile === "" ? multicaDir(home) : join(profilesDir(home), profile);
}

/** `config.json` of a profile. */
export function configFile(home: string, profile: string): string {
  return join(stateDir(home, profile), "config.json");
}

/** `~/multica_workspaces`, or `~/multica_workspaces_<name>`. */
export function defaultWorkspacesRoot(home: string, profile: string): string {
  return join(home, profile === "" ? "multica_workspaces" : `multica_workspaces_${profile}`);
}

/** Every path of one profile. */
export function profilePaths(home: string, profile: string, workspacesRoot?: string): Paths {
  const dir = stateDir(home, profile);
  return {
    stateDir: dir,
    configFile: join(dir, "config.json"),
    pidFile: join(dir, "daemon.pid"),
    logFile: join(dir, "daemon.log"),
    journalFile: join(dir, "journal.sqlite"),
    credentialFile: join(dir, "host.credential"),
    planeFile: join(dir, "plane.sqlite"),
    shimDir: join(dir, "agent-bin"),
    identityFile: join(multicaDir(home), "daemon.id"),
    workspacesRoot: workspacesRoot ?? defaultWorkspacesRoot(home, profile),
    home,
  };
}

/** `path` made absolute; a leading `~/` is the home directory. */
export function absolutePath(path: string, cwd: string, home: string): string {
  if (path === "~" || path.startsWith("~/")) return join(home, path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(cwd, path);
}
