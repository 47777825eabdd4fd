/** Cursor's managed MCP set: files, approvals, data directory (spec 04 §8). */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { HostError, isBelow, type WorkFiles } from "../core/mod.ts";
import type { PlannedFile } from "./sidecars.ts";

type Json = Readonly<Record<string, unknown>>;

/** A set Cursor cannot be given. */
export class CursorMcpError extends HostError {
  constructor(why: string) {
    super(`cursor mcp_config: ${why}`, { code: "cursor_mcp_config" });
  }
}

/** What one run of Cursor gets. */
export interface CursorMcp {
  /** `.cursor/mcp.json`, below the project root. */
  readonly file: PlannedFile;
  /** Approval keys, servers sorted by name. */
  readonly approvals: readonly string[];
}

/** Plans the set for a project root. @throws {CursorMcpError} naming the server */
export function cursorMcp(config: Json, projectRoot: string): CursorMcp {
  const servers = serversOf(config);
  const names = Object.keys(servers).sort();
  return {
    file: {
      path: ".cursor/mcp.json",
      text: `${JSON.stringify({ mcpServers: servers }, null, 2)}\n`,
      mode: 0o600,
      onExisting: "refuse",
    },
    approvals: names.map((name) => approvalKey(name, servers[name]!, projectRoot)),
  };
}

function serversOf(config: Json): Readonly<Record<string, Json>> {
  const servers = config.mcpServers ?? {};
  if (!isObject(servers)) throw new CursorMcpError("`mcpServers` must be a JSON object");
  for (const [name, server] of Object.entries(servers)) {
    if (name.trim() === "") throw new CursorMcpError("a server has no name");
    if (!isObject(server)) throw new CursorMcpError(`server ${JSON.stringify(name)} must be a JSON object`);
  }
  return servers as Readonly<Record<string, Json>>;
}

/** `<name>-<16 hex>` over project root and the server in Cursor's own order of keys. */
export function approvalKey(name: string, server: Json, projectRoot: string): string {
  const text = `{"path":${JSON.stringify(projectRoot)},"server":${JSON.stringify(normal(server))}}`;
  return `${name}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

function normal(server: Json): Json {
  const keys = server.command !== undefined
    ? ["type", "command", "args", "env", "cwd"]
    : server.url !== undefined
    ? ["type", "url", "headers"]
    : Object.keys(server);
  return Object.fromEntries(keys.filter((key) => server[key] !== undefined).map((key) => [key, server[key]]));
}

/** Cursor's directory name for a path. */
export function cursorSlug(path: string): string {
  return path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
}

/** Writes approvals and trust into `<env>/cursor-data`. */
export async function writeCursorData(
  files: WorkFiles,
  dataDir: string,
  projectRoot: string,
  approvals: readonly string[],
): Promise<void> {
  const project = join(dataDir, "projects", cursorSlug(projectRoot));
  await files.mkdir(project, 0o700);
  const trust = {
    trustedAt: "1970-01-01T00:00:00Z",
    workspacePath: projectRoot,
    trustMethod: "multica-managed",
  };
  const write = (name: string, value: unknown) =>
    files.writeAtomic(join(project, name), JSON.stringify(value, null, 2), { mode: 0o600, durable: false });
  await Promise.all([write("mcp-approvals.json", approvals), write(".workspace-trusted", trust)]);
}

/**
 * Where Cursor looks for its project: the nearest directory upwards with a `.git`, but never above `limit`; the work
 * directory itself where there is none.
 */
export async function cursorProjectRoot(files: WorkFiles, workDir: string, limit: string): Promise<string> {
  for (let dir = workDir; isBelow(dir, limit) && isBelow(dir, files.root); dir = dirname(dir)) {
    if (await files.lstat(join(dir, ".git")) !== undefined) return dir;
    if (dir === dirname(dir)) break;
  }
  return workDir;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
