/** The plane's HTTP server: faults, recorder, authentication, one transaction a request (spec 01 §1, 2). */
import { errorText, getLog, isAbort } from "../core/mod.ts";
import { claimBatch } from "./claim.ts";
import { type Behaviour, type Faults, pause } from "./faults.ts";
import { type Connection, Hub } from "./hub.ts";
import type { RecordedRequest, Recorder } from "./recorder.ts";
import { BatchClaimBody } from "./requests.ts";
import { NO_ROUTE, type Reply, type Route, Router } from "./router.ts";
import { daemonRoutes, type FeatureFlags } from "./routes_daemon.ts";
import { taskRoutes } from "./routes_task.ts";
import { readRoutes } from "./routes_reads.ts";
import { userRoutes } from "./routes_user.ts";
import type { Store } from "./store.ts";
import { authenticate } from "./tokens.ts";
import { type Principal, Refusal } from "./types.ts";
import { admit } from "./upgrade.ts";

const log = getLog("plane", "server");

/** A connection that the server breaks instead of answering. */
class Reset extends Error {
  override readonly name = "Reset";
}

/** What the server stands on. */
export interface ServerDeps {
  readonly store: Store;
  readonly faults: Faults;
  readonly recorder: Recorder;
  featureFlags(): FeatureFlags | undefined;
  /** Breaks the client's connection; false when there is no gate. */
  reset(backPort: number): boolean;
  /** Routes that answer with streams, by their first path segments; see `local_routes.ts`. */
  readonly special: readonly SpecialRoute[];
}

/** A route outside the wire protocol that makes its own Response. */
export interface SpecialRoute {
  readonly prefix: string;
  handle(request: Request, path: string, search: string): Promise<Response>;
}

interface Incoming {
  readonly request: Request;
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly body: string;
  readonly backPort: number;
}

/** Answers requests; owns the hub. */
export class PlaneServer {
  readonly router = new Router();
  readonly hub: Hub;
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
    const { store, recorder } = deps;
    this.hub = new Hub({
      store,
      featureFlags: () => deps.featureFlags(),
      onFrame: (type, body) =>
        void recorder.add({ method: "WS", path: type, search: "", body, headers: {}, at: store.now() }),
      rpc: (method, body, connection) => this.#rpc(method, body, connection),
    });
    daemonRoutes(this.router, deps);
    taskRoutes(this.router, store);
    userRoutes(this.router, store);
    readRoutes(this.router, store);
    for (const path of ["/health", "/healthz", "/readyz"]) {
      this.router.add(`GET ${path}`, "none", () => ({ status: 200, json: { status: "ok" } }));
    }
    this.router.add("GET /api/config", "none", () => ({ status: 200, json: {} }));
  }

  /** The handler for `Deno.serve`. */
  async handle(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Promise<Response> {
    const { path, search } = splitUrl(request.url);
    for (const special of this.#deps.special) {
      if (path.startsWith(special.prefix)) return await special.handle(request, path, search);
    }
    const { method } = request;
    const body = method === "GET" || method === "HEAD" ? "" : await request.text();
    const incoming: Incoming = { request, method, path, search, body, backPort: info.remoteAddr.port };
    const { recorder, faults } = this.#deps;
    const record = recorder.add({
      method,
      path,
      search,
      body: recorder.keep ? body : "",
      headers: recorder.keep ? Object.fromEntries(request.headers) : {},
      at: this.#deps.store.now(),
    });
    const behaviour = faults.take(method, path);
    return behaviour === undefined
      ? this.#finish(this.#answer(incoming), record)
      : await this.#misbehave(incoming, behaviour, record);
  }

  #finish(response: Response, record: RecordedRequest): Response {
    record.status = response.status;
    return response;
  }

  async #misbehave(incoming: Incoming, behaviour: Behaviour, record: RecordedRequest): Promise<Response> {
    const { clock } = this.#deps.store;
    try {
      await pause(clock, behaviour, "before", incoming.request.signal);
      if (behaviour.reset === "before") throw new Reset();
      if (behaviour.status !== undefined) return this.#finish(injected(behaviour), record);
      const response = this.#answer(incoming, behaviour.partial);
      await pause(clock, behaviour, "after", incoming.request.signal);
      if (behaviour.reset === "after") throw new Reset();
      if (behaviour.lateStatus !== undefined) {
        return this.#finish(injected({ ...behaviour, status: behaviour.lateStatus }), record);
      }
      return this.#finish(response, record);
    } catch (error) {
      if (!(error instanceof Reset) && !isAbort(error)) throw error;
      // Nobody listens any more: nothing to break.
      return isAbort(error) ? new Response(null, { status: 499 }) : this.#broken(incoming.backPort);
    }
  }

  /** Breaks the connection; without a gate the answer is cut in mid-body. */
  #broken(backPort: number): Response {
    if (this.#deps.reset(backPort)) return new Response(null, { status: 499 });
    const stream = new ReadableStream({
      start: (controller) => controller.error(new Reset()),
    });
    return new Response(stream, { headers: { "content-type": "application/json" } });
  }

  #answer(incoming: Incoming, partial?: number): Response {
    try {
      if (incoming.path === "/api/daemon/ws") return this.#upgrade(incoming);
      const found = this.router.find(incoming.method, incoming.path);
      if (found === undefined) return respond(NO_ROUTE);
      if (found === "method") return respond({ status: 405, text: "" });
      if (found.route.later && !this.#deps.store.later) return respond(NO_ROUTE);
      return respond(this.#run(found.route, found.params, incoming, partial));
    } catch (error) {
      if (error instanceof Refusal) return respond({ status: error.status, json: { error: error.message } });
      log.error("request failed", { path: incoming.path, error: errorText(error) });
      return respond({ status: 500, json: { error: errorText(error) } });
    }
  }

  #run(route: Route, params: readonly string[], incoming: Incoming, partial: number | undefined): Reply {
    const { store } = this.#deps;
    const { request, method, path, search, body } = incoming;
    const who = route.audience === "none"
      ? NOBODY
      : authenticate(store, request.headers.get("authorization"), route.audience);
    const call = { method, path, params, search, headers: request.headers, body, who, partial };
    return route.writes ? store.db.tx(() => route.handle(call)) : route.handle(call);
  }

  #upgrade(incoming: Incoming): Response {
    const { request, search, backPort } = incoming;
    const admitted = admit(this.#deps.store, { headers: request.headers, search });
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw new Refusal(400, "websocket upgrade required");
    }
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 60 });
    this.hub.attach(socket, { ...admitted, backPort });
    return response;
  }

  async #rpc(method: string, body: unknown, connection: Connection) {
    const { store, faults, recorder } = this.#deps;
    const record = recorder.add({
      method: "RPC",
      path: method,
      search: "",
      body: JSON.stringify(body ?? null),
      headers: {},
      at: store.now(),
    });
    const behaviour = faults.take("RPC", method) ?? {};
    const never = new AbortController().signal;
    await pause(store.clock, behaviour, "before", never);
    if (behaviour.reset === "before") return "dropped" as const;
    if (behaviour.status !== undefined) return { status: behaviour.status, error: "injected fault" };
    if (method !== "tasks.claim") return { status: 404, error: `unknown rpc method: ${method}` };
    const answer = store.db.tx(() => rpcClaim(store, body, connection));
    record.status = answer.status;
    await pause(store.clock, behaviour, "after", never);
    return behaviour.reset === "after" ? "dropped" as const : answer;
  }
}

