/** What later servers add to a prompt, and what holds for one run only (spec 05 §6.5, §27.1, §27.3). Pure. */
import type { ClaimedTask } from "../control/mod.ts";
import { isIssueRun, oneLine, quoted, safeEmail, safeName, taskKind } from "./phrasing.ts";
import type { PromptContext } from "./prompt.ts";

/** Ends of a prompt that hold for this run only; they stand here so that the brief never changes. */
export function runNotes({ task, sessionLost, sharedDirectory }: PromptContext): readonly string[] {
  return [
    initiator(task),
    isIssueRun(task) ? siblings(task) : "",
    apps(task),
    sharedDirectory === true ? SHARED : "",
    sessionLost ? continuityNotice(task) : "",
  ];
}

const SHARED =
  "Your working directory is the user's own and this run holds no lock on it: others may be editing the same " +
  "files right now. Look before you write, and do not undo what you did not do.";

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

/** Other runs at work nearby. */
function siblings(task: ClaimedTask): string {
  const runs = task.active_sibling_runs ?? [];
  if (runs.length === 0) return "";
  const rows = runs.map((run) => {
    const title = oneLine(run.issue_title);
    const since = run.started_at === "" ? "" : `, since ${run.started_at}`;
    return `- task \`${run.task_id}\` on ${oneLine(run.issue_identifier || run.issue_id)}${
      title === "" ? "" : `: ${title}`
    } (${oneLine(run.status) || "active"}${since})`;
  });
  return `Other runs are at work nearby. Do not do their work again; see what one does with \`multica issue run-messages <task>\`:\n${
    rows.join("\n")
  }`;
}

function apps(task: ClaimedTask): string {
  const names = (task.connected_apps ?? []).map(oneLine);
  return names.length === 0 ? "" : `Connected apps of this run: ${names.join(", ")}.`;
}

/** Told once when an earlier session cannot be resumed (spec 05 §27.3). */
export function continuityNotice(task: ClaimedTask): string {
  return `Note: an earlier session on this task existed, but it could not be resumed, so you remember nothing of it. ${
    whereToLook(task)
  }`;
}

function whereToLook(task: ClaimedTask): string {
  if (isIssueRun(task) && task.issue_id !== "") {
    return "Read the issue's comments again, and the work already in this directory.";
  }
  const channel = oneLine(task.chat_channel_type ?? "");
  if (taskKind(task) !== "chat" || channel === "") {
    return "What was said then cannot be recovered; ask where you need it.";
  }
  return channel.toLowerCase() === "slack"
    ? "Read the channel's history (`multica chat history`) before you answer."
    : "Read the earlier conversation with `multica chat history` before you answer.";
}

/** Who wrote a comment. */
export function authorLabel(type: string, name: string): string {
  if (type === "system") return "The platform";
  return type === "agent" ? `Another agent (${safeName(name) || "another agent"})` : "A user";
}

/** Comments folded into this run: each wants an answer (spec 05 §27.3). */
export function earlierComments(task: ClaimedTask): readonly string[] {
  const comments = task.coalesced_comments ?? [];
  if (comments.length === 0) return [];
  return [
    "Earlier comments wait for you too. Answer each of them.",
    ...comments.map(({ id, author_type: type, author_name: name, created_at: at, content }) =>
      `Comment \`${id}\`, by ${authorLabel(type, name).replace(/^[AT]/, (first) => first.toLowerCase())}${
        at === "" ? "" : `, ${at}`
      }:\n\n${quoted(content)}`
    ),
  ];
}

/** Reply commands where the comments of one run are in several threads; "" where one command will do. */
export function replyTargets(task: ClaimedTask): string {
  const targets = new Map<string, string>();
  for (const { id, thread_id: thread } of task.coalesced_comments ?? []) targets.set(thread || id, id);
  if (task.trigger_comment_id !== "") {
    targets.set(task.trigger_thread_id || task.trigger_comment_id, task.trigger_comment_id);
  }
  if (targets.size < 2) return "";
  const rows = [...targets].map(([thread, parent], index) =>
    `- thread \`${thread}\`: \`multica issue comment add ${task.issue_id} --parent ${parent} --content-file ./reply-${
      index + 1
    }.md\``
  );
  return `The comments are in several threads. Reply in each with its own \`--parent\` and a body file of its own, which you delete afterwards:\n${
    rows.join("\n")
  }`;
}

/** Who reads a chat reply, and what reaches them, where the server says so. */
export function audience(task: ClaimedTask): string {
  const { chat_type: type = "", chat_channel_delivers_files: files } = task;
  const channel = oneLine(task.chat_channel_type ?? "");
  if (type === "" && channel === "") return "";
  const where = channel === "" ? "this chat" : channel;
  const who = type === "group"
    ? `Your reply goes to a group in ${where}: everybody there can read it.`
    : `Your reply goes to one person in ${where}.`;
  const thread = task.chat_in_thread === true ? ", this thread with `multica chat thread`" : "";
  const context = channel === "" ? "" : ` Read earlier messages with \`multica chat history\`${thread}.`;
  if (files === undefined) return who + context;
  return who + context +
    (files
      ? " Files reach the reader: upload one with `multica attachment upload <path>` and put the Markdown it prints into your reply."
      : " Files do not reach the reader there: give text, or a URL.");
}
