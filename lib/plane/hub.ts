/** The daemon WebSocket hub: connections, heartbeats with acks, hints, RPC, limits (spec 02 §2.3, 4, 5, 14, 17). */
import { errorText, getLog } from "../core/mod.ts";
import { canAccess, findRuntime } from "./access.ts";
import { popActions } from "./actions.ts";
import type { FeatureFlags } from "./routes_daemon.ts";
import { touchRuntime } from "./runtimes.ts";
import type { Hint, Store } from "./store.ts";
import type { Principal } from "./types.ts";

const log = getLog("plane", "hub");

/** Frames the server queues for one connection. */
const QUEUE_LIMIT = 16;
/** Longest frame from a host, bytes, by era. */
const FRAME_LIMIT = { baseline: 4_096, later: 65_536 } as const;
const RPC_LIMIT = 8;

/** One frame. */
export interface Frame {
  readonly type: string;
  readonly payload?: unknown;
}

/** What the hub needs of the server. */
export interface HubDeps {
  readonly store: Store;
  featureFlags(): FeatureFlags | undefined;
  /** Every frame that arrives, for the recorder. */
  onFrame(type: string, body: string): void;
  /** Answers an RPC; `dropped` = the server says nothing. */
  rpc(
    method: string,
    body: unknown,
    connection: Connection,
  ): Promise<{ status: number; body?: unknown; error?: string } | "dropped">;
}

/** A host's socket. */
export interface Connection {
  readonly socket: WebSocket;
  readonly who: Principal;
  readonly runtimeIds: ReadonlySet<string>;
  readonly workspaceIds: ReadonlySet<string>;
  readonly capabilities: readonly string[];
  /** Local port of the gate's side, for faults. */
  readonly backPort: number;
  readonly queue: string[];
  /** Nothing leaves: frames pile up in the queue. */
  stalled: boolean;
  /** Nothing gets through in either direction. */
  frozen: boolean;
  inFlight: number;
}

/** Which frames a fault drops, and which way they go. */
export type FrameFilter = (frame: Frame, way: "in" | "out") => boolean;

/** All daemon sockets of the plane. */
export class Hub {
  readonly #connections = new Set<Connection>();
  /** True drops the frame. Set by faults. */
  dropFrame: FrameFilter | undefined;

