/** CodeBuddy: a fork of Claude Code with the same wire and a few manners of its own (spec 06 §4, §11.7). */
import { argumentVector, type BlockedFlags, option } from "./args.ts";
import type { RunRequest } from "./contract.ts";
import type { Json } from "./stream_json.ts";
import { type StreamJsonDialect, streamJsonDriver } from "./stream_json_run.ts";

/** Flags the protocol keeps for itself. */
export const CODEBUDDY_BLOCKED: BlockedFlags = {
  "-p": "none",
  "--output-format": "value",
  "--input-format": "value",
  "--permission-mode": "value",
  "--mcp-config": "value",
  "--effort": "value",
};

/** The whole argument vector; user, project and local MCP scopes stay, so never `--strict-mcp-config`. */
export function codebuddyArgs(request: RunRequest, mcpPath: string): string[] {
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
    "EnterPlanMode",
    "ExitPlanMode",
    ...option("--model", request.model),
    ...option("--effort", request.thinkingLevel),
    ...option("--resume", request.resumeSessionId),
  ];
  return [...argumentVector(request, CODEBUDDY_BLOCKED, protocol), ...option("--mcp-config", mcpPath)];
}

/** Its permission client reads `allowed`; without it a call is denied and the run stalls. */
export function allowCodebuddy(input: Json): Json {
  return { behavior: "allow", updatedInput: input, allowed: true };
}

/** What makes CodeBuddy itself. */
export const codebuddyDialect: StreamJsonDialect = {
  graceMs: 5_000,
  stdin: "messages",
  args: codebuddyArgs,
  allow: allowCodebuddy,
  terminalReasons: {},
  asyncLaunchError: "",
};

/** The CodeBuddy driver. */
export const codebuddyDriver = streamJsonDriver(codebuddyDialect);
