/** The prompt that turns a line typed into a modal into one issue (spec 05 §10.2). */
import type { ClaimedTask } from "../control/mod.ts";
import { oneLine, quoted } from "./phrasing.ts";

/** The whole prompt. */
export function quickCreatePrompt(task: ClaimedTask): string {
  return [
    "A user typed the following into a quick-create box of Multica. No issue exists yet. Turn it into exactly one `multica issue create`.",
    quoted(task.quick_create_prompt),
    [
      "- **Title** (required): concise but rich; drop filler. You may open a resource the text refers to if that clearly makes a better title.",
      "- **Description**: faithful. First restate the request: keep identifiers, paths and code verbatim, remove only routing words and pure filler, and when in doubt keep. Then, only if you really fetched something, a short part of facts from it. Invent no requirements, do not shrink several sentences to one, do not repeat the title. Write it to a file in this directory and pass `--description-file`.",
      '- **CC**: there is no flag for subscribers; a mention link in the description subscribes. Take "cc @Y" out of the request and end the description with `CC: <mention links>`.',
      priority(task),
      ...dueDate(task),
      `- **Assignee**: ${assignee(task)}`,
      `- **Project**: ${
        task.project_id === ""
          ? "leave it out."
          : `\`--project "${task.project_id}"\` is required: it was chosen in the box and wins over the text.`
      }`,
      ...(task.parent_issue_id === "" ? [] : [
        `- **Parent**: \`--parent "${task.parent_issue_id}"\` is required${
          task.parent_issue_identifier === "" ? "" : ` (that is ${oneLine(task.parent_issue_identifier)})`
        }.`,
      ]),
      "- **Status**: leave it out.",
      "- **Attachments**: do not pass `--attachment` (it takes local files only); image URLs stay in the description.",
    ].join("\n"),
    "Run `multica issue create … --output json` once. Never again, not even after a non-zero exit: the issue may exist. Read `identifier` (else `id`) from the answer, assume no key prefix, and print exactly one line: `Created <identifier-or-id>: <title>`. No `issue get`, no comment. On an error print the error only.",
  ].join("\n\n");
}

function priority({ quick_create_priority: pinned = "" }: ClaimedTask): string {
  return pinned === ""
    ? '- **Priority**: `urgent`, `high`, `medium`, `low`, or leave it out. P0 and P1 mean urgent and high; "asap" means urgent.'
    : `- **Priority**: \`--priority ${
      oneLine(pinned)
    }\` is required: it was chosen in the box and wins over the text.`;
}

function dueDate({ quick_create_due_date: pinned = "" }: ClaimedTask): readonly string[] {
  return pinned === ""
    ? []
    : [`- **Due date**: \`--due-date "${oneLine(pinned)}"\` is required: it was chosen in the box.`];
}

function assignee(task: ClaimedTask): string {
  const fallback = task.squad_id !== ""
    ? `\`--assignee-id "${task.squad_id}"\`, the squad${
      task.squad_name === "" ? "" : ` "${oneLine(task.squad_name)}"`
    } (not your own agent id)`
    : task.agent_id !== ""
    ? `\`--assignee-id "${task.agent_id}"\``
    : task.agent?.name
    ? `\`--assignee "${oneLine(task.agent.name)}"\``
    : "yourself";
  return [
    "somebody is always assigned. A name in the text, also a bare @NAME or a form such as 让 @X …, 给 @X …, 交给 @X, is looked up in `multica workspace member list`, `multica agent list` and `multica squad list` (each `--output json`).",
    "Squads are assignees like any other: pass the squad's own id, not its leader's.",
    "A clean match gives `--assignee-id` with the member's `user_id` or the agent's or squad's `id`; use the fuzzy `--assignee` only when there is no id.",
    "Drop the routing words (and a leading @ or ＠) from the description unless they are a real CC.",
    "No match, or more than one: neither flag, and the last line of the description is `Unrecognized assignee: X`.",
    `Nobody named: ${fallback}.`,
  ].join(" ");
}
