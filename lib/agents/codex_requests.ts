/** Codex's questions to its client and the answers of a host without a person (spec 06 §5.8). */
import { getLog } from "../core/mod.ts";
import { type Json, obj } from "./stream_json.ts";

const log = getLog("agents", "codex");

/** An answer, or a refusal that also becomes the turn's error. */
export type CodexAnswer =
  | { readonly result: Json }
  | { readonly refuse: { readonly code: number; readonly message: string } };

/**
 * Approvals are given (the sandbox is the policy), permissions are echoed for the turn. The two old method names
 * take another word: their answer is a review decision (Codex's own protocol description, 0.169.0).
 */
export function answerCodex(method: string, params: unknown, nowMs: number): CodexAnswer {
  switch (method) {
    case "item/commandExecution/requestApproval":
    case "item/fileChange/requestApproval":
      return { result: { decision: "accept" } };
    case "execCommandApproval":
    case "applyPatchApproval":
      return { result: { decision: "approved" } };
    case "item/permissions/requestApproval":
      return { result: { permissions: grant(params), scope: "turn" } };
    case "mcpServer/elicitation/request":
      return { result: { action: "accept", content: null, _meta: null } };
    case "item/tool/requestUserInput":
      return { result: { answers: {} } };
    case "currentTime/read":
      return { result: { currentTimeAt: Math.trunc(nowMs / 1000) } };
    default:
      return { refuse: { code: -32601, message: `unsupported codex app-server request: ${method}` } };
  }
}

/** The `network` and `fileSystem` entries asked for; anything else is not granted. */
function grant(params: unknown): Json {
  const asked = obj(params).permissions;
  if (typeof asked !== "object" || asked === null || Array.isArray(asked)) {
    log.warn("codex permission request has no usable permissions");
    return {};
  }
  const granted: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [key, value] of Object.entries(asked)) {
    if (key !== "network" && key !== "fileSystem") dropped.push(key);
    else if (value !== null) granted[key] = value;
  }
  if (dropped.length > 0) log.warn("codex permissions not granted", { permissions: dropped.sort() });
  return granted;
}
