/** Claude Code: its dialect of stream-json (spec 06 §3, §11.1). */
import { claudeArgs, claudePreflight, currentUid } from "./claude_args.ts";
import type { Json } from "./stream_json.ts";
import { type StreamJsonDialect, streamJsonDriver } from "./stream_json_run.ts";

/** Approves a tool call; nothing may go to the background, where nobody would wait for it (CL-5). */
export function allowInForeground(input: Json): Json {
  const updatedInput = input.run_in_background === true ? { ...input, run_in_background: false } : input;
  return { behavior: "allow", updatedInput };
}

/** What makes Claude Code itself. */
export const claudeDialect: StreamJsonDialect = {
  name: "claude",
  graceMs: 5_000,
  args: claudeArgs,
  preflight: (request, args) => claudePreflight(args, request.env, { uid: currentUid(), os: Deno.build.os }),
  allow: allowInForeground,
  terminalReasons: {
    prompt_too_long: "the session's context window is exhausted and compaction could not recover it",
  },
  asyncLaunchError:
    "claude launched an async background task; Multica-managed runs require foreground execution",
};

/** The Claude Code driver. */
export const claudeDriver = streamJsonDriver(claudeDialect);
