/** A raw client of the wire for tests of the plane and of servers in general: no retries, no schemas. */
import { Plane, type PlaneOptions } from "../../lib/plane/mod.ts";

/** What a call answered. */
export interface WireAnswer {
  readonly status: number;
  readonly text: string;
  // deno-lint-ignore no-explicit-any
  readonly json: any;
  readonly headers: Headers;
}

/** See {@link wire}. */
export interface WireOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One request, as the plane's default user unless a token is given ("" = none). */
export async function wire(
  plane: Pick<Plane, "url" | "token">,
  method: string,
  path: string,
  body?: unknown,
  options: WireOptions = {},
): Promise<WireAnswer> {
  const token = options.token ?? plane.token;
  const response = await fetch(plane.url + path, {
    method,
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: onceOnly(typeof body === "string" ? body : JSON.stringify(body)) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const text = await response.text();
  return { status: response.status, text, json: parse(text), headers: response.headers };
}

/** A body that `fetch` cannot send again: 2.8.3 resends a replayable one when the connection breaks (measured). */
function onceOnly(text: string): ReadableStream<Uint8Array> {
  return ReadableStream.from([new TextEncoder().encode(text)]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A workspace with one machine's runtimes and one agent per provider. */
export interface Scene {
  readonly workspaceId: string;
  readonly daemonId: string;
  /** Provider → runtime id. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** Provider → agent id. */
  readonly agents: Readonly<Record<string, string>>;
}

/** Creates a workspace, registers a machine over the wire, and gives each runtime an agent. */
export async function scene(
  plane: Plane,
  options: {
    readonly providers?: readonly string[];
    readonly daemonId?: string;
    readonly workspaceId?: string;
    readonly maxConcurrentTasks?: number;
  } = {},
): Promise<Scene> {
  const providers = options.providers ?? ["claude"];
  const daemonId = options.daemonId ?? crypto.randomUUID();
  const workspaceId = options.workspaceId ?? plane.createWorkspace({ name: "Acme" });
  const answer = await wire(plane, "POST", "/api/daemon/register", {
    workspace_id: workspaceId,
    daemon_id: daemonId,
    device_name: "box",
    cli_version: "0.0.0-test",
    runtimes: providers.map((type) => ({ name: type, type, version: "1.0.0", status: "online" })),
  });
  if (answer.status !== 200) throw new Error(`register answered ${answer.status}: ${answer.text}`);
  const rows = answer.json.runtimes as { id: string; provider: string }[];
  const runtimes = Object.fromEntries(rows.map((row) => [row.provider, row.id]));
  const agents = Object.fromEntries(
    providers.map((provider) => [
      provider,
      plane.createAgent({
        workspaceId,
        name: provider,
        provider,
        maxConcurrentTasks: options.maxConcurrentTasks ?? 6,
      }),
    ]),
  );
  return { workspaceId, daemonId, runtimes, agents };
}

/** Claims for a runtime; the task of the answer or null. */
export async function claim(
  plane: Plane,
  runtimeId: string,
  headers: Record<string, string> = {},
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const answer = await wire(plane, "POST", `/api/daemon/runtimes/${runtimeId}/tasks/claim`, {}, { headers });
  if (answer.status !== 200) throw new Error(`claim answered ${answer.status}: ${answer.text}`);
  return answer.json.task;
}

/** A daemon socket whose frames can be awaited. */
export class WireSocket {
  readonly #socket: WebSocket;
  readonly #frames: { type: string; payload: Record<string, unknown> }[] = [];
  #wake = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = (event) => {
      this.#frames.push(JSON.parse(event.data));
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    };
    socket.onclose = () => {
      this.#closed.resolve();
      this.#wake.resolve();
    };
    socket.onerror = () => {};
  }

  /** Opens; rejects when the upgrade is refused. */
  static async open(
    plane: Pick<Plane, "url" | "token">,
    runtimeIds: readonly string[],
    options: { readonly token?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<WireSocket> {
    const query = runtimeIds.length === 0 ? "" : `?runtime_ids=${encodeURIComponent(runtimeIds.join(","))}`;
    const url = `${plane.url.replace("http", "ws")}/api/daemon/ws${query}`;
    const headers = { authorization: `Bearer ${options.token ?? plane.token}`, ...options.headers };
    const socket = new WebSocket(url, { headers });
    const wrapped = new WireSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.addEventListener("error", () => reject(new Error("upgrade refused")), { once: true });
    });
    return wrapped;
  }

  /** Sends one frame. */
  send(type: string, payload: unknown): void {
    this.#socket.send(JSON.stringify({ type, payload }));
  }

  /** Sends text as it is. */
  sendRaw(text: string): void {
    this.#socket.send(text);
  }

  /** Resolves with the payload of the next frame of a type not yet taken. */
  async next(type: string): Promise<Record<string, unknown>> {
    for (;;) {
      const at = this.#frames.findIndex((frame) => frame.type === type);
      if (at >= 0) return this.#frames.splice(at, 1)[0]!.payload;
      if (this.#socket.readyState === WebSocket.CLOSED) {
        throw new Error(`socket closed while waiting for ${type}`);
      }
      await this.#wake.promise;
    }
  }

  /** Frames arrived and not yet taken. */
  get waiting(): readonly string[] {
    return this.#frames.map((frame) => frame.type);
  }

  /** Resolves when the socket has closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    await this.#closed.promise;
  }
}

/** Opens a plane, runs the test, closes it. */
export async function withPlane(options: PlaneOptions, work: (plane: Plane) => Promise<void>): Promise<void> {
  const plane = await Plane.open(options);
  try {
    await work(plane);
  } finally {
    await plane.close();
  }
}

/** Claims and starts the next task of a runtime; returns the claimed payload. */
// deno-lint-ignore no-explicit-any
export async function claimAndStart(plane: Plane, runtimeId: string): Promise<any> {
  const task = await claim(plane, runtimeId);
  const answer = await wire(plane, "POST", `/api/daemon/tasks/${task.id}/start`, {});
  if (answer.status !== 200) throw new Error(`start answered ${answer.status}: ${answer.text}`);
  return task;
}
