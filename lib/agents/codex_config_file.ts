/** Writes the managed MCP block into the config.toml of the task's Codex home (spec 06 §5.4). */
import { errorText, LaunchError } from "../core/mod.ts";
import { withManagedMcp } from "./codex_config.ts";
import type { RunRequest } from "./contract.ts";

/**
 * Makes `<CODEX_HOME>/config.toml` say exactly the MCP servers of the run. Secrets never become arguments.
 * @throws {LaunchError} `apply codex mcp_config: …`; nothing may be launched then
 */
export async function applyCodexMcp(request: Pick<RunRequest, "env" | "mcpConfig">): Promise<void> {
  const home = (request.env["CODEX_HOME"] ?? "").trim();
  if (home === "") {
    if (request.mcpConfig === undefined) return;
    throw refuse(
      "codex: mcp_config is set but CODEX_HOME env var is not configured; cannot apply managed MCP",
      undefined,
    );
  }
  try {
    await rewrite(`${home}/config.toml`, request.mcpConfig);
  } catch (error) {
    throw refuse(`apply codex mcp_config: ${errorText(error)}`, error);
  }
}

/** The file lies where an agent may write, so a link in its place is never followed. */
async function rewrite(path: string, config: RunRequest["mcpConfig"]): Promise<void> {
  const info = await lstat(path);
  if (info !== undefined && !info.isFile) throw new Error("config.toml is not a regular file");
  const before = info === undefined ? "" : await Deno.readTextFile(path);
  const after = withManagedMcp(before, config);
  if (after === before) return;
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeTextFile(temporary, after, { mode: 0o600, createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // never written, or renamed already
    throw error;
  }
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function refuse(message: string, cause: unknown): LaunchError {
  return new LaunchError(message, { code: "codex_mcp_config", cause });
}
