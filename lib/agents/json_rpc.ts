/** JSON-RPC 2.0 over lines: reading messages, matching responses, limits per request (spec 06 §5.5, §11.5). */
import { type Clock, formatDuration, HostError, type Timer } from "../core/mod.ts";
import { isObject, type Json, obj, str } from "./stream_json.ts";

/** Id of a request as the other side chose it; echoed verbatim. */
export type RpcId = string | number;

/** One incoming message. */
export type RpcMessage =
  | {
    readonly kind: "response";
    readonly id: RpcId;
    readonly result: unknown;
    readonly error: Json | undefined;
  }
  | { readonly kind: "request"; readonly id: RpcId; readonly method: string; readonly params: unknown }
  | { readonly kind: "notification"; readonly method: string; readonly params: unknown };

/** Reads one line; undefined for everything that is no message. `jsonrpc` may be missing. */
export function parseRpc(line: string): RpcMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const id = typeof value.id === "number" || typeof value.id === "string" ? value.id : undefined;
  if (id !== undefined && ("result" in value || "error" in value)) {
    const error = "error" in value && value.error !== null ? obj(value.error) : undefined;
    return { kind: "response", id, result: value.result, error };
  }
  const method = str(value.method);
  if (method === "") return undefined;
  if (id !== undefined) return { kind: "request", id, method, params: value.params };
  return "id" in value && value.id !== null
    ? undefined
    : { kind: "notification", method, params: value.params };
}

/** The other side refused: `<method>: <message> (code=<code>)`. */
export class RpcError extends HostError {
  constructor(readonly method: string, readonly rpcMessage: string, readonly rpcCode: number) {
    super(`${method}: ${rpcMessage} (code=${rpcCode})`, { code: "rpc_refused", facts: { method, rpcCode } });
  }
}

/** The request got no answer: the process is gone, or a write failed. */
export class RpcTransportError extends HostError {
  constructor(text: string, options: { readonly cause?: unknown } = {}) {
    super(text, { code: "rpc_transport", ...options });
  }
}

/** The request was not answered in time; counts as a transport error. */
export class RpcTimeout extends RpcTransportError {
  constructor(readonly peer: string, readonly method: string, readonly limitMs: number) {
    super(`${peer} handshake timeout: ${method} did not respond after ${formatDuration(limitMs)}`);
  }
}

interface Pending {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: HostError) => void;
  readonly timer: Timer | undefined;
}

/** What {@link RpcClient} needs. */
export interface RpcClientOptions {
  /** Queues one line, newline included. */
  readonly send: (line: string) => void;
  /** Why writing is no longer possible, "" while it is. */
  readonly writeError?: () => string;
  readonly clock: Clock;
  /** Name of the other side in timeouts: `codex app-server`. */
  readonly peer: string;
}

/** The asking side. Ids count from 1. Everything pending is rejected by {@link RpcClient.close}. */
export class RpcClient {
  #nextId = 1;
  #closed: HostError | undefined;
  readonly #pending = new Map<RpcId, Pending>();

  constructor(private readonly options: RpcClientOptions) {}

  /** Methods waiting for their response, oldest first. */
  get pending(): readonly string[] {
    return [...this.#pending.values()].map((entry) => entry.method);
  }

  /**
   * Sends a request. `limitMs` 0 = no limit. After the close nothing is written.
   * @throws {RpcError | RpcTransportError | RpcTimeout}
   */
  request(method: string, params: unknown, limitMs = 0): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const reason = this.options.writeError?.() ?? "";
    if (reason !== "") return Promise.reject(new RpcTransportError(`write ${method}: ${reason}`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = limitMs > 0
        ? this.options.clock.timer(limitMs, () => {
          this.#pending.delete(id);
          reject(new RpcTimeout(this.options.peer, method, limitMs));
        })
        : undefined;
      this.#pending.set(id, { method, resolve, reject, timer });
      this.#write({ jsonrpc: "2.0", id, method, params });
    });
  }

  /** Sends a notification without params. */
  notify(method: string): void {
    this.#write({ jsonrpc: "2.0", method });
  }

  /** Answers a request of the other side. */
  respond(id: RpcId, result: unknown): void {
    this.#write({ jsonrpc: "2.0", id, result });
  }

  /** Refuses a request of the other side. */
  refuse(id: RpcId, code: number, message: string): void {
    this.#write({ jsonrpc: "2.0", id, error: { code, message } });
  }

  /** Settles the request a response belongs to; unknown ids are ignored. */
  receive(response: Extract<RpcMessage, { kind: "response" }>): void {
    const entry = this.#pending.get(response.id);
    if (entry === undefined) return;
    this.#pending.delete(response.id);
    entry.timer?.cancel();
    if (response.error === undefined) return entry.resolve(response.result);
    const { message, code } = response.error;
    entry.reject(new RpcError(entry.method, str(message), typeof code === "number" ? code : 0));
  }

  /** Fails everything pending and every later request. The first reason stays. */
  close(reason: HostError): void {
    this.#closed ??= reason;
    for (const entry of this.#pending.values()) {
      entry.timer?.cancel();
      entry.reject(this.#closed);
    }
    this.#pending.clear();
  }

  #write(message: Json): void {
    if (this.#closed === undefined) this.options.send(JSON.stringify(message) + "\n");
  }
}
