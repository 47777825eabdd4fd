/** Codex thread items as transcript events: commands, patches, MCP calls, messages, reasoning (spec 06 §5.9, §11.9). */
import { Redactor } from "../core/mod.ts";
import { hasChanges, patchInput, patchResult } from "./codex_patch.ts";
import type { AgentEvent } from "./contract.ts";
import { sanitiseDiagnostic } from "./sanitise.ts";
import { type Json, obj, str } from "./stream_json.ts";

/** Items that are no tool calls. */
const NOT_TOOLS = new Set([
  "",
  "userMessage",
  "hookPrompt",
  "agentMessage",
  "functionCallOutput",
  "plan",
  "reasoning",
  "subAgentActivity",
  "enteredReviewMode",
  "exitedReviewMode",
  "contextCompaction",
]);

/** Follows the items of one turn. Text streams in by deltas and is completed by its item, never repeated. */
export class CodexItems {
  /** Last message of phase `final_answer`, undefined before one came. */
  finalAnswer: string | undefined;
  /** Last agent message of any phase. */
  lastMessage = "";

  readonly #openTools = new Set<string>();
  readonly #streamed = new Map<string, string>();
  #thought = false;

  constructor(
    private readonly emit: (event: AgentEvent) => void,
    private readonly redactor: Redactor = new Redactor(),
  ) {}

  started(item: Json): void {
    const type = str(item.type);
    if (NOT_TOOLS.has(type)) return;
    const callId = str(item.id);
    if (callId !== "" && this.#openTools.has(callId)) return;
    if (callId !== "") this.#openTools.add(callId);
    const input = toolInput(type, item, this.redactor);
    this.emit({
      type: "tool_use",
      tool: toolName(type, item),
      callId,
      ...(input === undefined ? {} : { input }),
    });
  }

  completed(item: Json): void {
    const type = str(item.type);
    if (type === "agentMessage") return this.#message(item);
    if (type === "reasoning") return this.#reasoned(item);
    if (NOT_TOOLS.has(type)) return;
    const callId = str(item.id);
    if (callId !== "" && !this.#openTools.delete(callId)) this.started(item);
    this.#openTools.delete(callId);
    this.emit({ type: "tool_result", callId, tool: toolName(type, item), output: toolOutput(type, item) });
  }

  /** A piece of an agent message. */
  messageDelta(itemId: string, delta: string): void {
    if (delta === "") return;
    this.#streamed.set(itemId, (this.#streamed.get(itemId) ?? "") + delta);
    this.emit({ type: "text", text: delta });
  }

  /** A piece of reasoning; `part` tells blocks of one item apart. */
  thinkingDelta(itemId: string, part: string, delta: string): void {
    if (delta === "") return;
    const key = `${itemId}\n${part}`;
    const fresh = !this.#streamed.has(key);
    this.#streamed.set(key, "seen");
    this.#streamed.set(`${itemId}\nthought`, "seen");
    this.#think(delta, fresh);
  }

  #message(item: Json): void {
    const text = str(item.text);
    if (text !== "") this.said(text, str(item.phase), this.#streamed.get(str(item.id)) ?? "");
    this.#streamed.delete(str(item.id));
  }

  /** A whole message of which `streamed` was emitted already. */
  said(text: string, phase: string, streamed = ""): void {
    this.lastMessage = text;
    if (phase === "final_answer") this.finalAnswer = text;
    const rest = text.startsWith(streamed) ? text.slice(streamed.length) : "";
    if (rest !== "") this.emit({ type: "text", text: rest });
  }

  #reasoned(item: Json): void {
    const id = str(item.id);
    if (this.#streamed.has(`${id}\nthought`)) return;
    const parts = [item.summary, item.content].find((value) => Array.isArray(value) && value.length > 0);
    const texts = Array.isArray(parts) ? parts.map((part) => str(part) || str(obj(part).text)) : [];
    const text = texts.filter((part) => part !== "").join("\n\n");
    if (text !== "") this.#think(text, true);
  }

  #think(text: string, newBlock: boolean): void {
    this.emit({ type: "thinking", text: newBlock && this.#thought ? `\n\n${text}` : text });
    this.#thought = true;
  }

  // Older Codex: one event per begin and end, under `codex/event` (spec 06 §5.9, legacy).

  /** `exec_command_begin`. */
  legacyExec(message: Json): void {
    this.started({ type: "commandExecution", id: message.call_id, command: message.command });
  }

  /** `exec_command_end`. */
  legacyExecEnd(message: Json): void {
    this.completed({ type: "commandExecution", id: message.call_id, aggregatedOutput: message.output });
  }

  /** `patch_apply_begin`. */
  legacyPatch(message: Json): void {
    this.started({ type: "fileChange", id: message.call_id, changes: message.changes });
  }

  /** `patch_apply_end`. */
  legacyPatchEnd(message: Json): void {
    this.completed({ ...message, type: "fileChange", id: message.call_id });
  }
}

function toolName(type: string, item: Json): string {
  if (type === "commandExecution") return "exec_command";
  if (type === "fileChange") return "patch_apply";
  if (type === "mcpToolCall") return str(item.tool) || "mcp_tool";
  if (type === "dynamicToolCall") return str(item.tool) || "dynamic_tool";
  return type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toolInput(type: string, item: Json, redactor: Redactor): Json | undefined {
  if (type === "commandExecution") return item.command === undefined ? undefined : { command: item.command };
  if (type === "fileChange") {
    return hasChanges(item.changes) ? patchInput(item.changes, (text) => redactor.text(text)) : undefined;
  }
  if (type === "mcpToolCall") return { server: str(item.server), arguments: redactor.value(item.arguments) };
  const shown: Record<string, unknown> = {};
  for (const key of ["query", "prompt", "tool", "path", "arguments", "receiverThreadIds"]) {
    if (item[key] !== undefined && item[key] !== null) shown[key] = redactor.value(item[key]);
  }
  return Object.keys(shown).length === 0 ? undefined : shown;
}

function toolOutput(type: string, item: Json): string {
  if (type === "commandExecution") return str(item.aggregatedOutput);
  if (type === "fileChange") {
    const bare = !hasChanges(item.changes) && item.status === undefined && item.success === undefined;
    return bare ? "" : patchResult(item);
  }
  return callResult(item);
}

/** Status, time and error of a call; never its payload. */
function callResult(item: Json): string {
  const lines = [str(item.status) || "completed"];
  if (typeof item.durationMs === "number" && item.durationMs > 0) {
    lines.push(`duration: ${item.durationMs} ms`);
  }
  const error = str(obj(item.error).message);
  if (error !== "") lines.push(`error: ${sanitiseDiagnostic(error)}`);
  return lines.join("\n");
}
