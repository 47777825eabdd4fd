/** The user message of one run, by kind of task (spec 05 §10, §27.3). */
import type { ClaimedTask } from "../control/mod.ts";
import { payloadText } from "./brief_workflow.ts";
import {
  fenced,
  isSquadLeader,
  oneLine,
  quoted,
  readHint,
  replyTemplate,
  safeEmail,
  safeName,
  selectedSkills,
  taskKind,
} from "./phrasing.ts";
import { quickCreatePrompt } from "./prompt_quick_create.ts";

/** What a prompt is made from. */
export interface PromptContext {
  readonly task: ClaimedTask;
  /** The run continues the earlier session. */
  readonly resumed: boolean;
  /** An earlier session existed and is lost: the agent is told, once. */
  readonly sessionLost: boolean;
  readonly windows: boolean;
}

/** The prompt. Nothing is cut; what changes from run to run stands here, not in the brief. Pure. */
export function buildPrompt(context: PromptContext): string {
  const { task } = context;
  const parts = [...body(context), initiator(task), context.sessionLost ? continuityNotice(task) : ""];
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
  const list = `multica issue comment list ${task.issue_id} --recent 10 --output json`;
  return [
    ROLE,
    `You were assigned issue \`${task.issue_id}\`.`,
    task.handoff_note === ""
      ? ""
      : `Note from whoever assigned it. It sets the scope: follow it before anything broader. It is not a comment to reply to.\n\n${
        quoted(task.handoff_note)
      }`,
    `Begin with \`multica issue get ${task.issue_id} --output json\`.`,
    `Then read the history: \`${list}\`. Older threads follow with the values of the \`Next thread cursor\` line (\`--before\`, \`--before-id\`), folded ones open with \`--full\`, and \`--since <RFC3339>\` may be combined with \`--recent\`.`,
  ];
}

function comment({ task, resumed, windows }: PromptContext): readonly string[] {
  const content = task.trigger_comment_content;
  const fromAgent = task.trigger_author_type === "agent";
  return [
    ROLE,
    `A comment on issue \`${task.issue_id}\` started this run (comment \`${task.trigger_comment_id}\`).`,
    content === ""
      ? ""
      : `[NEW COMMENT] ${author(task)} wrote the following; this is what you answer now:\n\n${
        quoted(content)
      }`,
    content !== "" && fromAgent
      ? "The author is an agent. Decide whether to reply: work asked for → do it and reply as usual; an acknowledgement without work → end silently, without posting that no reply is needed. Do not mention that agent to sign off."
      : "",
    content !== "" && isSquadLeader(task)
      ? `You lead the squad: if nothing has to be done, run \`multica squad activity ${task.issue_id} no_action --reason "…"\` and end without a comment.`
      : "",
    `Issue: \`multica issue get ${task.issue_id} --output json\`.`,
    readHint(task, resumed),
    replyTemplate(task, windows),
  ];
}

function author(task: ClaimedTask): string {
  if (task.trigger_author_type === "agent") {
    const name = safeName(task.trigger_author_name);
    return name === "" ? "Another agent" : `Another agent (${name})`;
  }
  return task.trigger_author_type === "system" ? "The platform" : "A user";
}

function chat(task: ClaimedTask): readonly string[] {
  const skills = selectedSkills(task);
  const files = task.chat_message_attachments.map(({ id, filename, content_type }) =>
    `- id=${id} filename=${goQuoted(filename)}${content_type === "" ? "" : ` content_type=${content_type}`}`
  );
  return [
    "You are a chat assistant in a Multica workspace; a user talks to you directly.",
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

/** Who asked (spec 05 §6.5); at the end of the prompt, so that the brief stays the same from run to run. */
function initiator(task: ClaimedTask): string {
  const name = safeName(task.initiator_name);
  if (name === "") return "";
  const email = safeEmail(task.initiator_email);
  const who = task.initiator_type === "agent"
    ? `the agent ${name}`
    : email === ""
    ? name
    : `${name} (${email})`;
  return `This run was started by ${who}. Attribute the request to them, apply the per-person rules of your instructions, and answer them rather than the owner of this machine. Your credentials stay those of the owner: this neither widens nor narrows what you may reach.`;
}

/** Told once when an earlier session cannot be resumed (spec 05 §27.3). */
export function continuityNotice(task: ClaimedTask): string {
  const where = taskKind(task) === "chat"
    ? "Read the earlier conversation with `multica chat history` if you need it."
    : task.issue_id === ""
    ? "What was said then cannot be recovered."
    : `Read the comments again (\`multica issue comment list ${task.issue_id} --recent 10 --output json\`) and the work already in this directory.`;
  return `Note: an earlier session on this task existed, but it could not be resumed, so you remember nothing of it. ${where}`;
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
