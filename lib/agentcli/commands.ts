/** Every command an agent can call, as data; what one does is loaded when it runs (spec 05 §20–22). */
import { EXTERNAL_FILE_FLAG, textFlags } from "./text_flags.ts";
import type { Action, CommandSpec, FlagSpec } from "./types.ts";

const output = (otherwise: "json" | "table"): FlagSpec => ({
  name: "output",
  kind: "text",
  about: "table or json",
  otherwise,
});
const text = (name: string, about: string): FlagSpec => ({ name, kind: "text", about });
const bool = (name: string, about: string): FlagSpec => ({ name, kind: "bool", about });
const int = (name: string, about: string, otherwise?: string): FlagSpec => ({
  name,
  kind: "int",
  about,
  ...(otherwise === undefined ? {} : { otherwise }),
});

const FULL_ID = bool("full-id", "show whole ids");
const NO_START = bool("no-start", "record the change without starting a run");
const ATTACHMENT: FlagSpec = {
  name: "attachment",
  kind: "slice",
  about: "file to attach, repeatable; its value is split on commas unless quoted",
};

/** Declares one command: `"issue get"`, its arguments and flags, and where its action is. */
function command(
  path: string,
  args: readonly string[],
  about: string,
  flags: readonly FlagSpec[],
  load: () => Promise<Action>,
  aliases: readonly string[] = [],
): CommandSpec {
  return { path: path.split(" "), args, about, flags, load, aliases };
}

const ISSUE_FIELDS: readonly FlagSpec[] = [
  text("title", "title"),
  ...textFlags("description", "Markdown description"),
  text(
    "status",
    "backlog, todo, in_progress, in_review, done, blocked, cancelled, or a status of the workspace",
  ),
  text("priority", "urgent, high, medium, low, none"),
  text("assignee", "member, agent or squad by name"),
  text("assignee-id", "member, agent or squad by UUID"),
  text("parent", "parent issue"),
  int("stage", "ordering group below the parent, 1 or more"),
  text("project", "project id"),
  text("start-date", "YYYY-MM-DD"),
  text("due-date", "YYYY-MM-DD"),
  EXTERNAL_FILE_FLAG,
  output("json"),
];

const ISSUE: readonly CommandSpec[] = [
  command(
    "issue get",
    ["issue"],
    "Show an issue.",
    [output("json")],
    async () => (await import("./issue_get.ts")).issueGet,
  ),
  command(
    "issue list",
    [],
    "List issues of the workspace.",
    [
      output("table"),
      FULL_ID,
      text("status", "only this status"),
      text("priority", "only this priority"),
      text("assignee", "only this assignee, by name"),
      text("assignee-id", "only this assignee, by UUID"),
      text("project", "only this project"),
      { name: "metadata", kind: "slice", about: "only issues with this key=value, repeatable" },
      int("limit", "at most this many", "50"),
      int("offset", "skip this many", "0"),
      text("sort", "position, title, created_at, start_date, due_date or priority"),
      text("direction", "asc or desc"),
    ],
    async () => (await import("./issue_list.ts")).issueList,
  ),
  command(
    "issue children",
    ["issue"],
    "List an issue's sub-issues by stage.",
    [output("table"), FULL_ID],
    async () => (await import("./issue_children.ts")).issueChildren,
    ["subissues"],
  ),
  command(
    "issue create",
    [],
    "Create an issue.",
    [
      ...ISSUE_FIELDS,
      bool("allow-duplicate", "create it even when an active issue has this title"),
      ATTACHMENT,
      { name: "attachment-id", kind: "slice", about: "uploaded attachment to bind, repeatable" },
    ],
    async () => (await import("./issue_create.ts")).issueCreate,
  ),
  command(
    "issue update",
    ["issue"],
    'Change fields of an issue; an empty value ("") clears parent, project, dates and description.',
    [...ISSUE_FIELDS, NO_START],
    async () => (await import("./issue_update.ts")).issueUpdate,
  ),
  command(
    "issue status",
    ["issue", "status"],
    "Set an issue's status.",
    [output("table"), NO_START],
    async () => (await import("./issue_status.ts")).issueStatus,
  ),
  command(
    "issue assign",
    ["issue"],
    "Assign an issue, or take it from everybody.",
    [
      text("to", "member, agent or squad by name"),
      text("to-id", "member, agent or squad by UUID"),
      bool("unassign", "assign it to nobody"),
      NO_START,
      output("json"),
    ],
    async () => (await import("./issue_assign.ts")).issueAssign,
  ),
];

const RUNS: readonly CommandSpec[] = [
  command(
    "issue runs",
    ["issue"],
    "List an issue's runs, newest first.",
    [output("table"), FULL_ID],
    async () => (await import("./reads.ts")).issueRuns,
  ),
  command(
    "issue run-messages",
    ["run"],
    "Read what a run said and did.",
    [
      int("since", "only after this number", "0"),
      text("issue", "the run's issue, when only the beginning of its id is given"),
      output("json"),
    ],
    async () => (await import("./reads.ts")).runMessages,
  ),
];

