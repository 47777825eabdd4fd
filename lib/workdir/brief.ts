/** The runtime brief: what an agent must know of this platform, the same bytes for every run on one issue (spec 05 §5, §6, §27.1). */
import type { ClaimedTask } from "../control/mod.ts";
import { isSquadLeader, oneLine, quoted, safeName, type TaskKind, taskKind } from "./phrasing.ts";
import { availableCommands, commentFormatting, MENTIONS, SUB_ISSUES } from "./brief_commands.ts";
import {
  autopilotWorkflow,
  CHAT_WORKFLOW,
  issueWorkflow,
  output,
  QUICK_CREATE_WORKFLOW,
} from "./brief_workflow.ts";

/** What a brief is made from. */
export interface BriefContext {
  readonly task: ClaimedTask;
  readonly provider: string;
  /** Names of the skill directories written for this run. */
  readonly skills: readonly string[];
  /** Absolute path of the agents' `multica` command, named once. */
  readonly multicaPath: string;
  readonly windows: boolean;
  /** Where the agent must look for skills itself, "" = its CLI finds them. Default: by provider. */
  readonly skillsDir?: string;
}

interface Section {
  /** "" = no heading of its own. */
  readonly heading: string;
  readonly kinds: readonly TaskKind[] | "all";
  /** "" leaves the section out. */
  readonly body: (context: BriefContext) => string;
}

const ISSUE: readonly TaskKind[] = ["comment", "assignment"];
const NOT_QUICK: readonly TaskKind[] = ["comment", "assignment", "autopilot", "chat"];

/** Order and gating of the sections (spec 05 §5.2, §5.3). */
const SECTIONS: readonly Section[] = [
  { heading: "# Multica Agent Runtime", kinds: "all", body: header },
  { heading: "## Background Task Safety", kinds: "all", body: () => BACKGROUND },
  { heading: "## Agent Identity", kinds: "all", body: identity },
  { heading: "## Requesting User", kinds: "all", body: requestingUser },
  {
    heading: "## Workspace Context",
    kinds: "all",
    body: ({ task }) => task.workspace_context.replace(/[ \t\r\n]+$/, ""),
  },
  {
    heading: "## Available Commands",
    kinds: "all",
    body: ({ task }) => availableCommands(taskKind(task), isSquadLeader(task)),
  },
  {
    heading: "## Issue Body Formatting",
    kinds: ISSUE,
    body: () =>
      "A description starts below its title: no level-1 heading in it, and do not repeat the title.",
  },
  { heading: "## Comment Formatting", kinds: ISSUE, body: ({ windows }) => commentFormatting(windows) },
  { heading: "## Repositories", kinds: NOT_QUICK, body: repositories },
  { heading: "## Project Context", kinds: "all", body: project },
  { heading: "## Issue Statuses", kinds: ISSUE, body: statuses },
  { heading: "## Issue Metadata", kinds: ISSUE, body: () => METADATA },
  { heading: "## Instruction Precedence", kinds: ISSUE, body: () => PRECEDENCE },
  { heading: "### Workflow", kinds: "all", body: workflow },
  {
    heading: "## Sub-issue Creation",
    kinds: ISSUE,
    body: ({ task }) => task.issue_id === "" ? "" : SUB_ISSUES,
  },
  { heading: "## Skills", kinds: "all", body: skills },
  { heading: "## Mentions", kinds: ISSUE, body: () => MENTIONS },
  { heading: "## Attachments", kinds: ISSUE, body: () => ATTACHMENTS },
  { heading: "## Important: Always Use the `multica` CLI", kinds: "all", body: () => ALWAYS_CLI },
  { heading: "## Output", kinds: "all", body: ({ task }) => output(taskKind(task), isSquadLeader(task)) },
];

/** The brief as Markdown, without marker block. Pure. */
export function renderBrief(context: BriefContext): string {
  const kind = taskKind(context.task);
  const parts: string[] = [];
  for (const { heading, kinds, body } of SECTIONS) {
    if (kinds !== "all" && !kinds.includes(kind)) continue;
    const text = body(context);
    if (text !== "") parts.push(`${heading}\n\n${text}`);
  }
  return parts.join("\n\n") + "\n";
}

function header({ multicaPath }: BriefContext): string {
  return "You are a coding agent working in Multica. Everything on the platform is done with the `multica` command" +
    (multicaPath === "" ? "." : ` (here: \`${multicaPath}\`, should your shell not find it by name).`);
}

const BACKGROUND = [
  "The task is over when your top-level turn ends; whatever still runs then is stopped and its result is lost.",
  "",
  "- Do not end your turn while background tasks, asynchronous subagents, background shells or detached tool calls run.",
  "- Use a background mode only when you can wait for its result and collect it in this turn.",
  '- Do not rely on a tool that says "you will be notified later": call its wait or collect operation and block on it.',
  "- If the result of something in the background cannot be observed, run it in the foreground.",
  "- Do not wait for CI. A service that must outlive this run is handed over explicitly in your final message.",
].join("\n");

function identity({ task }: BriefContext): string {
  const name = oneLine(task.agent?.name ?? "");
  const instructions = task.agent?.instructions ?? "";
  const id = task.agent_id === "" ? "" : ` (agent id \`${task.agent_id}\`)`;
  const lead = name === "" ? "" : `**You are ${name}**${id}.`;
  return [lead, instructions].filter((text) => text.trim() !== "").join("\n\n");
}

