/** `multica issue get` (spec 05 §21.1). The answer that resolved the reference is the result: one request, not two. */
import { Actors } from "./actors.ts";
import { head, jsonText, tableText, wantsJson } from "./output.ts";
import { resolveIssue } from "./resolve.ts";
import type { Call } from "./types.ts";

/** Shows an issue. */
export async function issueGet(call: Call): Promise<number> {
  const session = await call.session();
  const { object } = await resolveIssue(session, call.args[0]!);
  if (wantsJson(call, "json")) {
    call.io.out(jsonText(object));
    return 0;
  }
  const assignee = await new Actors(session).display(object["assignee_type"], object["assignee_id"]);
  const row = [
    object["identifier"] ?? object["id"],
    object["title"],
    object["status"],
    object["priority"],
    assignee,
    head(object["start_date"], 10),
    head(object["due_date"], 10),
    object["description"],
  ];
  call.io.out(
    tableText(["KEY", "TITLE", "STATUS", "PRIORITY", "ASSIGNEE", "START DATE", "DUE DATE", "DESCRIPTION"], [
      row,
    ]),
  );
  return 0;
}