const COMMENTS: readonly CommandSpec[] = [
  command(
    "issue comment list",
    ["issue"],
    "Read an issue's comments, oldest first. The cursor of an older page is on stderr.",
    [
      output("table"),
      text("since", "only newer than this RFC 3339 time"),
      text("thread", "only the thread of this comment (UUID of its root or of a reply)"),
      int("tail", "with --thread: the root and the N newest replies"),
      int("recent", "the N most recently active threads, each complete"),
      bool("roots-only", "only the first comments of threads"),
      bool("summary", "cut long bodies"),
      bool("full", "do not fold resolved threads"),
      bool("compact", "JSON without fields that say nothing"),
      text("before", "cursor: time"),
      text("before-id", "cursor: comment"),
    ],
    async () => (await import("./comment_list.ts")).commentList,
  ),
  command(
    "issue comment add",
    ["issue"],
    "Add a comment. Long or formatted text belongs into a file: --content-file.",
    [
      ...textFlags("content", "the comment's Markdown"),
      text("parent", "comment this one answers, by UUID"),
      ATTACHMENT,
      EXTERNAL_FILE_FLAG,
      output("json"),
    ],
    async () => (await import("./comment_add.ts")).commentAdd,
  ),
];

const KEY = text("key", "name of the value");

const METADATA: readonly CommandSpec[] = [
  command(
    "issue metadata list",
    ["issue"],
    "Show an issue's metadata.",
    [output("table")],
    async () => (await import("./issue_metadata.ts")).metadataList,
  ),
  command(
    "issue metadata get",
    ["issue"],
    "Show one value of an issue's metadata.",
    [KEY, output("json")],
    async () => (await import("./issue_metadata.ts")).metadataGet,
  ),
  command(
    "issue metadata set",
    ["issue"],
    "Set one value of an issue's metadata.",
    [
      KEY,
      text("value", 'the value; true, 3 and "3" are read as JSON'),
      text("type", "string, number or bool"),
      output("table"),
    ],
    async () => (await import("./issue_metadata.ts")).metadataSet,
  ),
  command("issue metadata delete", ["issue"], "Remove one value of an issue's metadata.", [
    KEY,
    output("table"),
  ], async () => (await import("./issue_metadata.ts")).metadataDelete),
];

const PAGE: readonly FlagSpec[] = [
  int("limit", "at most this many"),
  text("before", "cursor: only older"),
  output("json"),
];

const PLACES: readonly CommandSpec[] = [
  command(
    "workspace list",
    [],
    "List the workspaces this task may see.",
    [output("table"), FULL_ID],
    async () => (await import("./reads.ts")).workspaceList,
  ),
  command(
    "workspace get",
    ["workspace?"],
    "Show the workspace.",
    [output("json")],
    async () => (await import("./reads.ts")).workspaceGet,
  ),
  command(
    "workspace member list",
    ["workspace?"],
    "List the workspace's members.",
    [output("table")],
    async () => (await import("./reads.ts")).workspaceMembers,
  ),
  command(
    "agent list",
    [],
    "List the workspace's agents.",
    [bool("include-archived", "archived ones too"), output("table")],
    async () => (await import("./reads.ts")).agentList,
  ),
  command(
    "agent get",
    ["agent"],
    "Show an agent.",
    [output("json")],
    async () => (await import("./reads.ts")).agentGet,
  ),
  command(
    "squad list",
    [],
    "List the workspace's squads.",
    [output("table")],
    async () => (await import("./reads.ts")).squadList,
  ),
  command(
    "project list",
    [],
    "List the workspace's projects.",
    [text("status", "only this status"), output("table"), FULL_ID],
    async () => (await import("./reads.ts")).projectList,
  ),
  command(
    "autopilot list",
    [],
    "List the workspace's autopilots.",
    [text("status", "only this status"), output("table"), FULL_ID],
    async () => (await import("./reads.ts")).autopilotList,
  ),
  command(
    "autopilot get",
    ["autopilot"],
    "Show an autopilot and its triggers.",
    [output("json")],
    async () => (await import("./reads.ts")).autopilotGet,
  ),
  command(
    "chat history",
    [],
    "Read this run's own conversation.",
    PAGE,
    async () => (await import("./reads.ts")).chatHistory,
  ),
  command(
    "chat thread",
    ["thread?"],
    "Read one thread of this run's own conversation.",
    PAGE,
    async () => (await import("./reads.ts")).chatThread,
  ),
  command(
    "repo list",
    [],
    "List the workspace's repositories.",
    [output("table")],
    async () => (await import("./reads.ts")).repoList,
  ),
];

const OTHERS: readonly CommandSpec[] = [
  command(
    "repo checkout",
    ["url"],
    "Check out a repository of the workspace into the current directory, on a branch of its own.",
    [text("ref", "branch, tag or commit instead of the default branch")],
    async () => (await import("./repo_checkout.ts")).repoCheckout,
  ),
  command(
    "attachment download",
    ["attachment"],
    "Download an attachment.",
    [{ name: "output-dir", kind: "text", short: "o", about: "directory to write to", otherwise: "." }],
    async () => (await import("./attachment_download.ts")).attachmentDownload,
  ),
  command(
    "attachment upload",
    ["path"],
    "Upload a file for a chat reply; prints the Markdown to put into the reply.",
    [text("task", "task the file belongs to (default: this one)"), EXTERNAL_FILE_FLAG],
    async () => (await import("./attachment_upload.ts")).attachmentUpload,
  ),
  command(
    "squad activity",
    ["issue", "outcome"],
    "Record what the squad's leader decided: action, no_action or failed.",
    [{ name: "reason", kind: "text", about: "why, in one sentence" }, output("table")],
    async () => (await import("./squad_activity.ts")).squadActivity,
  ),
  command(
    "version",
    [],
    "Print the version.",
    [output("table")],
    async () => (await import("./version_command.ts")).versionCommand,
  ),
];

/** All commands, in the order help shows them. */
export const COMMANDS: readonly CommandSpec[] = [
  ...ISSUE,
  ...RUNS,
  ...COMMENTS,
  ...METADATA,
  ...PLACES,
  ...OTHERS,
];