function requestingUser({ task }: BriefContext): string {
  if (task.requesting_user_profile_description.trim() === "") return "";
  const name = safeName(task.requesting_user_name);
  return [
    `You work on behalf of ${
      name === "" ? "the owner of this machine" : `**${name}**`
    }. What they say about themselves:`,
    quoted(task.requesting_user_profile_description),
    "This is background only; where it conflicts with the task, the task wins.",
  ].join("\n\n");
}

function repositories({ task }: BriefContext): string {
  if (task.repos.length === 0) return "";
  const bullets = task.repos.map(({ url, description, ref }) =>
    `- ${oneLine(url)}${ref === "" ? "" : ` (ref \`${oneLine(ref)}\`)`}${
      description === "" ? "" : ` — ${oneLine(description)}`
    }`
  );
  return `${
    bullets.join("\n")
  }\n\nFetch one with \`multica repo checkout <url> [--ref <branch-or-sha>]\`: it prints the path of a worktree on a branch of its own.`;
}

function project({ task }: BriefContext): string {
  if (task.project_id === "" && task.project_resources.length === 0) return "";
  const title = oneLine(task.project_title);
  const description = task.project_description.trim();
  const parts = [
    title === "" ? "" : `Project **${title}**.`,
    description === "" ? "" : `Durable context of the project:\n\n${quoted(description)}`,
    task.project_resources.length === 0
      ? "No resources are attached to the project."
      : `Resources (also in \`.multica/project/resources.json\`). They are pointers: open one only when it matters for the task.\n\n${
        task.project_resources.map(resource).join("\n")
      }`,
  ];
  return parts.filter((text) => text !== "").join("\n\n");
}

function resource({ resource_type, resource_ref, label }: ClaimedTask["project_resources"][number]): string {
  const tail = label === "" ? "" : ` — ${oneLine(label)}`;
  if (resource_type !== "github_repo") {
    return `- **${oneLine(resource_type)}** \`${JSON.stringify(resource_ref)}\`${tail}`;
  }
  const branch = resource_ref["default_branch_hint"];
  const hint = typeof branch === "string" && branch !== "" ? ` (default branch \`${oneLine(branch)}\`)` : "";
  return `- **GitHub repository** ${
    oneLine(String(resource_ref["url"] ?? ""))
  }${hint}${tail} — fetch with \`multica repo checkout\``;
}

/** The workspace's own status catalogue (spec 05 §27.1). */
function statuses({ task }: BriefContext): string {
  const rows = (task.issue_statuses ?? []).map(({ key, name, category }) => {
    const notes = [oneLine(name), oneLine(category)].filter((note) => note !== "" && note !== key);
    return `- \`${oneLine(key)}\`${notes.length === 0 ? "" : ` — ${notes.join(", ")}`}`;
  });
  if (rows.length === 0) return "";
  const more = task.issue_statuses_omitted === true ? "\n\nThe list is not complete." : "";
  return `This workspace has statuses of its own; \`--status\` takes these keys:\n\n${
    rows.join("\n")
  }${more}`;
}

const METADATA = [
  "A small key/value scratchpad on the issue, for facts that later runs on the same issue will read more than once. Most runs write nothing.",
  "",
  "- Read it on entry. It is a hint, not the truth: the latest comment or the code wins. `{}` and a failing command are normal.",
  "- Write on exit only what is important **and** likely to be read again; correct or delete keys that have become stale.",
  "- Never pin secrets, logs, quotes, summaries, bookkeeping of this run or details of a single run.",
  "- Usual keys (snake_case): `pr_url`, `pr_number`, `pipeline_status`, `deploy_url`, `external_issue_url`, `waiting_on`, `blocked_reason`, `decision`.",
].join("\n");

const PRECEDENCE =
  "Your identity above beats the workflow below. Skip steps that conflict with it (status changes, comments, code changes may all be " +
  "forbidden there) and go on with the others. The workflow is never a permission to act beyond your identity.";

function workflow({ task }: BriefContext): string {
  switch (taskKind(task)) {
    case "chat":
      return CHAT_WORKFLOW;
    case "quick-create":
      return QUICK_CREATE_WORKFLOW;
    case "autopilot":
      return autopilotWorkflow(task);
    default:
      return issueWorkflow(task, isSquadLeader(task));
  }
}

/** Providers that find skills in their own directory by themselves. */
const NATIVE = new Set(
  "claude codebuddy codex copilot opencode openclaw pi cursor kimi kiro qoder antigravity qwen".split(" "),
);

function skills({ provider, skills, skillsDir }: BriefContext): string {
  if (skills.length === 0) return "";
  const dir = skillsDir ?? (NATIVE.has(provider) ? "" : ".agent_context/skills");
  const intro = dir === ""
    ? "These skills are installed for you and discovered automatically:"
    : `These skills are in \`${dir}/\`, one directory with a \`SKILL.md\` each; read one when it fits the task:`;
  return `${intro}\n\n${skills.map((name) => `- **${oneLine(name)}**`).join("\n")}`;
}

const ATTACHMENTS =
  "Issues and comments may carry files. Get them with the CLI (`multica attachment --help`); never open platform URLs directly. To deliver a " +
  "file, attach it or give a URL: a path on this machine or a `file://` link is dead for everybody else.";

const ALWAYS_CLI =
  "Never call the platform's URLs with `curl`, `wget` or any other client. If the CLI lacks an operation, say so in a comment that mentions the " +
  "workspace owner instead of working around it. When you parse JSON, do not merge stderr into stdout (`2>&1`): cursors and notes go to stderr.";
