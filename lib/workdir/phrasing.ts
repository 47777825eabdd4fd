/** Shared helpers of brief and prompt: escaping, quoting, read hint, reply command (spec 05 §7, §11, §12, §13). */
import type { ClaimedTask } from "../control/mod.ts";

/** What kind of work a claim is. One precedence for brief, prompt and context file (spec 05 §5.1, unified). */
export type TaskKind = "chat" | "quick-create" | "autopilot" | "comment" | "assignment";

/** chat > quick-create > autopilot > comment > assignment. */
export function taskKind(task: ClaimedTask): TaskKind {
  if (task.chat_session_id !== "") return "chat";
  if (task.quick_create_prompt !== "") return "quick-create";
  if (task.autopilot_run_id !== "") return "autopilot";
  return task.trigger_comment_id !== "" ? "comment" : "assignment";
}

/** True for runs on an issue. */
export function isIssueRun(task: ClaimedTask): boolean {
  const kind = taskKind(task);
  return kind === "comment" || kind === "assignment";
}

/** The conversation a session belongs to: `chat_<id>` or the issue's id; "" for tasks without one (spec 04 §20.6). */
export function conversationKey(task: ClaimedTask): string {
  return task.chat_session_id !== "" ? `chat_${task.chat_session_id}` : task.issue_id;
}

/** Unicode white space as the server counts it: with U+0085, without U+FEFF (spec 05 §26.2). */
const WHITE = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const WHITE_EDGES = new RegExp(`^${WHITE}+|${WHITE}+$`, "g");
const WHITE_RUN = new RegExp(`${WHITE}+`, "g");

/** Text without white space around it. */
export function trimmed(text: string): string {
  return text.replaceAll(WHITE_EDGES, "");
}

/** True when nothing but white space is left. */
export function isBlank(text: string): boolean {
  return trimmed(text) === "";
}

/** JSON indented by two, `<`, `>`, `&` and the line separators escaped; no final newline (spec 05 §9.2, §17.1). */
export function safeJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A person's or agent's name on one line, markup escaped (spec 05 §7). */
export function safeName(name: string): string {
  let out = "";
  let inBreak = false;
  for (const char of name) {
    const code = char.codePointAt(0)!;
    if (code >= 0x09 && code <= 0x0d) {
      if (!inBreak && out !== "") out += " ";
      inBreak = true;
      continue;
    }
    if (code < 0x20 || code === 0x7f) continue;
    inBreak = false;
    out += /[*_`\\[\]<]/.test(char) ? `\\${char}` : char;
  }
  return trimmed(out);
}

/** Any text on one line: titles, descriptions of repositories and skills must not open headings of their own. */
export function oneLine(text: string): string {
  return trimmed(text).replaceAll(WHITE_RUN, " ");
}

/** An e-mail address that can stand in prose, else "". */
export function safeEmail(email: string): string {
  const trimmed = email.trim();
  // deno-lint-ignore no-control-regex
  return trimmed.includes("@") && !/[\u0000-\u0020\u007f\\`*<>[\]]/.test(trimmed) ? trimmed : "";
}

/** Every line of the text behind `> `; CRLF and CR become LF, trailing newlines go. */
export function quoted(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n").map((line) => `> ${line}`).join(
    "\n",
  );
}

/** A fenced block whose fence is longer than any run of backticks inside. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

/** Title for the provider's own session list (spec 05 §12): first non-blank candidate, at most 120 characters. */
export function threadName(task: ClaimedTask): string {
  const candidates = [
    task.thread_name,
    task.autopilot_title,
    task.quick_create_prompt,
    task.chat_message,
    task.trigger_comment_content,
  ];
  const name = candidates.map(oneLine).find((text) => text !== "") ?? "";
  const points = [...name];
  return points.length > 120 ? `${points.slice(0, 117).join("")}...` : name;
}

/** True when the agent leads the squad the task belongs to: as data where the server resolved it, else by its protocol heading. */
export function isSquadLeader(task: ClaimedTask): boolean {
  if (task.leader_role_resolved === true) return task.is_leader_task === true;
  return task.is_leader_task === true ||
    (task.agent?.instructions ?? "").includes("## Squad Operating Protocol");
}

/**
 * How the agent reads the comments around a trigger (spec 05 §11.1): new ones since its last run, nothing new,
 * or a cold start. `resumed`: the run continues the earlier session.
 */
export function readHint(task: ClaimedTask, resumed: boolean): string {
  const list = `multica issue comment list ${task.issue_id}`;
  const thread = task.trigger_thread_id || task.trigger_comment_id;
  const inThread = thread === "" ? "" : ` --thread ${thread}`;
  const since = task.new_comments_since;
  if (task.new_comment_count > 0 && since !== "" && task.issue_id !== "") {
    const n = task.new_comment_count;
    const first =
      `There ${n === 1 ? "is 1 new comment" : `are ${n} new comments`} on this issue since your last run. ` +
      `Do not re-read everything; start with \`${list}${inThread} --since ${since} --output json\`.`;
    return thread === ""
      ? first
      : `${first} For the whole thread use \`--tail 30\` instead of \`--since\`; look issue-wide with ` +
        `\`${list} --since ${since} --output json\` only if you need to.`;
  }
  if (resumed && thread !== "") {
    return `The comment above is the only news; thread \`${thread}\`, comment \`${task.trigger_comment_id}\`. If your answer depends on ` +
      `what was said in the thread, read it rather than trusting memory: \`${list}${inThread} --tail 30 --output json\`.`;
  }
  if (thread !== "") {
    return `Read the thread first: \`${list}${inThread} --tail 30 --output json\` (its root and the newest 30 replies). For background: ` +
      `${overview(task.issue_id)}.`;
  }
  return `Read the discussion, beginning with an overview: ${overview(task.issue_id)}.`;
}

/** The root comment of every thread, shortened: `--recent` would return whole threads (spec 05 §27.1). */
export function overview(issueId: string): string {
  return `\`multica issue comment list ${issueId} --roots-only --summary --compact --output json\``;
}

/** The exact command with which a comment is answered; "" without a trigger (spec 05 §11.2). */
export function replyTemplate(task: ClaimedTask, windows: boolean): string {
  if (task.trigger_comment_id === "") return "";
  const remove = windows ? "Remove-Item ./reply.md" : "rm ./reply.md";
  return [
    "If you reply, post a comment. Use this very `--parent`, never one from an earlier turn. Write the text to a UTF-8 file, then run:",
    "",
    `    multica issue comment add ${task.issue_id} --parent ${task.trigger_comment_id} --content-file ./reply.md`,
    "",
    `Afterwards \`${remove}\`. Write real line breaks, no literal \`\\n\`; see "Comment Formatting" in your brief.`,
  ].join("\n");
}

const SLASH_SKILL = /\[\/((?:[^\]\\]|\\.)+)\]\(slash:\/\/skill\/([^)]+)\)/g;

/** Names of the agent's own skills that a chat message selects, by id, in order (spec 05 §13). */
export function selectedSkills(task: ClaimedTask): readonly string[] {
  const own = new Map(
    [...task.agent?.skills ?? [], ...task.agent?.skill_refs ?? []].map((skill) => [skill.id, skill.name]),
  );
  const names = new Map<string, string>();
  for (const match of task.chat_message.matchAll(SLASH_SKILL)) {
    const name = own.get(match[2]!);
    if (name !== undefined) names.set(match[2]!, name);
  }
  return [...names.values()];
}
