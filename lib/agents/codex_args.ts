/** Codex's command line: `app-server --listen stdio://` and what users may add to it (spec 06 §5.2, §5.3, §11.9). */
import { getLog } from "../core/mod.ts";
import { type BlockedFlags, filterArgs, filterPrefix } from "./args.ts";
import type { RunRequest } from "./contract.ts";

const log = getLog("agents", "codex");

/** Flags the protocol keeps for itself. */
export const CODEX_BLOCKED: BlockedFlags = { "--listen": "value" };

/** Tier for which Codex's fast mode is switched on. */
const FAST_TIER = "priority";

/** The whole argument vector, launch prefix included. */
export function codexArgs(request: RunRequest): string[] {
  const keep = (args: readonly string[]) => filterCodexOverrides(args, request);
  const protocol = ["app-server", "--listen", "stdio://"];
  const args = [
    ...keep(filterPrefix(request.provider, request.prefixArgs, CODEX_BLOCKED, protocol)),
    ...protocol,
    ...keep(filterArgs(request.provider, request.extraArgs, CODEX_BLOCKED)),
    ...keep(filterArgs(request.provider, request.customArgs, CODEX_BLOCKED)),
  ];
  return isFast(request) && !enablesFastMode(args) ? [...args, "--enable", "fast_mode"] : args;
}

/** Drops the overrides that would undo what the host manages. Copies. */
export function filterCodexOverrides(
  args: readonly string[],
  request: Pick<RunRequest, "mcpConfig" | "env" | "serviceTier">,
): string[] {
  let kept = [...args];
  if (request.mcpConfig !== undefined) kept = dropOverrides(kept, isMcpOverride);
  if ((request.env["CODEX_HOME"] ?? "").trim() !== "") kept = dropOverrides(kept, isShellPolicyOverride);
  if (request.serviceTier === FAST_TIER) {
    kept = dropPairs(kept, ["--disable"], (value) => value.trim() === "fast_mode");
    kept = dropOverrides(kept, (value) => /^\s*features\s*\.\s*fast_mode\s*(=|$)/.test(value));
  }
  return kept;
}

/** `-c mcp_servers…`; without a managed set users may configure MCP only this way (spec 06 §5.3). */
export function isMcpOverride(value: string): boolean {
  return /^\s*(?:mcp_servers|"mcp_servers"|'mcp_servers')(?:\s*\.|\s*=|\s*$)/.test(value);
}

/** `shell_environment_policy` at the root or in a profile, quoted keys included (spec 06 §11.9). */
export function isShellPolicyOverride(value: string): boolean {
  const at = value.indexOf("=");
  const path = keyPath(at < 0 ? value : value.slice(0, at));
  if (path[0] === "shell_environment_policy") return true;
  if (path[0] !== "profiles") return false;
  if (path[2] === "shell_environment_policy") return true;
  return path.length < 3 && at >= 0 && value.slice(at).includes("shell_environment_policy");
}

/** Splits a dotted TOML key, quotes honoured. */
function keyPath(text: string): string[] {
  const parts = text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^.\s"']+/g) ?? [];
  return parts.map((part) => /^["']/.test(part) ? part.slice(1, -1) : part);
}

function dropOverrides(args: readonly string[], drop: (value: string) => boolean): string[] {
  return dropPairs(args, ["-c", "--config"], drop);
}

/** Drops `flag value`, `flag=value` where `drop` says so; logs the key alone. */
function dropPairs(
  args: readonly string[],
  flags: readonly string[],
  drop: (value: string) => boolean,
): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const token = args[i]!;
    const at = token.indexOf("=");
    const inline = at > 0 && flags.includes(token.slice(0, at));
    const value = inline ? token.slice(at + 1) : flags.includes(token) ? args[i + 1] : undefined;
    if (value === undefined || !drop(value)) {
      kept.push(token);
      if (!inline && value !== undefined) kept.push(args[++i]!);
      continue;
    }
    log.warn("codex override dropped", { key: value.split("=", 1)[0]!.trim() });
    if (!inline) i++;
  }
  return kept;
}

function isFast(request: RunRequest): boolean {
  return request.serviceTier === FAST_TIER;
}

function enablesFastMode(args: readonly string[]): boolean {
  return args.some((token, i) =>
    token === "--enable=fast_mode" || token === "--enable" && args[i + 1] === "fast_mode"
  );
}
