/** OpenCode: `opencode run --format json`, prompt on stdin (spec 07 §5, §10.3). */
import { exitText } from "../core/mod.ts";
import { argumentVector, type BlockedFlags } from "./args.ts";
import { type ChildEnd, withStderr } from "./child_run.ts";
import type { RunRequest } from "./contract.ts";
import { type LineDialect, lineDriver, type LineVerdict, stopVerdict } from "./line_agent.ts";
import { openCodeMcp } from "./opencode_mcp.ts";
import { OpenCodeState } from "./opencode_state.ts";
import { sanitiseDiagnostic } from "./sanitise.ts";

/** Flags the protocol keeps for itself. */
export const OPENCODE_BLOCKED: BlockedFlags = {
  "--format": "value",
  "--dir": "value",
  "--variant": "value",
  "--dangerously-skip-permissions": "none",
};

/** The whole argument vector; the prompt is no part of it. */
export function openCodeArgs(request: RunRequest): string[] {
  const protocol = [
    "run",
    "--format",
    "json",
    "--dangerously-skip-permissions",
    ...(request.cwd === "" ? [] : ["--dir", request.cwd]),
    ...(request.model === "" ? [] : ["--model", request.model]),
    ...(request.thinkingLevel === "" ? [] : ["--variant", request.thinkingLevel]),
    ...(request.resumeSessionId === "" ? [] : ["--session", request.resumeSessionId]),
  ];
  return argumentVector(request, OPENCODE_BLOCKED, protocol);
}

/**
 * OpenCode prefers an inherited PWD over its real directory. `OPENCODE_PERMISSION` is merged into the user's own
 * configuration and would undo denials, so it never reaches the child.
 * @throws {LaunchError} for an MCP set OpenCode cannot be given
 */
export function openCodeEnv(request: Pick<RunRequest, "env" | "cwd" | "mcpConfig">): Record<string, string> {
  const { OPENCODE_PERMISSION: _never, ...env } = request.env;
  const content = openCodeMcp(request.mcpConfig);
  return {
    ...env,
    ...(request.cwd === "" ? {} : { PWD: request.cwd }),
    ...(content === "" ? {} : { OPENCODE_CONFIG_CONTENT: content }),
  };
}

/** First match decides; an error event decides for good, whatever the exit code says. */
function openCodeVerdict(state: OpenCodeState, request: RunRequest, end: ChildEnd): LineVerdict {
  const decided = decide(state, request, end);
  const tail = sanitiseDiagnostic(end.stderrTail);
  const rejected = decided.status === "failed" && request.resumeSessionId !== "" &&
    state.finishedSteps === 0 &&
    /session not found/i.test(`${decided.error}\n${tail}`);
  return {
    ...decided,
    error: state.error === "" ? withStderr(decided.error, "opencode", tail) : decided.error,
    output: state.output,
    sessionId: rejected ? "" : state.sessionId,
    usage: state.usage,
    resumeRejected: rejected,
    costUsdTicks: Math.round(state.costUsd * 1e10),
  };
}

function decide(
  state: OpenCodeState,
  request: RunRequest,
  end: ChildEnd,
): Pick<LineVerdict, "status" | "error"> {
  if (state.error !== "") return { status: "failed", error: state.error };
  const stopped = stopVerdict("opencode", end.stopCause, request.timeoutMs);
  if (stopped !== undefined) return stopped;
  if (end.readError !== "") {
    return { status: "failed", error: `opencode stdout read error: ${end.readError}` };
  }
  if (end.stdinError !== "" && state.finishedSteps === 0) {
    return { status: "failed", error: `opencode prompt write failed: ${end.stdinError}` };
  }
  const exit = end.exit === undefined ? "the process could not be ended" : exitText(end.exit);
  const exited = exit === "" ? "" : `opencode exited with error: ${exit}`;
  if (state.guard !== "") {
    return { status: "failed", error: exited === "" ? state.guard : `${state.guard}; ${exited}` };
  }
  if (exited !== "") return { status: "failed", error: exited };
  if (state.finishedSteps === 0 && state.output === "" && state.sessionId === "") {
    return { status: "failed", error: "opencode returned empty output" };
  }
  return { status: "completed", error: "" };
}

/** What makes OpenCode itself. */
export const openCodeDialect: LineDialect = {
  name: "opencode",
  graceMs: 5_000,
  args: openCodeArgs,
  promptOnStdin: () => true,
  env: openCodeEnv,
  agent: (run, request) => {
    const state = new OpenCodeState(run.emit, request.model);
    return {
      take: (event) => event.type === "error" && run.stopped() || state.take(event),
      verdict: (end) => openCodeVerdict(state, request, end!),
    };
  },
};

/** The OpenCode driver. */
export const openCodeDriver = lineDriver(openCodeDialect);
