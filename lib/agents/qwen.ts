/** Qwen Code: Claude-shaped events, the prompt on stdin and nothing after it (spec 07 §10.5). */
import { argumentVector, type BlockedFlags, option } from "./args.ts";
import type { RunRequest } from "./contract.ts";
import { type StreamJsonDialect, streamJsonDriver } from "./stream_json_run.ts";

/** Flags Qwen's protocol keeps for itself. */
export const QWEN_BLOCKED: BlockedFlags = {
  "-p": "value",
  "--prompt": "value",
  "-i": "value",
  "--prompt-interactive": "value",
  "-o": "value",
  "--output-format": "value",
  "-m": "value",
  "--model": "value",
  "-r": "value",
  "--resume": "value",
  "--chat-recording": "value",
  "--mcp-config": "value",
  "--approval-mode": "value",
  "--core-tools": "value",
  "-c": "none",
  "--continue": "none",
  "--safe-mode": "none",
  "--yolo": "none",
  "-y": "none",
};

/**
 * `--output-format stream-json [--model M] [--resume ID] --yolo` extra custom `[--mcp-config FILE]`. Without the
 * chapter's `-p PROMPT`: an argument shows in process lists and may not exceed 128 KiB, and a pipe is read as the
 * prompt (measured with 0.21.2 and 0.24.4).
 */
export function qwenArgs(request: RunRequest, mcpPath: string): string[] {
  const protocol = [
    "--output-format",
    "stream-json",
    ...option("--model", request.model),
    ...option("--resume", request.resumeSessionId),
    "--yolo",
  ];
  return [...argumentVector(request, QWEN_BLOCKED, protocol), ...option("--mcp-config", mcpPath)];
}

/** What makes Qwen Code itself. */
export const qwenDialect: StreamJsonDialect = {
  graceMs: 10_000,
  stdin: "text",
  args: qwenArgs,
  allow: (input) => ({ behavior: "allow", updatedInput: input }),
  terminalReasons: {},
  asyncLaunchError: "",
};

/** The Qwen Code driver. */
export const qwenDriver = streamJsonDriver(qwenDialect);
