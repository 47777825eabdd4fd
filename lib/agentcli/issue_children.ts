/** `multica issue children` (spec 05 §22.1). */
import * as z from "zod";
import { Actors } from "./actors.ts";
import { part } from "./client.ts";
import { shortRow } from "./issue_fields.ts";
import { jsonText, tableText, wantsJson } from "./output.ts";
import { resolveIssue } from "./resolve.ts";
import type { Call } from "./types.ts";

const child = z.looseObject({
  stage: z.number().nullish().catch(null),
  status: z.string().catch(""),
});
type Child = z.infer<typeof child>;

const children = z.looseObject({ issues: z.array(child).nullish().transform((list) => list ?? []) });

/** Prints the sub-issues by stage. */
export async function issueChildren(call: Call): Promise<number> {
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  const { json } = await session.client.get(`/api/issues/${part(issue.id)}/children`);
  const list = inStages(children.parse(json ?? {}).issues);
  if (wantsJson(call, "table")) {
    call.io.out(jsonText(grouped(list)));
    return 0;
  }
  const actors = new Actors(session);
  const rows: unknown[][] = [];
  for (const one of list) {
    const assignee = await actors.display(one["assignee_type"], one["assignee_id"]);
    rows.push([one.stage ?? "-", ...shortRow(one), assignee]);
  }
  call.io.out(tableText(["STAGE", "KEY", "TITLE", "STATUS", "PRIORITY", "ASSIGNEE"], rows));
  return 0;
}

/** Staged before unstaged, stages ascending; otherwise as they came. */
function inStages(list: readonly Child[]): Child[] {
  return list.toSorted((a, b) =>
    (a.stage ?? Infinity) === (b.stage ?? Infinity) ? 0 : (a.stage ?? Infinity) - (b.stage ?? Infinity)
  );
}

function grouped(list: readonly Child[]): Record<string, unknown> {
  const stages = [...new Set(list.flatMap(({ stage }) => stage ?? []))].map((stage) => {
    const issues = list.filter((one) => one.stage === stage);
    const done = issues.filter(({ status }) => status === "done" || status === "cancelled").length;
    return new Map<string, unknown>([["stage", stage], ["total", issues.length], ["done", done], [
      "issues",
      issues,
    ]]);
  });
  return { total: list.length, stages, unstaged: list.filter(({ stage }) => (stage ?? null) === null) };
}
