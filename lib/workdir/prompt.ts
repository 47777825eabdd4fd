/** The user message of one run, by kind of task (spec 05 §10, §27.3). */
import type { ClaimedTask } from "../control/mod.ts";
import { payloadText } from "./brief_workflow.ts";
import {
  fenced,
  isBlank,
  isSquadLeader,
  oneLine,
  overview,
  quoted,
  readHint,
  replyTemplate,
  selectedSkills,
  taskKind,
} from "./phrasing.ts";
import { audience, authorLabel, earlierComments, replyTargets, runNotes } from "./prompt_notes.ts";
import { quickCreatePrompt } from "./prompt_quick_create.ts";

/** What a prompt is made from. */
export interface PromptContext {
  readonly task: ClaimedTask;
  /** The run continues the earlier session. */
  readonly resumed: boolean;
  /** An earlier session existed and is lost: the agent is told, once. */
  readonly sessionLost: boolean;
  readonly windows: boolean;
  /** The work directory is the user's own, and this run holds no lock on it (spec 05 §27.3). */
  readonly sharedDirectory?: boolean;
}

/** The prompt. Nothing is cut; what changes from run to run stands here, not in the brief. Pure. */
export function buildPrompt(context: PromptContext): string {
  const parts = [...body(context), ...runNotes(context)];
  return parts.filter((text) => text !== "").join("\n\n");
}

function body(context: PromptContext): readonly string[] {
  const { task } = context;
  switch (taskKind(task)) {
    case "chat":
      return chat(task);
    case "quick-create":
      return [quickCreatePrompt(task)];
    case "autopilot":
      return autopilot(task);
    case "comment":
      return comment(context);
    default:
      return assignment(task);
  }
}

const ROLE = "You are a coding agent on this machine, working for a Multica workspace.";

function assignment(task: ClaimedTask): readonly string[] {
  return [
    ROLE,
    `You were assigned issue \`${task.issue_id}\`.`,
    isBlank(task.handoff_note)
      ? ""
      : `Note from whoever assigned it. It sets the scope: follow it before anything broader. It is not a comment to reply to.\n\n${
        quoted(task.handoff_note)
      }`,
    `Begin with \`multica issue get ${task.issue_id} --output json\`.`,
    `Then get an overview of the discussion: ${
      overview(task.issue_id)
    }, and read the threads that matter. Folded ones open with \`--full\`; \`--since <RFC3339>\` leaves out what is older.`,
  ];
}

function comment({ task, resumed, windows }: PromptContext): readonly string[] {
  const content = task.trigger_comment_content;
  const fromAgent = task.trigger_author_type === "agent";
  return [
    ROLE,
    `A comment on issue \`${task.issue_id}\` started this run (comment \`${task.trigger_comment_id}\`).`,
    ...earlierComments(task),
    content === ""
      ? ""
      : `[NEW COMMENT] ${
        authorLabel(task.trigger_author_type, task.trigger_author_name)
      } wrote the following; this is what you answer now:\n\n${quoted(content)}`,
    content !== "" && fromAgent
      ? "The author is an agent. Decide whether to reply: work asked for → do it and reply as usual; an acknowledgement without work → end silently, without posting that no reply is needed. Do not mention that agent to sign off."
      : "",
    content !== "" && isSquadLeader(task)
      ? `You lead the squad: if nothing has to be done, run \`multica squad activity ${task.issue_id} no_action --reason "…"\` and end without a comment.`
      : "",
    `Issue: \`multica issue get ${task.issue_id} --output json\`.`,
    readHint(task, resumed),
    replyTargets(task) || replyTemplate(task, windows),
  ];
}

function chat(task: ClaimedTask): readonly string[] {
  const skills = selectedSkills(task);
  const files = task.chat_message_attachments.map(({ id, filename, content_type }) =>
    `- id=${id} filename=${goQuoted(filename)}${content_type === "" ? "" : ` content_type=${content_type}`}`
  );
  return [
    "You are a chat assistant in a Multica workspace; a user talks to you directly.",
    audience(task),
    skills.length === 0
      ? ""
      : `Explicitly selected skills:\n${skills.map((name) => `- ${oneLine(name)}`).join("\n")}`,
    `User message:\n\n${task.chat_message}`,
    files.length === 0
      ? ""
      : `Attachments on this message:\n${
        files.join("\n")
      }\n\nFetch one with \`multica attachment download <id>\`; keep it on a new issue with \`--attachment-id <id>\` of \`multica issue create\`.`,
  ];
}

function autopilot(task: ClaimedTask): readonly string[] {
  const payload = payloadText(task);
  const instructions = task.autopilot_description.trim() || task.autopilot_title.trim();
  const facts = [
    task.autopilot_id === "" ? "" : `autopilot \`${task.autopilot_id}\``,
    task.autopilot_title === "" ? "" : `"${oneLine(task.autopilot_title)}"`,
    task.autopilot_source === "" ? "" : `triggered by ${oneLine(task.autopilot_source)}`,
  ].filter((text) => text !== "").join(", ");
  return [
    ROLE,
    `This is run \`${task.autopilot_run_id}\` of an autopilot${
      facts === "" ? "" : ` (${facts})`
    }. There is no issue: do not call \`multica issue get\`.`,
    payload === "" ? "" : `Payload:\n\n${fenced(payload, "json")}`,
    instructions === ""
      ? "It carries no instructions: inspect its configuration and do what that says."
      : `Instructions:\n\n${instructions}`,
    task.autopilot_id === ""
      ? ""
      : `Its configuration: \`multica autopilot get ${task.autopilot_id} --output json\`.`,
  ];
}

/** A file name in double quotes with Go's escapes. */
function goQuoted(text: string): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === '"' || char === "\\") out += `\\${char}`;
    else if (char === "\n") out += "\\n";
    else if (char === "\t") out += "\\t";
    else if (char === "\r") out += "\\r";
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (/\p{C}|\p{Zl}|\p{Zp}/u.test(char)) {
      out += code > 0xffff
        ? `\\U${code.toString(16).padStart(8, "0")}`
        : `\\u${code.toString(16).padStart(4, "0")}`;
    } else out += char;
  }
  return `"${out}"`;
}
