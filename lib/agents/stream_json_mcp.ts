/** The managed MCP set of one run, in a private directory of its own (spec 06 §2.4, §11.7). */
import { errorText, HostError, LaunchError } from "../core/mod.ts";

/** A written MCP file. */
export interface McpFile {
  readonly path: string;
  /** Removes the whole directory. */
  remove(): Promise<void>;
}

/**
 * Writes `multica-mcp-*` / `mcp-config.json` (0600) below `tempDir`.
 * @throws {LaunchError} `create mcp config temp file: …`
 */
export async function writeMcpFile(
  config: Readonly<Record<string, unknown>>,
  tempDir: string,
): Promise<McpFile> {
  let dir = "";
  try {
    dir = await Deno.makeTempDir({ dir: tempDir, prefix: "multica-mcp-" });
    const path = `${dir}/mcp-config.json`;
    await Deno.writeTextFile(path, JSON.stringify(config), { mode: 0o600, createNew: true });
    return { path, remove: () => Deno.remove(dir, { recursive: true }) };
  } catch (error) {
    if (dir !== "") await Deno.remove(dir, { recursive: true }).catch(() => {});
    if (error instanceof HostError) throw error;
    throw new LaunchError(`create mcp config temp file: ${errorText(error)}`, {
      code: "mcp_config_unwritable",
      cause: error,
      facts: { dir: tempDir },
    });
  }
}
