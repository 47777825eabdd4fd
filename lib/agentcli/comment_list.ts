/** `multica issue comment list` (spec 05 §21.2, §27.5). */
import * as z from "zod";
import { Actors } from "./actors.ts";
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import type { Given } from "./grammar.ts";
import { clipped, head, jsonText, tableText, wantsJson } from "./output.ts";
import { resolveIssue } from "./resolve.ts";
import type { Call } from "./types.ts";

const comments = z.array(z.looseObject({})).nullish().transform((list) => list ?? []);

/** Prints the comments, and the cursor of an older page on stderr. */
export async function commentList(call: Call): Promise<number> {
  const { given, io } = call;
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  checkCombination(given);
  const { json, headers } = await session.client.get(
    `/api/issues/${part(issue.id)}/comments`,
    queryOf(given),
  );
  const list = comments.parse(json);
  if (wantsJson(call, "table")) {
    io.out(jsonText(given.bool("compact") ? list.map(compact) : list));
  } else {
    io.out(await table(list, new Actors(session)));
  }
  const [before, id] = [headers.get("x-multica-next-before"), headers.get("x-multica-next-before-id")];
  if (before !== null && id !== null) {
    const what = given.has("thread") && given.has("tail") ? "reply" : "thread";
    io.err(`Next ${what} cursor: --before ${before} --before-id ${id}\n`);
  }
  return 0;
}

/** The parameters of the read. */
export function queryOf(given: Given): Record<string, string> {
  const query: Record<string, string> = {};
  for (
    const [flag, name] of [["since", "since"], ["thread", "thread"], ["before", "before"], [
      "before-id",
      "before_id",
    ]]
  ) {
    if (given.text(flag!) !== "") query[name!] = given.text(flag!);
  }
  for (const name of ["tail", "recent"]) if (given.has(name)) query[name] = String(given.int(name));
  if (given.bool("roots-only")) query["roots_only"] = "true";
  if (given.bool("summary")) query["summary"] = "true";
  const whole = given.bool("roots-only") || given.text("since") !== "" || given.has("tail") ||
    given.bool("full");
  if (!whole) query["fold"] = "true";
  return query;
}

/** Refuses what the server would refuse, in a fixed order. @throws {LocalError} naming the flags */
export function checkCombination(given: Given): void {
  const has = (name: string) => name === "roots-only" ? given.bool(name) : given.has(name);
  if (has("recent") && given.int("recent") <= 0) throw new LocalError("--recent must be 1 or more");
  if (has("tail") && given.int("tail") < 0) throw new LocalError("--tail must be 0 or more");
  for (
    const [a, b] of [
      ["thread", "recent"],
      ["roots-only", "thread"],
      ["roots-only", "recent"],
      ["roots-only", "tail"],
      ["roots-only", "before"],
    ] as const
  ) {
    if (has(a) && has(b)) throw new LocalError(`--${a} and --${b} cannot be used together`);
  }
  if (has("tail") && !has("thread")) throw new LocalError("--tail needs --thread");
  if (has("before") !== has("before-id")) throw new LocalError("--before and --before-id go together");
  if (has("before") && !has("recent") && !(has("thread") && has("tail"))) {
    throw new LocalError("--before needs --recent, or --thread with --tail");
  }
}

/** A comment without fields that say nothing (spec 05 §27.5). */
function compact(comment: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(comment).filter(([key, value]) => {
      if (key === "issue_id" || key === "source_task_id" || value === null) return false;
      if (key === "updated_at" && value === comment["created_at"]) return false;
      return !(Array.isArray(value) && value.length === 0);
    }),
  );
}

async function table(list: readonly Readonly<Record<string, unknown>>[], actors: Actors): Promise<string> {
  const rows: unknown[][] = [];
  for (const comment of list) {
    rows.push([
      comment["id"],
      comment["parent_id"] || "—",
      await actors.display(comment["author_type"], comment["author_id"]),
      comment["type"],
      clipped(comment["content"], 80),
      head(comment["created_at"], 16),
    ]);
  }
  return tableText(["ID", "PARENT", "AUTHOR", "TYPE", "CONTENT", "CREATED"], rows);
}
