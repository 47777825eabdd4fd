/** `multica issue update` (spec 05 §21.8, §27.5): only what is given is sent. */
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import { checkFields, fieldsOf, SHORT_HEAD, shortRow } from "./issue_fields.ts";
import { lintLinks } from "./link_lint.ts";
import { jsonText, tableText, wantsJson } from "./output.ts";
import { issueOf, resolveIssue } from "./resolve.ts";
import { textInput } from "./text_input.ts";
import type { Call } from "./types.ts";

const FLAGS = [
  "title",
  "description",
  "description-stdin",
  "description-file",
  "status",
  "priority",
  "assignee",
  "assignee-id",
  "parent",
  "stage",
  "project",
  "start-date",
  "due-date",
];

/** Sends the fields that were given. */
export async function issueUpdate(call: Call): Promise<number> {
  const { given, io } = call;
  if (!FLAGS.some((flag) => given.has(flag))) {
    throw new LocalError(`nothing to change: give one of ${FLAGS.map((flag) => `--${flag}`).join(", ")}`);
  }
  checkFields(given);
  const text = await textInput(call, "description");
  const description = text ?? (given.has("description") ? "" : undefined);
  if (text !== undefined) {
    await lintLinks(text, io.cwd, "add the file to a comment: multica issue comment add --attachment PATH");
  }
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  const { json } = await session.client.request({
    method: "PUT",
    path: `/api/issues/${part(issue.id)}`,
    json: {
      ...await fieldsOf(session, given, description),
      ...(given.bool("no-start") ? { suppress_run: true } : {}),
    },
  });
  io.err(`Issue ${issue.name} updated.\n`);
  if (wantsJson(call, "json")) io.out(jsonText(json ?? null));
  else io.out(tableText(SHORT_HEAD, [shortRow(issueOf(json).object)]));
  return 0;
}
