/** Commands that are one `GET` and a table or its JSON (spec 05 §22, §23, §27.5). */
import * as z from "zod";
import { Actors } from "./actors.ts";
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import { clipped, jsonText, tableText, wantsJson } from "./output.ts";
import { resolveAutopilot, resolveIssue, resolveRun, resolveWorkspace } from "./resolve.ts";
import type { Session } from "./session.ts";
import type { Action, Call } from "./types.ts";

type Row = Readonly<Record<string, unknown>>;

interface Read {
  readonly otherwise: "json" | "table";
  readonly path: (call: Call, session: Session) => string | Promise<string>;
  readonly query?: (call: Call, session: Session) => Readonly<Record<string, string>>;
  /** From the answer to what is printed as JSON. @default the answer */
  readonly result?: (json: unknown) => unknown;
  /** From the answer to the table's rows. @default the answer itself, a list or one object */
  readonly rows?: (json: unknown) => unknown;
  readonly head: readonly string[];
  readonly cells: (row: Row, actors: Actors) => readonly unknown[] | Promise<readonly unknown[]>;
  /** Said on stderr when a table has no rows. */
  readonly nothing?: string;
}

const rowsSchema = z.array(z.looseObject({})).catch([]);

function reading(read: Read): Action {
  return async (call) => {
    const session = await call.session();
    const path = await read.path(call, session);
    const { json } = await session.client.get(path, read.query?.(call, session));
    if (wantsJson(call, read.otherwise)) {
      call.io.out(jsonText((read.result?.(json) ?? json) ?? null));
      return 0;
    }
    const found = read.rows?.(json) ?? json;
    const rows = rowsSchema.parse(Array.isArray(found) ? found : [found]);
    if (rows.length === 0 && read.nothing !== undefined) call.io.err(`${read.nothing}\n`);
    const actors = new Actors(session);
    const cells: (readonly unknown[])[] = [];
    for (const row of rows) cells.push(await read.cells(row, actors));
    call.io.out(tableText(read.head, cells));
    return 0;
  };
}

const field = (name: string) => (json: unknown) => (json as Row | null)?.[name];

export const workspaceGet = reading({
  otherwise: "json",
  path: async ({ args }, session) => `/api/workspaces/${part(await resolveWorkspace(session, args[0]))}`,
  head: ["ID", "NAME", "SLUG", "DESCRIPTION", "CONTEXT"],
  cells: ({ id, name, slug, description, context }) => [
    id,
    name,
    slug,
    clipped(description, 60),
    clipped(context, 60),
  ],
});

export const workspaceMembers = reading({
  otherwise: "table",
  path: async ({ args }, session) =>
    `/api/workspaces/${part(await resolveWorkspace(session, args[0]))}/members`,
  head: ["USER ID", "NAME", "EMAIL", "ROLE"],
  cells: ({ user_id, name, email, role }) => [user_id, name, email, role],
});

export const agentList = reading({
  otherwise: "table",
  path: () => "/api/agents",
  query: ({ given }, { workspaceId }) => ({
    workspace_id: workspaceId,
    ...(given.bool("include-archived") ? { include_archived: "true" } : {}),
  }),
  head: ["ID", "NAME", "STATUS", "RUNTIME", "ARCHIVED"],
  cells: ({ id, name, status, runtime_mode, archived_at }) => [
    id,
    name,
    status,
    runtime_mode,
    (archived_at ?? "") === "" ? "" : "yes",
  ],
});

export const agentGet = reading({
  otherwise: "json",
  path: ({ args }) => `/api/agents/${part(args[0]!)}`,
  head: ["ID", "NAME", "STATUS", "RUNTIME", "VISIBILITY", "AVATAR_URL", "DESCRIPTION"],
  cells: ({ id, name, status, runtime_mode, visibility, avatar_url, description }) => [
    id,
    name,
    status,
    runtime_mode,
    visibility,
    avatar_url,
    description,
  ],
});

export const squadList = reading({
  otherwise: "table",
  path: () => "/api/squads",
  head: ["ID", "NAME", "LEADER ID", "MEMBERS"],
  cells: ({ id, name, leader_id, member_count }) => [id, name, leader_id, member_count || "-"],
  nothing: "This workspace has no squads.",
});

