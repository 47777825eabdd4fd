/** `multica issue list` (spec 05 §22.2, §27.5). */
import * as z from "zod";
import { Actors } from "./actors.ts";
import { LocalError } from "./failures.ts";
import type { Given } from "./grammar.ts";
import { checkOnePerson, personOf } from "./issue_fields.ts";
import { metadataValue } from "./issue_metadata.ts";
import { head, jsonText, tableText, wantsJson } from "./output.ts";
import { resolveProject } from "./resolve.ts";
import type { Session } from "./session.ts";
import type { Call } from "./types.ts";

const page = z.looseObject({
  issues: z.array(z.looseObject({})).nullish().transform((list) => list ?? []),
  total: z.number().catch(0),
});

/** Prints one page of issues. */
export async function issueList(call: Call): Promise<number> {
  const { given, io } = call;
  checkOnePerson(given, "assignee");
  const filter = metadataFilter(given.list("metadata"));
  checkOrder(given);
  const session = await call.session();
  const { json } = await session.client.get("/api/issues", await queryOf(session, given, filter));
  const { issues, total } = page.parse(json ?? {});
  if (wantsJson(call, "table")) {
    const [limit, offset] = [given.int("limit"), given.int("offset")];
    io.out(jsonText({ issues, total, limit, offset, has_more: offset + issues.length < total }));
  } else io.out(await table(issues, new Actors(session), given.bool("full-id")));
  return 0;
}

/** `key=value` pairs as one JSON text; "" for none. @throws {LocalError} */
export function metadataFilter(pairs: readonly string[]): string {
  const filter = new Map<string, unknown>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new LocalError(`--metadata "${pair}": write key=value`);
    const key = pair.slice(0, at);
    if (filter.has(key)) throw new LocalError(`--metadata names "${key}" twice`);
    filter.set(key, metadataValue(pair.slice(at + 1), ""));
  }
  return filter.size === 0 ? "" : JSON.stringify(Object.fromEntries(filter));
}

const SORTS = ["position", "title", "created_at", "start_date", "due_date", "priority"];

function checkOrder(given: Given): void {
  const [sort, direction] = [given.text("sort"), given.text("direction")];
  if (given.has("sort") && !SORTS.includes(sort)) {
    throw new LocalError(`--sort "${sort}": ${SORTS.join(", ")}`);
  }
  if (!given.has("direction")) return;
  if (direction !== "asc" && direction !== "desc") {
    throw new LocalError(`--direction "${direction}": asc or desc`);
  }
  if (sort === "" || sort === "position") {
    throw new LocalError("--direction needs a --sort other than position");
  }
}

async function queryOf(session: Session, given: Given, filter: string): Promise<Record<string, string>> {
  const query: Record<string, string> = { workspace_id: session.workspaceId };
  for (const name of ["status", "priority", "sort", "direction"]) {
    if (given.text(name) !== "") query[name] = given.text(name);
  }
  for (const name of ["limit", "offset"]) if (given.int(name) > 0) query[name] = String(given.int(name));
  if (given.text("project") !== "") {
    query["project_id"] = await resolveProject(session, given.text("project"));
  }
  const assignee = await personOf(session, given, "assignee");
  if (assignee !== undefined) query["assignee_id"] = assignee.id;
  if (filter !== "") query["metadata"] = filter;
  return query;
}

const HEAD = ["KEY", "TITLE", "STATUS", "PRIORITY", "ASSIGNEE", "START DATE", "DUE DATE"];

async function table(
  issues: readonly Readonly<Record<string, unknown>>[],
  actors: Actors,
  fullId: boolean,
): Promise<string> {
  const rows: unknown[][] = [];
  for (const issue of issues) {
    rows.push([
      issue["identifier"] || issue["id"],
      ...(fullId ? [issue["id"]] : []),
      issue["title"],
      issue["status"],
      issue["priority"],
      await actors.display(issue["assignee_type"], issue["assignee_id"]),
      head(issue["start_date"], 10),
      head(issue["due_date"], 10),
    ]);
  }
  return tableText(fullId ? HEAD.toSpliced(1, 0, "ID") : HEAD, rows);
}
