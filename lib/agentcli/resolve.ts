/** From what an agent types to an issue's id (spec 05 §19). */
import * as z from "zod";
import { byteOrder } from "../control/mod.ts";
import { part } from "./client.ts";
import { LocalError, step } from "./failures.ts";
import type { Session } from "./session.ts";

/** An issue as far as commands look into it; the whole object is kept for output. */
export interface Issue {
  readonly id: string;
  /** Identifier, else the id: what confirmations name. */
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const PAGE = 50;
const LEAST_PREFIX = 4;

/** True for a canonical UUID. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** True for `MUL-123`: letters and digits, a dash, a positive number. */
export function isIdentifier(text: string): boolean {
  const match = /^[A-Za-z0-9]+-(\d+)$/.exec(text);
  return match !== null && BigInt(match[1]!) > 0n;
}

/** Finds the issue an argument means. @throws {StepError} "resolve issue: …" */
export function resolveIssue(session: Session, ref: string): Promise<Issue> {
  return step("resolve issue", async () => {
    const text = ref.trim();
    if (text === "") throw new LocalError("the issue id is empty");
    const id = isIdentifier(text) || isUuid(text) ? text : await byPrefix(session, text);
    const { json } = await session.client.get(`/api/issues/${part(id)}`);
    return issueOf(json);
  });
}

/** The id among `candidates` that starts with `prefix`. @throws {LocalError} telling the cases apart */
export function matchPrefix(prefix: string, candidates: readonly string[], list: string): string {
  const wanted = prefix.replaceAll("-", "").toLowerCase();
  const ids = [...new Set(candidates)].filter((id) =>
    id.replaceAll("-", "").toLowerCase().startsWith(wanted)
  );
  if (ids.length === 1) return ids[0]!;
  if (ids.length === 0) throw new LocalError(`no id starts with "${prefix}"; see ${list} --full-id`);
  throw new LocalError(`"${prefix}" is ambiguous, it starts ${ids.toSorted(byteOrder).join(", ")}`);
}

/** @throws {LocalError} when the text cannot be the beginning of a UUID */
export function checkPrefix(text: string): void {
  const plain = text.replaceAll("-", "");
  if (!/^[0-9a-fA-F]*$/.test(plain)) {
    throw new LocalError(
      `"${text}" is neither an identifier like MUL-123 nor a UUID nor the beginning of one`,
    );
  }
  if (plain.length < LEAST_PREFIX) {
    throw new LocalError(
      `"${text}" is too short: the beginning of an id needs at least ${LEAST_PREFIX} characters`,
    );
  }
}

const issueObject = z.looseObject({
  id: z.string().min(1),
  identifier: z.string().nullish().transform((text) => text ?? ""),
});

/** Reads an issue of an answer. @throws {LocalError} when it is none */
export function issueOf(json: unknown): Issue {
  const parsed = issueObject.safeParse(json);
  if (!parsed.success) throw new LocalError("the server's answer is no issue");
  const { id, identifier } = parsed.data;
  return { id, name: identifier || id, object: json as Record<string, unknown> };
}

const issuePage = z.looseObject({
  issues: z.array(z.looseObject({ id: z.string() })).nullish().transform((list) => list ?? []),
  total: z.number().catch(0),
});

async function byPrefix({ client, workspaceId }: Session, text: string): Promise<string> {
  checkPrefix(text);
  const ids: string[] = [];
  for (let offset = 0;;) {
    const { json } = await client.get("/api/issues", {
      include_closed: "true",
      limit: String(PAGE),
      ...(offset > 0 ? { offset: String(offset) } : {}),
      workspace_id: workspaceId,
    });
    const { issues, total } = issuePage.parse(json ?? {});
    ids.push(...issues.map(({ id }) => id));
    offset += issues.length;
    if (issues.length === 0 || total > 0 && offset >= total || total === 0 && issues.length < PAGE) break;
  }
  return matchPrefix(text, ids, "multica issue list");
}

const projectList = z.looseObject({
  projects: z.array(z.looseObject({ id: z.string() })).nullish().transform((list) => list ?? []),
});

/** A project's id: a UUID as it is, else by its beginning. @throws {StepError} "resolve project: …" */
export function resolveProject({ client, workspaceId }: Session, ref: string): Promise<string> {
  return step("resolve project", async () => {
    const text = ref.trim();
    if (isUuid(text)) return text;
    checkPrefix(text);
    const { json } = await client.get("/api/projects", { workspace_id: workspaceId });
    return matchPrefix(
      text,
      projectList.parse(json ?? {}).projects.map(({ id }) => id),
      "multica project list",
    );
  });
}

const idList = z.array(z.looseObject({ id: z.string(), slug: z.string().catch("") })).nullish()
  .transform((list) => list ?? []);
const autopilotPage = z.looseObject({ autopilots: idList });

/** An autopilot's id: a UUID as it is, else by its beginning. @throws {StepError} "resolve autopilot: …" */
export function resolveAutopilot({ client, workspaceId }: Session, ref: string): Promise<string> {
  return step("resolve autopilot", async () => {
    const text = ref.trim();
    if (isUuid(text)) return text;
    checkPrefix(text);
    const ids = new Set<string>();
    for (;;) {
      const before = ids.size;
      const { json } = await client.get("/api/autopilots", {
        limit: String(PAGE),
        ...(before > 0 ? { offset: String(before) } : {}),
        workspace_id: workspaceId,
      });
      const { autopilots } = autopilotPage.parse(json ?? {});
      for (const { id } of autopilots) ids.add(id);
      // The server may know no pages and give everything every time.
      if (autopilots.length < PAGE || ids.size === before) break;
    }
    return matchPrefix(text, [...ids], "multica autopilot list");
  });
}

/** A run's id: a UUID as it is; its beginning only together with its issue. @throws {StepError} "resolve run: …" */
export function resolveRun(session: Session, ref: string, issueRef: string): Promise<string> {
  return step("resolve run", async () => {
    const text = ref.trim();
    if (isUuid(text)) return text;
    checkPrefix(text);
    if (issueRef.trim() === "") {
      throw new LocalError(`"${text}" is no whole id: name the issue too (--issue), or give all of it`);
    }
    const issue = await resolveIssue(session, issueRef);
    const { json } = await session.client.get(`/api/issues/${part(issue.id)}/task-runs`);
    return matchPrefix(text, idList.parse(json).map(({ id }) => id), `multica issue runs ${issue.name}`);
  });
}

/** A workspace's id: the task's own when none is named; else a UUID, a slug or a beginning. @throws {StepError} */
export function resolveWorkspace({ client, workspaceId }: Session, ref = ""): Promise<string> {
  return step("resolve workspace", async () => {
    const text = ref.trim();
    if (text === "") return workspaceId;
    if (isUuid(text)) return text;
    const { json } = await client.get("/api/workspaces");
    const all = idList.parse(json);
    const named = all.find(({ id, slug }) => id === text || slug.toLowerCase() === text.toLowerCase());
    if (named !== undefined) return named.id;
    checkPrefix(text);
    return matchPrefix(text, all.map(({ id }) => id), "multica workspace list");
  });
}
