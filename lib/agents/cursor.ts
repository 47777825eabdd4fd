/** Cursor Agent: stream-json of its own, prompt on stdin, the result event is the end (spec 06 §7, §11.12). */
import { exitText } from "../core/mod.ts";
import { type BlockedFlags, filterArgs, filterPrefix } from "./args.ts";
import { type ChildEnd, withStderr } from "./child_run.ts";
import type { RunRequest } from "./contract.ts";
import { cursorLine, CursorState } from "./cursor_state.ts";
import {
  type LineCounts,
  type LineDialect,
  lineDriver,
  type LineVerdict,
  stopVerdict,
} from "./line_agent.ts";
import { sanitiseDiagnostic } from "./sanitise.ts";

/** Flags the protocol keeps for itself. */
export const CURSOR_BLOCKED: BlockedFlags = { "--output-format": "value", "-p": "none", "--yolo": "none" };

/** The whole argument vector; the prompt is no part of it. */
export function cursorArgs(request: RunRequest): string[] {
  const protocol = [
    "-p",
    "--output-format",
    "stream-json",
    "--yolo",
    ...(request.cwd === "" ? [] : ["--workspace", request.cwd]),
    ...(request.model === "" ? [] : ["--model", request.model]),
    ...(request.resumeSessionId === "" ? [] : ["--resume", request.resumeSessionId]),
  ];
  return [
    ...filterPrefix(request.provider, request.prefixArgs, CURSOR_BLOCKED, protocol),
    ...protocol,
    ...filterArgs(request.provider, request.customArgs, CURSOR_BLOCKED),
  ];
}

function cursorVerdict(
  state: CursorState,
  counts: LineCounts,
  request: RunRequest,
  end: ChildEnd | undefined,
): LineVerdict {
  const decided = decide(state, counts, request, end);
  const tail = sanitiseDiagnostic(end?.stderrTail ?? "");
  return {
    ...decided,
    error: withStderr(decided.error, "cursor", tail),
    output: decided.status === "completed" ? state.output : "",
    sessionId: state.sessionId,
    usage: state.usage,
  };
}

/**
 * The result decides as soon as it is there (`end` undefined), and nothing after it counts: current CLIs leave a worker
 * behind that has to be ended. One that comes after our stop is only the answer to that.
 */
function decide(
  state: CursorState,
  counts: LineCounts,
  request: RunRequest,
  end: ChildEnd | undefined,
): Pick<LineVerdict, "status" | "error"> {
  if (end === undefined) {
    const failed = state.result?.failed ?? false;
    return { status: failed ? "failed" : "completed", error: state.result?.error ?? "" };
  }
  const stopped = stopVerdict("cursor-agent", end.stopCause, request.timeoutMs);
  if (stopped !== undefined) return stopped;
  return { status: "failed", error: endedWithoutResult(state, end) + suffix(counts, end) };
}

function endedWithoutResult(state: CursorState, end: ChildEnd): string {
  if (end.readError !== "") return `cursor-agent stdout read error: ${end.readError}`;
  if (state.error !== "") return state.error;
  if (end.stdinError !== "") return `cursor-agent prompt write failed: ${end.stdinError}`;
  const exit = end.exit === undefined ? "the process could not be ended" : exitText(end.exit);
  if (exit !== "") return `cursor-agent exited with error: ${exit}`;
  return "cursor-agent stream ended without terminal result";
}

function suffix(counts: LineCounts, end: ChildEnd): string {
  const facts = [
    "result_seen=false",
    `exit_code=${end.exit?.code ?? "unknown"}`,
    `scanner_error=${end.readError !== "" || end.cutBytes > 0}`,
    `event_count=${counts.events}`,
    `invalid_event_count=${counts.invalid}`,
    `last_event_type=${counts.lastType}`,
  ].join(", ");
  return ` (${facts}); actions completed before finalization may already have taken effect`;
}

/** What makes Cursor Agent itself. */
export const cursorDialect: LineDialect = {
  name: "cursor-agent",
  graceMs: 500,
  args: cursorArgs,
  promptOnStdin: () => true,
  normalise: cursorLine,
  agent: (run, request) => {
    const state = new CursorState(run.emit, request.model);
    return {
      take: (event) => {
        const known = state.take(event);
        if (event.type === "result") run.finish();
        return known;
      },
      verdict: (end) => cursorVerdict(state, run.counts, request, end),
    };
  },
};

/** The Cursor driver. */
export const cursorDriver = lineDriver(cursorDialect);
