/** The brief's workflow and output sections by kind of task (spec 05 §6.13, §6.19, §27.1). */
import type { ClaimedTask } from "../control/mod.ts";
import { fenced, oneLine, type TaskKind, trimmed } from "./phrasing.ts";

const NO_ACTION =
  'If the outcome is that nothing has to be done, run `multica squad activity <issue-id> no_action --reason "…"` and end without any comment.';

/** The steps of an issue run; which comment or assignment started it stands in the prompt. */
export function issueWorkflow(task: ClaimedTask, leader: boolean): string {
  const issue = task.issue_id === "" ? "<issue-id>" : task.issue_id;
  const steps = [
    `Read the issue: \`multica issue get ${issue} --output json\`.`,
    `Read its metadata, best effort: \`multica issue metadata list ${issue} --output json\`.`,
    `Read the discussion as the prompt says; a thread of the overview with \`multica issue comment list ${issue} --thread <root-id> --tail 30 --compact --output json\`. Page with the \`Next thread cursor\` values (\`--before\`, \`--before-id\`); folded threads open with \`--full\`. Never list all comments of an issue at once.`,
    "If a comment started this run, find it by the id in the prompt and do not confuse it with earlier ones. Work was asked for → do it, then reply. A mere thank-you or acknowledgement from an agent, with no work in it → end silently; do not post that no reply is needed.",
    `Status is the state of the *issue*: \`multica issue status ${issue} in_progress\` when you really begin on it, \`in_review\` when you deliver, only when it differs. A run that answers a question, or that a comment started, leaves the status alone unless it was asked to change it.`,
    "Do the work within the limits of your identity. A role that only delegates stops after delegating.",
    `Post the result as exactly one final comment: \`multica issue comment add ${issue} --content-file ./reply.md\` (with the \`--parent\` of the prompt when it names one).`,
    "Write metadata only above the bar described there.",
    `Blocked? \`multica issue status ${issue} blocked\` and a comment that says why and what you need.`,
  ];
  if (leader) steps[6] += ` ${NO_ACTION}`;
  return steps.map((step, index) => `${index + 1}. ${step}`).join("\n");
}

export const CHAT_WORKFLOW = [
  "A person talks to you directly. Answer them; be concise.",
  "",
  "- The whole CLI is yours: issues with `multica issue list --output json` and `multica issue get <id> --output json`, the workspace with `multica workspace get --output json`.",
  "- When they ask for an action, carry it out with the CLI; when they ask about code, fetch it with `multica repo checkout`.",
].join("\n");

export const QUICK_CREATE_WORKFLOW = [
  "There is no issue yet; the prompt says what to create. Whatever it says, these hold:",
  "",
  "- Exactly one `multica issue create`. Never `issue get`, `issue status` or `issue comment add`.",
  "- No second try, not even after an error: the issue may exist. On an error, the error is your only output.",
  "- The platform tells the requester; you do not.",
].join("\n");

/** A run of an autopilot that has no issue. */
export function autopilotWorkflow(task: ClaimedTask): string {
  const fact = (name: string, value: string) => value === "" ? [] : [`- ${name}: ${oneLine(value)}`];
  const payload = payloadText(task);
  const instructions = task.autopilot_description.trim() || task.autopilot_title.trim();
  return [
    "This is a run without an issue.",
    [
      ...fact("Run", task.autopilot_run_id),
      ...fact("Autopilot", task.autopilot_id),
      ...fact("Title", task.autopilot_title),
      ...fact("Triggered by", task.autopilot_source),
    ].join("\n"),
    ...(payload === "" ? [] : [`Payload of the trigger:\n\n${fenced(payload, "json")}`]),
    ...(instructions === "" ? [] : [`Instructions:\n\n${instructions}`]),
    ...(task.autopilot_id === ""
      ? []
      : [`Its configuration: \`multica autopilot get ${task.autopilot_id} --output json\`.`]),
    "Carry the instructions out directly. No `issue get`, `issue comment add` or `issue status` unless they ask for it.",
  ].filter((text) => text !== "").join("\n\n");
}

/** The trigger's payload as text; "" when there is none. */
export function payloadText(task: ClaimedTask): string {
  const payload = task.autopilot_trigger_payload;
  if (payload === undefined || payload === null) return "";
  return typeof payload === "string" ? trimmed(payload) : JSON.stringify(payload);
}

const ISSUE_OUTPUT =
  "People see **only comments**: what you print in the terminal reaches nobody. Post the result with `multica issue comment add`, exactly one final comment per run; outcome, not process; refer to issues by mention links. Deliver files as attachments or URLs, never as a local path or `file://` link.";

/** What becomes of the agent's words. */
export function output(kind: TaskKind, leader: boolean): string {
  switch (kind) {
    case "chat":
      return "Your final message goes straight into the chat window. Files reach the reader only as attachments or URLs.";
    case "autopilot":
      return "Your final message is kept as the result of the run: concise, with the outcome. Files reach nobody by a local path: give a URL.";
    case "quick-create":
      return "What you print is kept. After success print exactly one line, `Created <identifier-or-id>: <title>`, with the identifier of the JSON answer, else its id; do not assume a key prefix. After a failure print the error of the CLI and nothing else. Never comment.";
    default:
      return leader ? `${ISSUE_OUTPUT} ${NO_ACTION}` : ISSUE_OUTPUT;
  }
}
