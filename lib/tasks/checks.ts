/** What is checked right after a claim, before anything is written (spec 01 §5.5, §11.2; 04 §20.1). */
import type { ClaimedTask } from "../control/mod.ts";
import type { LaunchTarget } from "../runtimes/mod.ts";
import { TaskFailure } from "./errors.ts";

/** Beginning of every task-scoped token. */
const TASK_TOKEN = "mat_";

/** The agent's credential, trimmed. No other token ever takes its place (R45). @throws {TaskFailure} */
export function taskToken(task: Pick<ClaimedTask, "auth_token">): string {
  const token = task.auth_token.trim();
  if (token === "") throw refused("server did not provide task-scoped auth token");
  if (!token.startsWith(TASK_TOKEN)) throw refused("server provided non-task-scoped auth token");
  return token;
}

function refused(text: string): TaskFailure {
  return new TaskFailure(text, "agent_error.missing_config");
}

/** Refuses claims that must not be run at all. @throws {TaskFailure} */
export function checkClaim(task: ClaimedTask, target: LaunchTarget): void {
  if (task.workspace_id === "") {
    throw new TaskFailure(
      `refusing to spawn agent: task has no workspace_id (task_id=${task.id})`,
      "agent_error.unknown",
    );
  }
  const agentId = task.agent?.id ?? "";
  if (task.agent_id === "" || agentId === "" || agentId !== task.agent_id) {
    throw new TaskFailure(
      `refusing to run: the claim's agent (${task.agent_id || "none"}) is not the agent it carries (${
        agentId || "none"
      })`,
      "invalid_task_identity",
    );
  }
  checkReadable(task);
  taskToken(task);
  checkTarget(target);
}

/** Fields a run must not guess. */
const VITAL = /^(?:agent\b|repos|project_resources|prior_|workspace_)/;

/** Task kinds and field shapes of servers newer than this host: refused with a reason, never half understood. */
function checkReadable(task: ClaimedTask): void {
  if ((task.regenerate_quick_actions_for ?? "") !== "") {
    throw new TaskFailure("this host cannot regenerate quick actions: update it", UNSUPPORTED);
  }
  const vital = (task.malformed ?? []).filter((field) => VITAL.test(field));
  if (vital.length > 0) {
    throw new TaskFailure(
      `this host cannot read fields of the task (${vital.join(", ")}): update it`,
      UNSUPPORTED,
    );
  }
}

const UNSUPPORTED = "agent_error.runtime_version_unsupported";

/** The launch target was taken once, at claim; one without an executable cannot run here (spec 01 §7.4). */
function checkTarget(target: LaunchTarget): void {
  if (target.executable !== "") return;
  const why = target.problem === "" ? "" : `: ${target.problem}`;
  throw new TaskFailure(
    `no agent configured for provider "${target.provider}"${why}`,
    "agent_error.runtime_missing_executable",
  );
}

/** True when the server makes a new attempt of a task that ended with `runtime_recovery` (spec 01 §6.5). */
export function isRetryable(task: ClaimedTask): boolean {
  const conversation = task.issue_id !== "" || task.chat_session_id !== "";
  return conversation && task.autopilot_run_id === "" && task.attempt < 2;
}