const autopilotTable: Pick<Read, "head" | "cells"> = {
  head: ["ID", "TITLE", "STATUS", "MODE", "ASSIGNEE", "LAST_RUN"],
  cells: async ({ id, title, status, execution_mode, assignee_type, assignee_id, last_run_at }, actors) => [
    id,
    title,
    status,
    execution_mode,
    await actors.display(assignee_type, assignee_id),
    last_run_at,
  ],
};

const statusQuery = ({ given }: Call): Record<string, string> =>
  given.text("status") === "" ? {} : { status: given.text("status") };

export const autopilotGet = reading({
  otherwise: "json",
  path: async ({ args }, session) => `/api/autopilots/${part(await resolveAutopilot(session, args[0]!))}`,
  rows: field("autopilot"),
  ...autopilotTable,
});

export const autopilotList = reading({
  otherwise: "table",
  path: () => "/api/autopilots",
  query: statusQuery,
  rows: (json) => field("autopilots")(json) ?? [],
  ...autopilotTable,
  nothing: "This workspace has no autopilots.",
});

export const workspaceList = reading({
  otherwise: "table",
  path: () => "/api/workspaces",
  head: ["ID", "NAME", "SLUG"],
  cells: ({ id, name, slug }) => [id, name, slug],
});

export const projectList = reading({
  otherwise: "table",
  path: () => "/api/projects",
  query: (call, { workspaceId }) => ({ workspace_id: workspaceId, ...statusQuery(call) }),
  result: (json) => field("projects")(json) ?? [],
  rows: (json) => field("projects")(json) ?? [],
  head: ["ID", "TITLE", "STATUS", "LEAD", "CREATED"],
  cells: async ({ id, title, status, lead_type, lead_id, created_at }, actors) => [
    id,
    title,
    status,
    await actors.display(lead_type, lead_id),
    created_at,
  ],
  nothing: "This workspace has no projects.",
});

export const issueRuns = reading({
  otherwise: "table",
  path: async ({ args }, session) =>
    `/api/issues/${part((await resolveIssue(session, args[0]!)).id)}/task-runs`,
  head: ["ID", "AGENT", "STATUS", "STARTED", "COMPLETED", "ERROR"],
  cells: async ({ id, agent_id, status, started_at, completed_at, error }, actors) => [
    id,
    await actors.display("agent", agent_id),
    status,
    started_at,
    completed_at,
    clipped(error, 50),
  ],
});

export const runMessages = reading({
  otherwise: "json",
  path: async ({ args, given }, session) =>
    `/api/tasks/${part(await resolveRun(session, args[0]!, given.text("issue")))}/messages`,
  query: ({ given }): Record<string, string> => given.int("since") > 0 ? { since: given.text("since") } : {},
  head: ["SEQ", "TYPE", "TOOL", "CONTENT"],
  cells: ({ seq, type, tool, content, output }) => [seq, type, tool, clipped(content || output, 80)],
});

export const repoList = reading({
  otherwise: "table",
  path: (_, { workspaceId }) => `/api/workspaces/${part(workspaceId)}`,
  result: (json) => field("repos")(json) ?? [],
  rows: (json) => field("repos")(json) ?? [],
  head: ["URL", "DESCRIPTION"],
  cells: ({ url, description }) => [url, description],
  nothing: "This workspace has no repositories.",
});

/** One page of the run's own conversation, or of one thread in it; the server decides which that is. */
const conversation = (path: string): Action =>
  reading({
    otherwise: "json",
    path: ({ given }) => {
      if (given.has("limit") && given.int("limit") < 1) throw new LocalError("--limit must be 1 or more");
      return path;
    },
    query: ({ given, args }): Record<string, string> => ({
      ...(args[0] === undefined ? {} : { id: args[0] }),
      ...(given.has("limit") ? { limit: given.text("limit") } : {}),
      ...(given.text("before") === "" ? {} : { before: given.text("before") }),
    }),
    rows: (json) => Array.isArray(json) ? json : field("messages")(json) ?? [],
    head: ["ROLE", "CONTENT", "CREATED"],
    cells: ({ role, content, created_at }) => [role, clipped(content, 80), created_at],
  });

export const chatHistory = conversation("/api/chat/history");
export const chatThread = conversation("/api/chat/thread");
