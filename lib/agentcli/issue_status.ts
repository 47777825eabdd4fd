/** `multica issue status` (spec 05 §21.4, §27.5). */
import { part } from "./client.ts";
import { checkStatus } from "./issue_fields.ts";
import { jsonText, wantsJson } from "./output.ts";
import { resolveIssue } from "./resolve.ts";
import type { Call } from "./types.ts";

/** Sets the status. */
export async function issueStatus(call: Call): Promise<number> {
  const { given, io } = call;
  const status = checkStatus(call.args[1]!);
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  const { json } = await session.client.request({
    method: "PUT",
    path: `/api/issues/${part(issue.id)}`,
    json: { status, ...(given.bool("no-start") ? { suppress_run: true } : {}) },
  });
  io.err(`Issue ${issue.name} status changed to ${status}.\n`);
  if (wantsJson(call, "table")) io.out(jsonText(json ?? null));
  return 0;
}
