/** A managed MCP set in OpenCode's words: the value of OPENCODE_CONFIG_CONTENT (spec 07 §5.4). */
import { LaunchError } from "../core/mod.ts";
import { isObject, type Json } from "./stream_json.ts";

/**
 * `{"mcp":{…}}` as JSON, or "" when there is nothing to manage.
 * @throws {LaunchError} naming the server and what is wrong with it; nothing may be launched then
 */
export function openCodeMcp(config: Json | undefined): string {
  if (config === undefined) return "";
  const native = objectOf(config.mcp, "mcp");
  const servers = objectOf(config.mcpServers, "mcpServers");
  const entries: Record<string, unknown> = { ...native };
  for (const [name, server] of Object.entries(servers)) entries[name] = translate(name, server);
  if (Object.keys(entries).length === 0) return "";
  for (const [name, entry] of Object.entries(entries)) {
    const wrong = problemOf(entry);
    if (wrong !== "") throw refuse(`opencode mcp_config: server ${JSON.stringify(name)}: ${wrong}`);
  }
  return JSON.stringify({ mcp: entries });
}

function objectOf(value: unknown, field: string): Json {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value;
  throw refuse(`opencode mcp_config: parse mcp_config: \`${field}\` must be a JSON object`);
}

function translate(name: string, server: unknown): unknown {
  if (!isObject(server)) return server; // the check below names what it is
  const label = `server ${JSON.stringify(name)}`;
  const common = pick(server, ["timeout"]);
  const enabled = typeof server.enabled === "boolean" ? { enabled: server.enabled } : {};
  if (typeof server.url === "string" && server.url !== "") {
    return { type: "remote", url: server.url, ...enabled, ...pick(server, ["headers", "oauth"]), ...common };
  }
  if (server.command === undefined) throw refuse(`${label} has neither url nor command`);
  const environment = server.env ?? server.environment;
  return {
    type: "local",
    command: commandOf(label, server),
    ...enabled,
    ...(environment === undefined ? {} : { environment }),
    ...common,
  };
}

function commandOf(label: string, server: Json): string[] {
  const { command, args } = server;
  if (Array.isArray(command)) {
    if (!areStrings(command)) throw refuse(`${label}: command array must contain only strings`);
    return command;
  }
  if (typeof command !== "string") throw refuse(`${label}: command must be a string or string array`);
  if (args === undefined || args === null) return [command];
  if (!Array.isArray(args)) throw refuse(`${label}: args must be an array`);
  if (!areStrings(args)) throw refuse(`${label}: args must contain only strings`);
  return [command, ...args];
}

/** Checks of one field; "" when it is well. */
type Check = (value: unknown, field: string) => string;

const FIELDS: Readonly<Record<"local" | "remote", Readonly<Record<string, Check>>>> = {
  local: {
    type: () => "",
    command: (value) =>
      areStrings(value) && value.length > 0 ? "" : "`command` must be a non-empty array of strings",
    environment: stringMap,
    enabled: bool,
    timeout: positiveInteger,
  },
  remote: {
    type: () => "",
    url: (value) => typeof value === "string" ? "" : `\`url\` must be a string, got ${kind(value)}`,
    headers: stringMap,
    oauth,
    enabled: bool,
    timeout: positiveInteger,
  },
};

const REQUIRED = { local: "command", remote: "url" } as const;

function problemOf(entry: unknown): string {
  if (!isObject(entry)) return "entry must be a JSON object";
  if (!("type" in entry)) {
    const keys = Object.keys(entry);
    if (keys.length === 1 && typeof entry.enabled === "boolean") return "";
    return 'missing required field `type` (must be "local" or "remote", or use bare {"enabled": bool} to override ' +
      "an inherited server)";
  }
  const { type } = entry;
  if (typeof type !== "string") return `\`type\` must be a string, got ${kind(type)}`;
  if (type !== "local" && type !== "remote") {
    return `invalid type ${JSON.stringify(type)} (must be "local" or "remote")`;
  }
  const required = REQUIRED[type];
  if (entry[required] === undefined) return `${type} server missing required field \`${required}\``;
  return checkFields(entry, FIELDS[type], `${type} server`);
}

function checkFields(entry: Json, fields: Readonly<Record<string, Check>>, what: string): string {
  for (const [field, value] of Object.entries(entry)) {
    const check = Object.hasOwn(fields, field) ? fields[field] : undefined;
    const wrong = check === undefined ? `unknown field \`${field}\` on ${what}` : check(value, field);
    if (wrong !== "") return wrong;
  }
  return "";
}

function bool(value: unknown, field: string): string {
  return typeof value === "boolean" ? "" : `\`${field}\` must be a boolean, got ${kind(value)}`;
}

function text(value: unknown, field: string): string {
  return typeof value === "string" ? "" : `\`${field}\` must be a string, got ${kind(value)}`;
}

function stringMap(value: unknown, field: string): string {
  if (!isObject(value)) return `\`${field}\` must be an object, got ${kind(value)}`;
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== "string") return `\`${field}.${key}\` must be a string, got ${kind(entry)}`;
  }
  return "";
}

function positiveInteger(value: unknown, field: string): string {
  if (typeof value !== "number") return `\`${field}\` must be an integer, got ${kind(value)}`;
  if (!Number.isInteger(value)) return `\`${field}\` must be an integer, got ${value}`;
  return value > 0 ? "" : `\`${field}\` must be a positive integer, got ${value}`;
}

const OAUTH_FIELDS: Readonly<Record<string, Check>> = {
  clientId: text,
  clientSecret: text,
  scope: text,
  redirectUri: text,
  callbackPort: (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535
      ? ""
      : `\`callbackPort\` must be in 1..65535, got ${JSON.stringify(value)}`,
};

function oauth(value: unknown): string {
  if (value === false) return "";
  if (!isObject(value)) return `\`oauth\`: must be an object or \`false\`, got ${kind(value)}`;
  const wrong = checkFields(value, OAUTH_FIELDS, "oauth");
  return wrong === "" ? "" : `\`oauth\`: ${wrong}`;
}

function kind(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value === "boolean" ? String(value) : typeof value;
}

function areStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

function pick(source: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.filter((key) => source[key] !== undefined).map((key) => [key, source[key]]));
}

function refuse(message: string): LaunchError {
  return new LaunchError(message, { code: "opencode_mcp_config" });
}
