/** The rights of one engine: as narrow as this profile allows (guides/deno.md §4). Pure: facts in, rights out. */
import { resolve } from "node:path";
import type { HostConfig } from "../config/mod.ts";

/** What the rights follow from. */
export interface RightsInput {
  readonly config: Pick<HostConfig, "serverUrl" | "paths">;
  /** Paths of usable agents and of what the operator allows, exactly as they are launched. */
  readonly executables: readonly string[];
  /** "" = none on this machine. */
  readonly git: string;
  /** Settings and sessions of the agents found. */
  readonly agentHomes: readonly string[];
  readonly tempBase: string;
  /** Programs that are started for the executables. */
  readonly launchers?: readonly string[];
}

/** What one engine may touch. Plain lists, as printed by `multica-host rights`. */
export interface EngineRights {
  readonly net: readonly string[];
  /** Read and write. */
  readonly files: readonly string[];
  readonly run: readonly string[];
  readonly env: readonly string[];
  readonly sys: readonly string[];
}

/** Names the engine's libraries look up when they load; agents' variables come to it as data. */
const ENV = ["IGNORE_TEST_WIN32", "NO_COLOR", "FORCE_COLOR", "TERM", "CI", "NODE_ENV", "NODE_DEBUG"];
const SYS = ["hostname", "statfs", "cpus", "loadavg", "systemMemoryInfo", "uid"];

/** Works out the rights. */
export function engineRights(input: RightsInput): EngineRights {
  const { paths, serverUrl } = input.config;
  const files = [paths.workspacesRoot, paths.stateDir, paths.shimDir, input.tempBase, ...input.agentHomes];
  const run = [...input.executables, ...input.launchers ?? [], input.git].filter((path) => path !== "");
  return {
    net: unique([hostAndPort(serverUrl), "127.0.0.1", "localhost"]),
    files: unique(files.map((path) => resolve(path))),
    run: unique(run),
    env: ENV,
    sys: SYS,
  };
}

/** The same as Deno's permission set for a Worker. Nothing else is granted: no ffi, no import. */
export function workerPermissions(rights: EngineRights): Deno.PermissionOptionsObject {
  return {
    net: [...rights.net],
    read: [...rights.files],
    write: [...rights.files],
    run: [...rights.run],
    env: [...rights.env],
    sys: [...rights.sys],
    ffi: false,
    import: false,
  };
}

/** Lines for people: what the engine may do, and what it must ask the supervisor for. */
export function describeRights(rights: EngineRights): string[] {
  const list = (title: string, entries: readonly string[]) => [
    title,
    ...(entries.length === 0 ? ["  (none)"] : entries.map((entry) => `  ${entry}`)),
  ];
  return [
    ...list("network", rights.net),
    ...list("files, read and write", rights.files),
    ...list("programs", rights.run),
    ...list("environment variables (agents' variables reach the engine as data)", rights.env),
    ...list("system facts", rights.sys),
    ...list("asked of the supervisor, checked there", [
      "end a process tree it started",
      "make a symbolic link, both ends inside its directories or the agents' own",
      "add a program: one of the agents found here, an override of this machine, or allowed with multica-host allow",
      "work in a local directory of the user's, one by one",
    ]),
  ];
}

function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === "https:" || protocol === "wss:";
  return `${hostname}:${port === "" ? secure ? 443 : 80 : port}`;
}

function unique(entries: readonly string[]): string[] {
  return [...new Set(entries)];
}
