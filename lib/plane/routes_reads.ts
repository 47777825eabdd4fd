/** What agents look up beside their issue: autopilots and the run's own conversation (spec 05 §22, §27.5). */
import { canAccess, findTask } from "./access.ts";
import { type Call, ok, type Router } from "./router.ts";
import { workspaceOf } from "./routes_user.ts";
import { rfc3339, type Store } from "./store.ts";
import { Refusal } from "./types.ts";

/** An autopilot as far as the plane knows one: by its runs. */
interface AutopilotDb {
  readonly autopilot_id: string;
  readonly workspace_id: string;
  readonly title: string;
  readonly description: string;
  readonly created_at: number;
  readonly last_run_at: number;
}

const AUTOPILOTS = `SELECT autopilot_id, workspace_id, title, description, MIN(created_at) AS created_at,
  MAX(created_at) AS last_run_at FROM autopilot_runs`;
const PAGE = 50;

/** Adds the routes. */
export function readRoutes(router: Router, store: Store): void {
  router.add("GET /api/autopilots", "U", (call) => {
    const rows = store.db.all<AutopilotDb>(
      `${AUTOPILOTS} WHERE workspace_id = ? GROUP BY autopilot_id ORDER BY created_at`,
      workspaceOf(store, call),
    );
    return ok({ autopilots: rows.map(autopilotJson), total: rows.length });
  });
  router.add("GET /api/autopilots/:id", "U", (call) => {
    const row = store.db.get<AutopilotDb>(
      `${AUTOPILOTS} WHERE autopilot_id = ? GROUP BY autopilot_id`,
      call.params[0]!,
    );
    if (row === undefined || !canAccess(store, call.who, row.workspace_id)) {
      throw new Refusal(404, "autopilot not found");
    }
    return ok({ autopilot: autopilotJson(row), triggers: [] });
  });
  for (const path of ["history", "thread"]) {
    router.add(`GET /api/chat/${path}`, "U", (call) => ok({ messages: conversation(store, call) }));
  }
}

function autopilotJson(row: AutopilotDb): Record<string, unknown> {
  const { autopilot_id: id, workspace_id, title, description } = row;
  return {
    id,
    workspace_id,
    title,
    description,
    project_id: null,
    assignee_type: null,
    assignee_id: null,
    status: "active",
    execution_mode: "run_only",
    last_run_at: rfc3339(row.last_run_at),
    created_at: rfc3339(row.created_at),
    subscribers: [],
  };
}

/** The newest messages of the caller's own chat, oldest first, before `before` (a message id). */
function conversation(store: Store, call: Call): unknown[] {
  const chat = findTask(store, call.who.taskId ?? "")?.chat_session_id ?? "";
  if (chat === "") throw new Refusal(404, "this run has no conversation");
  const query = new URLSearchParams(call.search);
  const asked = Number(query.get("limit") ?? PAGE);
  const rows = store.db.all<{ id: string; role: string; content: string; created_at: number }>(
    `SELECT id, role, content, created_at FROM chat_messages WHERE chat_session_id = ?
       AND rowid < COALESCE((SELECT rowid FROM chat_messages WHERE id = ?), 9e15) ORDER BY rowid DESC LIMIT ?`,
    chat,
    query.get("before") ?? "",
    Number.isInteger(asked) && asked > 0 ? asked : PAGE,
  );
  return rows.reverse().map((row) => ({ ...row, created_at: rfc3339(row.created_at) }));
}
