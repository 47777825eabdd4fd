/** What a task's work directory says about the task (spec 04 §5.1, 5.2, 20.4; 05 §9). Pure. */
import type { ClaimedTask } from "../control/mod.ts";
import type { PlannedFile } from "./sidecars.ts";
import { payloadText } from "./brief_workflow.ts";
import { fenced, isBlank, isIssueRun, oneLine, quoted, safeJson, taskKind, trimmed } from "./phrasing.ts";

/** Marker of a work directory that belongs to a task. */
export const TASK_MARKER = ".multica/daemon_task_context.json";
/** `managed_by` of {@link TASK_MARKER}. */
export const MANAGED_TASK = "multica-daemon-task";

/** All context files of a task. */
export function contextFiles(task: ClaimedTask): PlannedFile[] {
  const resources = resourcesJson(task);
  return [
    { path: ".agent_context/issue_context.md", text: issueContext(task), onExisting: "keep" },
    { path: TASK_MARKER, text: taskMarker(task), onExisting: isTaskMarker },
    ...(resources === undefined
      ? []
      : [{ path: ".multica/project/resources.json", text: resources, onExisting: "keep" as const }]),
  ];
}

/** Which task a directory belongs to. */
export function taskMarker(task: ClaimedTask): string {
  return safeJson({
    managed_by: MANAGED_TASK,
    ...(task.agent_id === "" ? {} : { agent_id: task.agent_id }),
    ...(task.issue_id === "" ? {} : { issue_id: task.issue_id }),
    ...(task.chat_session_id === "" ? {} : { chat_session_id: task.chat_session_id }),
  });
}

/** True for a marker of ours, whichever task it names. */
export function isTaskMarker(text: string): boolean {
  try {
    return (JSON.parse(text) as { managed_by?: unknown } | null)?.managed_by === MANAGED_TASK;
  } catch {
    return false; // torn or foreign: never ours to overwrite
  }
}

/** Text of `issue_context.md`: facts the agent cannot ask for, and where to ask for the rest. */
export function issueContext(task: ClaimedTask): string {
  const kind = taskKind(task);
  const parts = kind === "autopilot" ? autopilot(task) : kind === "quick-create"
    ? [
      "# Quick Create",
      "**Trigger:** a message in the quick-create dialog",
      "## User input",
      quoted(task.quick_create_prompt),
    ]
    : kind === "chat"
    ? chat(task)
    : issue(task);
  return `${parts.join("\n\n")}\n`;
}

function issue(task: ClaimedTask): string[] {
  const trigger = isIssueRun(task) && task.trigger_comment_id !== ""
    ? `Comment Reply (\`${task.trigger_comment_id}\`)`
    : "New Assignment";
  return [
    "# Task Assignment",
    `**Issue ID:** ${task.issue_id}`,
    `**Trigger:** ${trigger}`,
    ...(isBlank(task.handoff_note) ? [] : [
      "## Handoff Note",
      "From whoever assigned the issue; it sets the scope:",
      quoted(task.handoff_note),
    ]),
    "## Quick Start",
    `\`multica issue get ${task.issue_id} --output json\``,
  ];
}

function chat(task: ClaimedTask): string[] {
  return [
    "# Chat",
    `**Chat session:** ${task.chat_session_id}`,
    "**Trigger:** a message of the user; the prompt carries it",
  ];
}

function autopilot(task: ClaimedTask): string[] {
  const payload = payloadText(task);
  const fields = [
    `**Run ID:** ${task.autopilot_run_id}`,
    ...(task.autopilot_id === "" ? [] : [`**Autopilot ID:** ${task.autopilot_id}`]),
    ...(isBlank(task.autopilot_title) ? [] : [`**Title:** ${oneLine(task.autopilot_title)}`]),
    ...(isBlank(task.autopilot_source) ? [] : [`**Trigger source:** ${oneLine(task.autopilot_source)}`]),
  ];
  const get = task.autopilot_id === ""
    ? ""
    : ` Its configuration: \`multica autopilot get ${task.autopilot_id} --output json\`.`;
  return [
    "# Autopilot Run",
    fields.join("\n"),
    ...(payload === "" ? [] : ["## Trigger Payload", fenced(payload, "json")]),
    "## Quick Start",
    `This run has no issue: do not fetch one unless the instructions say so.${get}`,
    ...(isBlank(task.autopilot_description)
      ? []
      : ["## Autopilot Instructions", trimmed(task.autopilot_description)]),
  ];
}

/** Text of `resources.json`, undefined when the task has no project. */
export function resourcesJson(task: ClaimedTask): string | undefined {
  if (task.project_id === "" && task.project_resources.length === 0) return undefined;
  return safeJson({
    ...(task.project_id === "" ? {} : { project_id: task.project_id }),
    ...(task.project_title === "" ? {} : { project_title: task.project_title }),
    ...(task.project_description === "" ? {} : { project_description: task.project_description }),
    resources: task.project_resources.map(({ id, resource_type, resource_ref, label }) => ({
      id,
      resource_type,
      resource_ref,
      ...(label === "" ? {} : { label }),
    })),
  });
}
