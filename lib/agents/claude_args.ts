/** Claude Code's command line and what is checked before it starts (spec 06 §11.1, §2.3). */
import { LaunchError } from "../core/mod.ts";
import { argumentVector, type BlockedFlags, option } from "./args.ts";
import type { RunRequest } from "./contract.ts";

/** Flags Claude's protocol keeps for itself. */
export const CLAUDE_BLOCKED: BlockedFlags = {
  "-p": "none",
  "--output-format": "value",
  "--input-format": "value",
  "--permission-mode": "value",
  "--mcp-config": "value",
  "--effort": "value",
};

/**
 * `<prefix> <protocol> <extra> <custom> [--settings <path>] [--mcp-config <path>]`. `mcpPath` "" = the user's own MCP
 * set-up. A settings file of the host's takes the place of the agent's own `--settings` (spec 06 §11).
 */
export function claudeArgs(request: RunRequest, mcpPath: string): string[] {
  const settings = option("--settings", request.settingsFile ?? "");
  const blocked: BlockedFlags = settings.length === 0
    ? CLAUDE_BLOCKED
    : { ...CLAUDE_BLOCKED, "--settings": "value" };
  const protocol = [
    "-p",
    "--output-format",
    "stream-json",
    "--input-format",
    "stream-json",
    "--verbose",
    "--permission-mode",
    "bypassPermissions",
    "--disallowedTools",
    "AskUserQuestion",
    ...(mcpPath === "" ? [] : ["--strict-mcp-config"]),
    ...option("--model", request.model),
    ...option("--effort", request.thinkingLevel),
    ...option("--resume", request.resumeSessionId),
  ];
  return [...argumentVector(request, blocked, protocol), ...settings, ...option("--mcp-config", mcpPath)];
}

const SANDBOX_YES = new Set(["1", "true", "yes", "on"]);

/**
 * Claude refuses bypassPermissions for root unless told that it runs in a sandbox, and its message gets lost
 * (N-12). @throws {LaunchError}
 */
export function claudePreflight(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  user: { readonly uid: number | undefined; readonly os: string },
): void {
  if (user.os === "windows" || user.uid !== 0) return;
  const bypass = args.includes("--dangerously-skip-permissions") ||
    args.some((token, i) =>
      token === "--permission-mode=bypassPermissions" ||
      token === "--permission-mode" && args[i + 1] === "bypassPermissions"
    );
  if (!bypass || SANDBOX_YES.has((env.IS_SANDBOX ?? "").trim().toLowerCase())) return;
  throw new LaunchError(
    "claude refuses to run as root with bypassPermissions: run the host as a normal user, or set IS_SANDBOX=1 " +
      "in the agent's environment if this machine is a sandbox",
    { code: "claude_root_refused", hint: "IS_SANDBOX=1" },
  );
}

/** Effective user id, or undefined where it cannot be learned. */
export function currentUid(): number | undefined {
  try {
    return Deno.uid() ?? undefined;
  } catch {
    return undefined; // No right to ask: Claude itself will refuse, only less clearly.
  }
}
