/** `multica squad activity` (spec 05 §22.4). */
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import { jsonText, wantsJson } from "./output.ts";
import { resolveIssue } from "./resolve.ts";
import type { Call } from "./types.ts";

const OUTCOMES = ["action", "no_action", "failed"];

/** Records the leader's decision. */
export async function squadActivity(call: Call): Promise<number> {
  const { given, io } = call;
  const outcome = call.args[1]!;
  if (!OUTCOMES.includes(outcome)) {
    throw new LocalError(`invalid outcome "${outcome}": ${OUTCOMES.join(", ")}`);
  }
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  const { json } = await session.client.request({
    method: "POST",
    path: `/api/issues/${part(issue.id)}/squad-evaluated`,
    json: { outcome, reason: given.text("reason") },
  });
  io.err(`Recorded ${outcome} for issue ${issue.name}.\n`);
  if (wantsJson(call, "table")) io.out(jsonText(json ?? null));
  return 0;
}
