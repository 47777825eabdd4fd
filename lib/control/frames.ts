/** Frames of the socket, both directions (spec 02 §3, 4, 17). */
import * as z from "zod";
import { parseHeartbeat } from "./schema_heartbeat.ts";
import type { HeartbeatAnswer } from "./types.ts";
import { int, text } from "./values.ts";

/** A frame from the server, as far as the host cares. */
export type ServerFrame =
  | { readonly type: "ack"; readonly answer: HeartbeatAnswer }
  /** "" = catch-up: look at every runtime. */
  | { readonly type: "task_available"; readonly runtimeId: string }
  | { readonly type: "profiles_changed"; readonly workspaceId: string }
  | { readonly type: "workspaces_changed" }
  | { readonly type: "pending_work"; readonly runtimeId: string; readonly kind: string }
  | { readonly type: "rpc_response"; readonly response: RpcResponse }
  /** A frame that means nothing to the host, or nothing at all. */
  | { readonly type: "ignored"; readonly why: "unknown" | "malformed" | "empty"; readonly name: string };

export interface RpcResponse {
  readonly request_id: string;
  readonly status: number;
  readonly body: unknown;
  readonly error: string;
}

const frameSchema = z.object({ type: z.string(), payload: z.unknown().optional() });
const payloads = {
  task: z.object({ runtime_id: text }).nullish(),
  profiles: z.object({ workspace_id: text }),
  work: z.object({ runtime_id: text, kind: text }),
  response: z.object({ request_id: text, status: int, body: z.unknown().optional(), error: text }),
};

/** One message from the server. Never throws: what is not understood is `ignored` (spec 02 §3). */
export function parseFrame(message: string): ServerFrame {
  let raw: unknown;
  try {
    raw = JSON.parse(message);
  } catch {
    return { type: "ignored", why: "malformed", name: "" };
  }
  const frame = frameSchema.safeParse(raw);
  if (!frame.success) return { type: "ignored", why: "malformed", name: "" };
  const { type: name, payload } = frame.data;
  return parsePayload(name, payload) ?? { type: "ignored", why: "malformed", name };
}

function parsePayload(name: string, payload: unknown): ServerFrame | undefined {
  const empty: ServerFrame = { type: "ignored", why: "empty", name };
  switch (name) {
    case "daemon:heartbeat_ack": {
      const answer = parseHeartbeat(payload);
      if (answer === undefined) return undefined;
      return answer.runtime_id === "" ? empty : { type: "ack", answer };
    }
    case "daemon:task_available": {
      const parsed = payloads.task.safeParse(payload);
      return parsed.success
        ? { type: "task_available", runtimeId: parsed.data?.runtime_id ?? "" }
        : undefined;
    }
    case "daemon:runtime_profiles_changed": {
      const parsed = payloads.profiles.safeParse(payload);
      if (!parsed.success) return undefined;
      const workspaceId = parsed.data.workspace_id;
      return workspaceId === "" ? empty : { type: "profiles_changed", workspaceId };
    }
    case "daemon:workspaces_changed":
      return { type: "workspaces_changed" };
    case "daemon:pending_work": {
      const parsed = payloads.work.safeParse(payload);
      if (!parsed.success) return undefined;
      const { runtime_id: runtimeId, kind } = parsed.data;
      return runtimeId === "" ? empty : { type: "pending_work", runtimeId, kind };
    }
    case "daemon:rpc_response": {
      const parsed = payloads.response.safeParse(payload);
      if (!parsed.success) return undefined;
      return parsed.data.request_id === "" ? empty : {
        type: "rpc_response",
        response: { ...parsed.data, body: parsed.data.body },
      };
    }
  }
  return { type: "ignored", why: "unknown", name };
}

/** `daemon:heartbeat` of one runtime. */
export function heartbeatFrame(runtimeId: string): string {
  return JSON.stringify({
    type: "daemon:heartbeat",
    payload: { runtime_id: runtimeId, supports_batch_import: true },
  });
}

/** `daemon:rpc_request`. */
export function rpcRequestFrame(
  requestId: string,
  method: string,
  timeoutMs: number,
  body: unknown,
): string {
  return JSON.stringify({
    type: "daemon:rpc_request",
    payload: { request_id: requestId, method, timeout_ms: timeoutMs, body },
  });
}
