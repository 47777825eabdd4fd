/** GitHub Copilot CLI: JSON lines, prompt on stdin where the CLI reads it (spec 06 §6, §11.1, §11.11). */
import { exitText, getLog } from "../core/mod.ts";
import { type BlockedFlags, filterArgs, filterPrefix } from "./args.ts";
import { type ChildEnd, withStderr } from "./child_run.ts";
import type { RunRequest } from "./contract.ts";
import { CopilotState } from "./copilot_state.ts";
import { type LineDialect, lineDriver, type LineVerdict, stopVerdict } from "./line_agent.ts";
import { sanitiseDiagnostic } from "./sanitise.ts";

const log = getLog("agents", "copilot");

/** Flags the protocol keeps for itself. */
export const COPILOT_BLOCKED: BlockedFlags = {
  "-p": "value",
  "--prompt": "value",
  "--output-format": "value",
  "--resume": "value",
  "--session-id": "value",
  "--allow-all": "none",
  "--allow-all-tools": "none",
  "--allow-all-paths": "none",
  "--allow-all-urls": "none",
  "--yolo": "none",
  "--no-ask-user": "none",
  "--acp": "none",
};

/** First version measured to read a piped prompt and to take the id of a new session. */
const PIPED_SINCE = [1, 0, 102] as const;

/** True when this CLI takes its prompt on stdin: no argument limit, nothing in process lists. */
export function copilotReadsStdin(cliVersion: string): boolean {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(cliVersion);
  if (match === null) return false;
  for (const [i, least] of PIPED_SINCE.entries()) {
    const part = Number(match[i + 1]);
    if (part !== least) return part > least;
  }
  return true;
}

/** The whole argument vector. `sessionId` "" lets the CLI name a fresh session itself. */
export function copilotArgs(request: RunRequest, sessionId = ""): string[] {
  const protocol = [
    ...(copilotReadsStdin(request.cliVersion) ? [] : ["-p", request.prompt]),
    "--output-format",
    "json",
    "--allow-all",
    "--no-ask-user",
    ...(request.model === "" ? [] : ["--model", request.model]),
    ...(request.resumeSessionId === "" ? [] : ["--resume", request.resumeSessionId]),
    ...(sessionId === "" ? [] : ["--session-id", sessionId]),
  ];
  return [
    ...filterPrefix(request.provider, request.prefixArgs, COPILOT_BLOCKED, protocol),
    ...protocol,
    ...filterArgs(request.provider, request.customArgs, COPILOT_BLOCKED),
  ];
}

/** Words that prove that the requested session is gone. */
const SESSION_GONE = /no session, task, or name matched|session not found|no session found/i;

function copilotVerdict(state: CopilotState, request: RunRequest, end: ChildEnd): LineVerdict {
  const decided = decide(state, request, end);
  const tail = sanitiseDiagnostic(end.stderrTail);
  const error = withStderr(decided.error, "copilot", tail);
  const rejected = decided.status === "failed" && request.resumeSessionId !== "" && !state.sawTurn &&
    SESSION_GONE.test(error);
  const { usage } = state;
  if (decided.status === "completed" && Object.keys(usage).length === 0) {
    log.warn("copilot told no usage", { cliVersion: request.cliVersion });
  }
  return {
    ...decided,
    error,
    output: decided.status === "completed" ? state.output : "",
    sessionId: rejected ? "" : state.sessionId,
    usage,
    resumeRejected: rejected,
  };
}

function decide(
  state: CopilotState,
  request: RunRequest,
  end: ChildEnd,
): Pick<LineVerdict, "status" | "error"> {
  const exited = `copilot exited with code ${state.exitCode}`;
  const code = state.exitCode ?? 0;
  const stated = code === 0 ? state.error : state.error === "" ? exited : `${state.error}; ${exited}`;
  if (stated !== "") return { status: "failed", error: stated };
  if (state.exitCode !== undefined) return { status: "completed", error: "" };
  const stopped = stopVerdict("copilot", end.stopCause, request.timeoutMs);
  if (stopped !== undefined) return stopped;
  if (end.readError !== "") return { status: "failed", error: `copilot stdout read error: ${end.readError}` };
  if (end.stdinError !== "" && !state.sawTurn) {
    return { status: "failed", error: `copilot prompt write failed: ${end.stdinError}` };
  }
  const exit = end.exit === undefined ? "the process could not be ended" : exitText(end.exit);
  if (exit !== "") return { status: "failed", error: `copilot exited with error: ${exit}` };
  if (!state.sawTurn && state.output === "") {
    return { status: "failed", error: "copilot returned empty output" };
  }
  return { status: "completed", error: "" };
}

/** The session id a fresh run is given, so that it is known before the CLI tells it at the very end. */
const givenSessions = new WeakMap<RunRequest, string>();

function givenSession(request: RunRequest): string {
  if (request.resumeSessionId !== "") return request.resumeSessionId;
  if (!copilotReadsStdin(request.cliVersion)) return "";
  const known = givenSessions.get(request) ?? crypto.randomUUID();
  givenSessions.set(request, known);
  return known;
}

/** What makes Copilot itself. */
export const copilotDialect: LineDialect = {
  name: "copilot",
  graceMs: 5_000,
  args: (request) => copilotArgs(request, request.resumeSessionId === "" ? givenSession(request) : ""),
  promptOnStdin: (request) => copilotReadsStdin(request.cliVersion),
  agent: (run, request) => {
    const state = new CopilotState({
      emit: run.emit,
      model: request.model,
      resumed: request.resumeSessionId !== "",
      givenSession: givenSession(request),
      stopped: run.stopped,
    });
    return {
      take: (event) => state.take(event),
      verdict: (end) => copilotVerdict(state, request, end!),
    };
  },
};

/** The Copilot driver. */
export const copilotDriver = lineDriver(copilotDialect);
