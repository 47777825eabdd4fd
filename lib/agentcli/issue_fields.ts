/** Fields of an issue as flags give them: checks on this machine, ids looked up (spec 05 §21.4, §21.7, §21.8). */
import { type Actor, type ActorKind, Actors } from "./actors.ts";
import { LocalError } from "./failures.ts";
import type { Given } from "./grammar.ts";
import { resolveIssue, resolveProject } from "./resolve.ts";
import type { Session } from "./session.ts";

/** Statuses every workspace has. */
export const STATUSES = ["backlog", "todo", "in_progress", "in_review", "done", "blocked", "cancelled"];
const PRIORITIES = ["urgent", "high", "medium", "low", "none"];
const ASSIGNEES: readonly ActorKind[] = ["member", "agent", "squad"];

/** A status key: the usual ones, or one of the workspace's own, which the server checks. @throws {LocalError} */
export function checkStatus(status: string): string {
  if (/^[a-z0-9][a-z0-9_]{0,31}$/.test(status)) return status;
  throw new LocalError(
    `invalid status "${status}": ${STATUSES.join(", ")}, or a status key of the workspace`,
  );
}

/** @throws {LocalError} */
export function checkPriority(priority: string): string {
  if (PRIORITIES.includes(priority)) return priority;
  throw new LocalError(`invalid priority "${priority}": ${PRIORITIES.join(", ")}`);
}

/** Everything that can be refused without a request. @throws {LocalError} */
export function checkFields(given: Given): void {
  if (given.has("status")) checkStatus(given.text("status"));
  if (given.has("priority")) checkPriority(given.text("priority"));
  if (given.has("stage") && given.int("stage") < 1) throw new LocalError("--stage must be 1 or more");
  checkOnePerson(given, "assignee");
}

/** Both ways to name a person, or an empty one, are errors. @throws {LocalError} */
export function checkOnePerson(given: Given, flag: string): void {
  const [byName, byId] = [flag, `${flag}-id`];
  if (given.has(byName) && given.has(byId)) {
    throw new LocalError(`--${byName} and --${byId} are mutually exclusive`);
  }
  for (const name of [byName, byId]) {
    if (given.has(name) && given.text(name).trim() === "") throw new LocalError(`--${name} is empty`);
  }
}

/** Whom `--<flag>` or `--<flag>-id` names; undefined when neither is given. */
export async function personOf(
  session: Session,
  given: Given,
  flag: string,
  kinds: readonly ActorKind[] = ASSIGNEES,
): Promise<Actor | undefined> {
  const actors = new Actors(session);
  if (given.has(flag)) return await actors.byName(given.text(flag), kinds);
  if (given.has(`${flag}-id`)) return await actors.byId(`${flag}-id`, given.text(`${flag}-id`).trim(), kinds);
  return undefined;
}

/** The request fields of the flags given; an empty parent or project clears it. */
export async function fieldsOf(
  session: Session,
  given: Given,
  description: string | undefined,
): Promise<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  if (description !== undefined) fields["description"] = description;
  for (
    const [flag, field] of [
      ["title", "title"],
      ["status", "status"],
      ["priority", "priority"],
      ["start-date", "start_date"],
      ["due-date", "due_date"],
    ] as const
  ) {
    if (given.has(flag)) fields[field] = given.text(flag);
  }
  if (given.has("stage")) fields["stage"] = given.int("stage");
  if (given.has("parent")) {
    const ref = given.text("parent");
    fields["parent_issue_id"] = ref.trim() === "" ? null : (await resolveIssue(session, ref)).id;
  }
  if (given.has("project")) {
    const ref = given.text("project");
    fields["project_id"] = ref.trim() === "" ? null : await resolveProject(session, ref);
  }
  const assignee = await personOf(session, given, "assignee");
  if (assignee !== undefined) {
    fields["assignee_type"] = assignee.kind;
    fields["assignee_id"] = assignee.id;
  }
  return fields;
}

/** `KEY TITLE STATUS PRIORITY` of an issue. */
export function shortRow(issue: Readonly<Record<string, unknown>>): unknown[] {
  return [issue["identifier"] || issue["id"], issue["title"], issue["status"], issue["priority"]];
}

/** Header of {@link shortRow}. */
export const SHORT_HEAD: readonly string[] = ["KEY", "TITLE", "STATUS", "PRIORITY"];
