/** The brief's parts about commands, comments, sub-issues and mentions (spec 05 §6.7, 6.8, 6.14, 6.16). */
import type { TaskKind } from "./phrasing.ts";

const CORE = [
  "- `multica issue get <id> --output json`",
  "- `multica issue comment list <issue-id> [--roots-only] [--summary] [--compact] [--thread <id> [--tail N]] [--recent N] [--before <time> --before-id <id>] [--since <RFC3339>] [--full] --output json` — resolved threads come back folded when a whole thread is read, `--full` expands them; the next page's cursor is on stderr, as `Next reply cursor` or `Next thread cursor`",
  "- `multica issue create --title … [--description … | --description-file F | --description-stdin] [--priority P] [--status S] [--assignee NAME | --assignee-id ID] [--parent ID] [--stage N] [--project ID] [--due-date YYYY-MM-DD] [--attachment F]` — prefer `--description-file` for long text; no level-1 heading in a description, and do not repeat the title",
  '- `multica issue update <id> …` — the same flags without attachments; `--parent ""` clears the parent',
  "- `multica issue status <id> <status>` — `backlog`, `todo`, `in_progress`, `in_review`, `done`, `blocked`, `cancelled`",
  "- `multica issue children <id> --output json` — grouped by stage",
  "- `multica issue comment add <issue-id> --content-file F [--parent ID] [--attachment F]` — `--content` and `--content-stdin` exist, but text you write goes through `--content-file`; see `multica issue comment add --help`",
  "- `multica issue metadata list <issue-id> --output json` — an empty `{}` is normal",
  "- `multica issue metadata set <issue-id> --key K --value V [--type string|number|bool]`",
  "- `multica issue metadata delete <issue-id> --key K`",
  "- `multica repo checkout <url> [--ref <branch-or-sha>]` — a worktree on a dedicated branch",
].join("\n");

const SQUAD =
  "### Squad maintenance\n\nChange a member's role with `multica squad member set-role <squad-id> --member-id ID --member-type <agent|member> --role ROLE [--output json]`, not by removing and adding.";

/** The list of commands an agent of this kind is told about. */
export function availableCommands(kind: TaskKind, leader: boolean): string {
  if (kind === "quick-create") {
    return "This run needs one command only: `multica issue create … --output json` (`multica issue create --help` shows its flags).";
  }
  return [
    "Prefer `--output json`. This is only the core; for everything else ask `multica --help` and `multica <command> --help`.",
    `### Core\n\n${CORE}`,
    ...(leader ? [SQUAD] : []),
  ].join("\n\n");
}

/** How comment bodies reach the server unharmed; only the host's system matters. */
export function commentFormatting(windows: boolean): string {
  const why = windows
    ? "PowerShell 5.1 pipes text through an ASCII `$OutputEncoding` and turns every non-ASCII character into `?`."
    : "The shell rewrites backticks, `$()`, `$VAR` and quotes inside an inline body, and a heredoc on stdin combined with other flags can swallow those flags while the command still exits with 0.";
  return [
    "- Write the body to a UTF-8 file with your file tool and post it with `--content-file`; never put it inline with `--content`.",
    `- Why: ${why}`,
    "- Keep the `--parent` you are told in the prompt.",
    `- Remove the temporary file afterwards (\`${windows ? "Remove-Item ./reply.md" : "rm ./reply.md"}\`).`,
    "- Write real line breaks, never a literal `\\n`, and do not squeeze several paragraphs into one line.",
  ].join("\n");
}

export const SUB_ISSUES = [
  "- `--status todo` starts a sub-issue now (an assigned agent begins at once); `--status backlog` lets it wait until `multica issue status <child-id> todo`.",
  "- In parallel: all `todo`. Strictly one after another: only the first `todo`.",
  "- Stages: `--stage N` (N ≥ 1). What is in one stage runs together; the parent is woken once per finished stage, when all its members are `done` or `cancelled`. Create later stages as `--stage k --status backlog`. Without stages all siblings are one.",
  "- Look with `multica issue children <id>` before you promote anything.",
].join("\n");

export const MENTIONS = [
  "Links act. `[KEY](mention://issue/<issue-id>)` and `[NAME](mention://project/<id>)` only link. `[@Name](mention://member/<user-id>)` notifies a person. `[@Name](mention://agent/<agent-id>)` starts a new run of that agent, and a squad mention one of its leader.",
  "",
  "The default is none. Never mention the agent that just spoke to you, nobody to say thanks or goodbye: loops cost money. Mention to escalate to a person who is not involved yet, to delegate a concrete piece of work for the first time, or when you were asked to. When unsure, do not.",
].join("\n");
