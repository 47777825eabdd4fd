/** Claude Code: its dialect of stream-json (spec 06 §3, §11.1). */
import { claudeArgs, claudePreflight, currentUid } from "./claude_args.ts";
import type { Json } from "./stream_json.ts";
import { type StreamJsonDialect, streamJsonDriver } from "./stream_json_run.ts";

/** Approves a tool call; nothing may go to the background, where nobody would wait for it (CL-5). */
export function allowInForeground(input: Json): Json {
  const updatedInput = input.run_in_background === true ? { ...input, run_in_background: false } : input;
  return { behavior: "allow", updatedInput };
}

/**
 * What makes Claude Code itself. Since 2.1 it sends every subagent to the background and reports a `result` while
 * they still work (seen with 2.1.332); one variable keeps them in the foreground. The task's own value wins.
 */
export const claudeDialect: StreamJsonDialect = {
  graceMs: 5_000,
  stdin: "messages",
  args: claudeArgs,
  preflight: (request, args) => {
    // Only the real one refuses root; other programs may speak its protocol.
    if (request.provider !== "claude") return;
    claudePreflight(args, request.env, { uid: currentUid(), os: Deno.build.os });
  },
  env: (request) => ({ CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1", ...request.env }),
  allow: allowInForeground,
  terminalReasons: {
    prompt_too_long: "the session's context window is exhausted and compaction could not recover it",
  },
  asyncLaunchError:
    "claude launched an async background task; Multica-managed runs require foreground execution",
};

/** The Claude Code driver. */
export const claudeDriver = streamJsonDriver(claudeDialect);