function rpcClaim(
  store: Store,
  body: unknown,
  connection: Connection,
): { status: number; body?: unknown; error?: string } {
  const parsed = BatchClaimBody.safeParse(body ?? {});
  if (!parsed.success) return { status: 400, error: "invalid request body" };
  try {
    return { status: 200, body: claimBatch(store, connection.who, parsed.data, connection.capabilities) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, body: { error: error.message }, error: error.message };
  }
}

const NOBODY: Principal = {
  kind: "user",
  tokenKind: "mul",
  tokenHash: "",
  userId: null,
  workspaceId: null,
  daemonId: null,
  agentId: null,
  taskId: null,
  expiresAt: null,
};

function splitUrl(url: string): { path: string; search: string } {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const query = url.indexOf("?", start);
  return query < 0
    ? { path: url.slice(start), search: "" }
    : { path: url.slice(start, query), search: url.slice(query + 1) };
}

const JSON_HEADERS = { "content-type": "application/json" };

/** A Response from a Reply. */
export function respond(reply: Reply): Response {
  if (reply.text !== undefined) {
    return new Response(reply.text, { status: reply.status, headers: { ...reply.headers } });
  }
  if (reply.json === undefined) {
    return new Response(null, { status: reply.status, headers: { ...reply.headers } });
  }
  return new Response(JSON.stringify(reply.json), {
    status: reply.status,
    headers: reply.headers === undefined ? JSON_HEADERS : { ...JSON_HEADERS, ...reply.headers },
  });
}

function injected(behaviour: Behaviour): Response {
  const body = behaviour.body ?? { error: "injected fault" };
  return respond({
    status: behaviour.status ?? 500,
    ...(typeof body === "string" ? { text: body } : { json: body }),
    ...(behaviour.headers === undefined ? {} : { headers: behaviour.headers }),
  });
}
