/** `/api/local/*`: the plane's own interface for `multica-host task …` in another process. Bearer = a user's token. */
import { getLog } from "../core/mod.ts";
import * as z from "zod";
import type { Plane } from "./plane.ts";
import { parseBody } from "./requests.ts";
import { type Call, ok, type Reply, Router } from "./router.ts";
import { respond, type SpecialRoute } from "./server.ts";
import { authenticate } from "./tokens.ts";
import { followTask } from "./follow.ts";
import { type AgentDb, Refusal } from "./types.ts";
import type { TaskView } from "./task_view.ts";

const log = getLog("plane", "local");

/** Body of `POST /api/local/tasks`. */
export const LocalTaskBody = z.object({
  /** Agent by name or id; may be left out when there is exactly one. */
  agent: z.string().optional(),
  title: z.string().optional(),
  prompt: z.string().optional(),
  /** Absolute path to work in; absent = a managed work directory. */
  dir: z.string().optional(),
  repos: z.array(z.string()).optional(),
  workspace_id: z.string().optional(),
  priority: z.number().int().min(0).max(4).optional(),
});
export type LocalTaskBody = z.infer<typeof LocalTaskBody>;

/** The routes, for {@link Plane.open}'s `routes`. */
export function localRoutes(plane: Plane): SpecialRoute {
  const router = new Router();
  router.add("GET /api/local/info", "U", () => ok(info(plane)));
  router.add("GET /api/local/agents", "U", () => ok(info(plane).agents));
  router.add("GET /api/local/tasks", "U", (call) => {
    const query = new URLSearchParams(call.search);
    const status = query.get("status");
    return ok(
      plane.tasks({ limit: Number(query.get("limit") ?? 100), ...(status === null ? {} : { status }) }),
    );
  });
  router.add("POST /api/local/tasks", "U", (call) => add(plane, parseBody(LocalTaskBody, call.body)));
  router.add("GET /api/local/tasks/:id", "U", (call) => {
    const task = find(plane, call);
    return ok({ task, usage: plane.usage(task.id) });
  });
  router.add("GET /api/local/tasks/:id/messages", "U", (call) => {
    const since = Number(new URLSearchParams(call.search).get("since") ?? 0);
    return ok(plane.messages(find(plane, call).id, since));
  });
  router.add("POST /api/local/tasks/:id/cancel", "U", (call) => ok(plane.cancelTask(find(plane, call).id)));
  router.add("POST /api/local/tasks/:id/rerun", "U", (call) => ok(plane.rerunTask(find(plane, call).id)));
  router.add("DELETE /api/local/tasks/:id", "U", (call) => {
    plane.deleteTask(find(plane, call).id);
    return { status: 204 };
  });
  return {
    prefix: "/api/local/",
    handle: (request, path, search) => handle(plane, router, request, path, search),
  };
}

async function handle(
  plane: Plane,
  router: Router,
  request: Request,
  path: string,
  search: string,
): Promise<Response> {
  const body = request.method === "GET" ? "" : await request.text();
  try {
    const who = authenticate(plane.store, request.headers.get("authorization"), "U");
    if (who.kind !== "user") throw new Refusal(403, "a personal token is required");
    const events = /^\/api\/local\/tasks\/([^/]+)\/events$/.exec(path);
    if (events !== null) return followTask(plane, findId(plane, events[1]!), request.signal);
    const found = router.find(request.method, path);
    if (found === undefined || found === "method") throw new Refusal(404, "no such route");
    const call: Call = {
      method: request.method,
      path,
      params: found.params,
      search,
      headers: request.headers,
      body,
      who,
      partial: undefined,
    };
    return respond(found.route.handle(call));
  } catch (error) {
    if (error instanceof Refusal) return respond({ status: error.status, json: { error: error.message } });
    log.error("local request failed", { path, error: String(error) });
    return respond({ status: 500, json: { error: "internal error" } });
  }
}

function info(plane: Plane) {
  const workspaces = plane.store.db.all<{ id: string; name: string }>(
    "SELECT id, name FROM workspaces ORDER BY created_at, rowid",
  );
  return {
    era: plane.store.era,
    workspaces,
    runtimes: plane.runtimes().map(({ id, provider, status, daemon_id, name }) => ({
      id,
      provider,
      status,
      daemon_id,
      name,
    })),
    agents: workspaces.flatMap((one) => plane.agents(one.id))
      .map(({ id, name, provider, runtime_id }) => ({ id, name, provider, runtime_id })),
  };
}

function add(plane: Plane, body: LocalTaskBody): Reply {
  const prompt = body.prompt ?? body.title ?? "";
  if (prompt.trim() === "") throw new Refusal(400, "a task needs a prompt or a title");
  if (body.dir !== undefined && !body.dir.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(body.dir)) {
    throw new Refusal(400, `directory must be an absolute path: ${body.dir}`);
  }
  const agent = chooseAgent(plane, body);
  const task = plane.addTask({
    workspaceId: agent.workspace_id,
    agentId: agent.id,
    prompt,
    ...(body.title === undefined ? {} : { title: body.title }),
    ...(body.dir === undefined ? {} : { localDir: body.dir }),
    ...(body.repos === undefined ? {} : { repos: body.repos }),
    ...(body.priority === undefined ? {} : { priority: body.priority }),
  });
  return { status: 201, json: task };
}

function chooseAgent(plane: Plane, body: LocalTaskBody): AgentDb {
  const workspaces = body.workspace_id === undefined
    ? info(plane).workspaces.map((one) => one.id)
    : [body.workspace_id];
  const agents = workspaces.flatMap((id) => plane.agents(id));
  if (agents.length === 0) {
    throw new Refusal(409, "no agent yet: none has registered on this machine");
  }
  const names = agents.map((one) => one.name).join(", ");
  if (body.agent === undefined) {
    if (agents.length > 1) throw new Refusal(400, `which agent? one of: ${names}`);
    return agents[0]!;
  }
  const wanted = body.agent.toLowerCase();
  const found = agents.find((one) => one.id === wanted || one.name.toLowerCase() === wanted);
  if (found === undefined) throw new Refusal(404, `no agent "${body.agent}"; there is: ${names}`);
  return found;
}

function find(plane: Plane, call: Call): TaskView {
  return plane.task(findId(plane, call.params[0]!))!;
}

/** A whole id, or the unique beginning or end of one. */
function findId(plane: Plane, ref: string): string {
  const wanted = ref.toLowerCase();
  if (plane.task(wanted) !== undefined) return wanted;
  const plain = wanted.replaceAll("-", "");
  if (!/^[0-9a-f]{4,32}$/.test(plain)) throw new Refusal(404, "task not found");
  const rows = plane.store.db.all<{ id: string }>(
    "SELECT id FROM tasks WHERE replace(id, '-', '') LIKE ? OR replace(id, '-', '') LIKE ? LIMIT 2",
    `${plain}%`,
    `%${plain}`,
  );
  if (rows.length > 1) throw new Refusal(409, `more than one task matches ${ref}`);
  if (rows.length === 0) throw new Refusal(404, "task not found");
  return rows[0]!.id;
}
