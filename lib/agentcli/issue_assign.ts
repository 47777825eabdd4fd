/** `multica issue assign` (spec 05 §23, §27.5). */
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import { checkOnePerson, personOf, SHORT_HEAD, shortRow } from "./issue_fields.ts";
import { jsonText, tableText, wantsJson } from "./output.ts";
import { issueOf, resolveIssue } from "./resolve.ts";
import type { Call } from "./types.ts";

/** Assigns the issue, or takes it from everybody. */
export async function issueAssign(call: Call): Promise<number> {
  const { given, io } = call;
  const named = given.has("to") || given.has("to-id");
  if (named === given.bool("unassign")) {
    throw new LocalError(
      named ? "--unassign takes no --to or --to-id" : "give one of --to, --to-id, --unassign",
    );
  }
  checkOnePerson(given, "to");
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  const actor = await personOf(session, given, "to");
  const { json } = await session.client.request({
    method: "PUT",
    path: `/api/issues/${part(issue.id)}`,
    json: {
      assignee_type: actor?.kind ?? null,
      assignee_id: actor?.id ?? null,
      ...(given.bool("no-start") ? { suppress_run: true } : {}),
    },
  });
  io.err(
    actor === undefined
      ? `Issue ${issue.name} is assigned to nobody.\n`
      : `Issue ${issue.name} assigned to ${actor.kind} ${actor.name || actor.id}.\n`,
  );
  if (wantsJson(call, "json")) io.out(jsonText(json ?? null));
  else io.out(tableText(SHORT_HEAD, [shortRow(issueOf(json).object)]));
  return 0;
}
