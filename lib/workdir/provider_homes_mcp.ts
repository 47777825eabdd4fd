/** An agent's MCP servers on top of those configured on this machine (spec 04 §20.16). */
import { isAbsolute, join } from "node:path";
import { errorText, getLog } from "../core/mod.ts";
import { isTable, parseToml } from "./codex_home_config_toml.ts";
import { readHomeFile } from "./provider_homes_files.ts";

const log = getLog("workdir", "mcp");

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whose servers, and where they are looked for. */
export interface McpMergeInput {
  readonly provider: string;
  /** The user's home directory. */
  readonly home: string;
  /** The host's own environment: variables that move a provider's home. */
  readonly env: Readonly<Record<string, string>>;
  /** The agent's `mcp_config`; undefined = the CLI's native inheritance. */
  readonly mcpConfig: JsonObject | undefined;
}

/**
 * `{"mcpServers": {…}}` of machine and agent, the agent's winning; undefined when the agent manages none. Sets of
 * providers whose CLI merges by itself, or whose place is not known, are given back as they are.
 */
export async function mergedMcp(input: McpMergeInput): Promise<JsonObject | undefined> {
  const { provider, mcpConfig } = input;
  if (mcpConfig === undefined) return undefined;
  const place = placeOf(input);
  if (place === undefined) return mcpConfig;
  const own = mcpConfig["mcpServers"] ?? {};
  if (!isTable(own)) return mcpConfig; // the driver refuses it, in its own words
  const machine = await machineServers(provider, place, input.home);
  return { mcpServers: { ...machine, ...own } };
}

interface Place {
  readonly path: string;
  readonly read: (text: string) => unknown;
}

function placeOf({ provider, home, env }: McpMergeInput): Place | undefined {
  const moved = (variable: string) => {
    const dir = (env[variable] ?? "").trim();
    return isAbsolute(dir) ? dir : undefined;
  };
  if (provider === "codex") {
    return {
      path: join(moved("CODEX_HOME") ?? join(home, ".codex"), "config.toml"),
      read: (text) => parseToml(text)?.["mcp_servers"],
    };
  }
  if (provider === "claude") {
    return { path: join(moved("CLAUDE_CONFIG_DIR") ?? home, ".claude.json"), read: jsonServers };
  }
  if (provider === "cursor") return { path: join(home, ".cursor", "mcp.json"), read: jsonServers };
  return undefined;
}

function jsonServers(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return isTable(value) ? value["mcpServers"] : undefined;
}

async function machineServers(provider: string, place: Place, home: string): Promise<JsonObject> {
  try {
    const text = await readHomeFile(place.path, [home]);
    const servers = text === undefined ? undefined : place.read(text);
    if (!isTable(servers)) return {};
    return Object.fromEntries(
      Object.entries(servers).filter(([name, server]) => isUsable(provider, name, server)),
    );
  } catch (error) {
    log.warn("MCP servers of this machine not read", { provider, path: place.path, error: errorText(error) });
    return {};
  }
}

/** One odd entry of the user's must not stop every managed run. */
function isUsable(provider: string, name: string, server: unknown): boolean {
  const isNamed = provider === "codex" ? /^[A-Za-z0-9_-]+$/.test(name) : name.trim() !== "";
  if (isNamed && isTable(server)) return true;
  log.warn("MCP server of this machine left out", { provider, server: name });
  return false;
}