  constructor(readonly deps: HubDeps) {
    deps.store.hints.subscribe((hint) => this.#onHint(hint));
  }

  get connections(): readonly Connection[] {
    return [...this.#connections];
  }

  /** Takes over an upgraded socket. */
  attach(
    socket: WebSocket,
    spec: Pick<Connection, "who" | "runtimeIds" | "workspaceIds" | "capabilities" | "backPort">,
  ): void {
    const connection: Connection = { ...spec, socket, queue: [], stalled: false, frozen: false, inFlight: 0 };
    socket.onopen = () => {
      this.#connections.add(connection);
      this.#tell("open", connection);
    };
    socket.onmessage = (event) => this.#onMessage(connection, event.data);
    socket.onerror = (event) =>
      log.debug("socket error", { error: errorText((event as ErrorEvent).error ?? event.type) });
    socket.onclose = () => {
      if (this.#connections.delete(connection)) this.#tell("closed", connection);
    };
  }

  /** Sends a frame to every connection that `to` chooses. */
  broadcast(frame: Frame, to: (connection: Connection) => boolean = () => true): void {
    for (const connection of [...this.#connections]) {
      if (to(connection) && !this.#send(connection, frame)) {
        log.debug("send queue full, connection evicted");
        connection.socket.close();
      }
    }
  }

  /** Stops or resumes writing to all present connections. */
  stall(stalled: boolean): void {
    for (const connection of this.#connections) {
      connection.stalled = stalled;
      if (!stalled) this.#pump(connection);
    }
  }

  /** Freezes all present connections at this level; the gate freezes their bytes. Returns their gate ports. */
  freeze(): number[] {
    for (const connection of this.#connections) connection.frozen = true;
    return this.connections.map((connection) => connection.backPort);
  }

  /** Closes every connection, as a deploy does. */
  closeAll(): void {
    for (const connection of this.#connections) connection.socket.close();
  }

  #tell(to: "open" | "closed", connection: Connection): void {
    this.deps.store.events.publish({
      type: "socket",
      to,
      runtimeIds: [...connection.runtimeIds],
      at: this.deps.store.now(),
    });
  }

  #onHint(hint: Hint): void {
    if (this.#connections.size === 0) return;
    if (hint.type === "task_available") {
      const payload = { runtime_id: hint.runtimeId, task_id: hint.taskId };
      this.broadcast({ type: "daemon:task_available", payload }, (one) => one.runtimeIds.has(hint.runtimeId));
    } else if (hint.type === "profiles_changed") {
      const payload = { workspace_id: hint.workspaceId, runtime_profile_id: hint.profileId };
      const to = (one: Connection) => one.workspaceIds.has(hint.workspaceId);
      this.broadcast({ type: "daemon:runtime_profiles_changed", payload }, to);
    } else if (hint.type === "pending_work") {
      const payload = { runtime_id: hint.runtimeId, kind: hint.kind };
      this.broadcast({ type: "daemon:pending_work", payload }, (one) => one.runtimeIds.has(hint.runtimeId));
    } else if (this.deps.store.later) {
      const to = (one: Connection) => one.who.userId !== null && hint.userIds.includes(one.who.userId);
      this.broadcast({ type: "daemon:workspaces_changed", payload: {} }, to);
    }
  }

  #onMessage(connection: Connection, data: unknown): void {
    const text = typeof data === "string" ? data : new TextDecoder().decode(data as ArrayBuffer);
    if (connection.frozen) return;
    if (
      text.length > FRAME_LIMIT[this.deps.store.era] || byteLength(text) > FRAME_LIMIT[this.deps.store.era]
    ) {
      connection.socket.close();
      return;
    }
    const frame = parseFrame(text);
    if (frame === undefined) return;
    this.deps.onFrame(frame.type, text);
    if (this.dropFrame?.(frame, "in") === true) return;
    if (frame.type === "daemon:heartbeat") {
      this.#onHeartbeat(connection, frame.payload as Record<string, unknown> | null);
    } else if (frame.type === "daemon:rpc_request" && this.deps.store.later) {
      this.#onRpc(connection, frame.payload as Record<string, unknown> | null).catch((error: unknown) =>
        log.error("rpc failed", { error: errorText(error) })
      );
    }
  }

  #onHeartbeat(connection: Connection, payload: Record<string, unknown> | null): void {
    const id = payload?.runtime_id;
    if (typeof id !== "string" || !connection.runtimeIds.has(id)) return;
    const { store } = this.deps;
    const ack = store.db.tx(() => {
      const runtime = findRuntime(store, id.toLowerCase());
      if (runtime === undefined) return { runtime_id: id, status: "runtime_gone", runtime_gone: true };
      if (!connection.workspaceIds.has(runtime.workspace_id)) return undefined;
      if (!canAccess(store, connection.who, runtime.workspace_id)) return undefined;
      touchRuntime(store, runtime);
      const flags = store.later ? undefined : this.deps.featureFlags();
      return {
        runtime_id: runtime.id,
        status: "ok",
        ...popActions(store, runtime.id, payload?.supports_batch_import === true),
        ...(flags === undefined ? {} : { feature_flags: flags }),
        ...(store.later ? { server_capabilities: ["rpc-v1"] } : {}),
      };
    });
    if (ack !== undefined) this.#send(connection, { type: "daemon:heartbeat_ack", payload: ack });
  }

  async #onRpc(connection: Connection, payload: Record<string, unknown> | null): Promise<void> {
    const id = payload?.request_id;
    if (typeof id !== "string" || id === "") return;
    const respond = (answer: { status: number; body?: unknown; error?: string }) =>
      this.#send(connection, { type: "daemon:rpc_response", payload: { request_id: id, ...answer } });
    if (connection.inFlight >= RPC_LIMIT) {
      respond({ status: 429, error: "too many in-flight rpc requests" });
      return;
    }
    connection.inFlight++;
    try {
      const answer = await this.deps.rpc(String(payload?.method ?? ""), payload?.body, connection);
      if (answer !== "dropped") respond(answer);
    } finally {
      connection.inFlight--;
    }
  }

  /** False when the queue is full: the frame is dropped. */
  #send(connection: Connection, frame: Frame): boolean {
    if (connection.frozen || this.dropFrame?.(frame, "out") === true) return true;
    if (connection.queue.length >= QUEUE_LIMIT) return false;
    connection.queue.push(JSON.stringify(frame));
    this.#pump(connection);
    return true;
  }

  #pump(connection: Connection): void {
    while (!connection.stalled && connection.socket.readyState === WebSocket.OPEN) {
      const next = connection.queue.shift();
      if (next === undefined) return;
      connection.socket.send(next);
    }
  }
}

function parseFrame(text: string): Frame | undefined {
  try {
    const value = JSON.parse(text) as { type?: unknown; payload?: unknown } | null;
    if (typeof value?.type === "string") return { type: value.type, payload: value.payload };
  } catch {
    log.debug("frame is not JSON");
  }
  return undefined;
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
