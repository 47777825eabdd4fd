/** What a Claude-shaped stream says, event by event: transcript events, final text, usage, session (spec 06 §3.4, §11.1). */
import type { AgentEvent, TokenUsage, UsageByModel } from "./contract.ts";
import { isObject, type Json, list, obj, str } from "./stream_json.ts";
import { hasTokens, tokenCount, UsageTally } from "./usage.ts";

/** The `result` event, read tolerantly. */
export interface StreamOutcome {
  readonly isError: boolean;
  /** Its text: `result`, else what `errors[]` or `error` say. */
  readonly text: string;
  /** Trimmed; "" when absent. */
  readonly terminalReason: string;
  readonly costUsd: number;
}

/** Counts of one run, for the summary line. No content. */
export interface StreamCounts {
  events: number;
  invalid: number;
  assistant: number;
  toolUses: number;
  unreadableAssistant: number;
  lastType: string;
  /** Types nobody handles, at most 16 different ones. */
  readonly unhandledTypes: Map<string, number>;
  unhandledSubtypes: number;
}

/** Subtypes that are failures even where `is_error` is missing. */
const ERROR_SUBTYPES = new Set(["error_during_execution", "error", "failed"]);
const ACTIVITY: AgentEvent = { type: "activity" };
const MAX_UNHANDLED_TYPES = 16;

/** Follows one stream. Fed with parsed lines in order; hot path, so no allocation beyond the events themselves. */
export class StreamState {
  /** Session id the CLI stated last, "" when it stated none. */
  sessionId = "";
  /** Text of the last assistant message that could have been the answer. */
  lastText = "";
  /** A tool reported that it went on in the background. */
  asyncLaunched = false;
  outcome: StreamOutcome | undefined;
  readonly counts: StreamCounts = {
    events: 0,
    invalid: 0,
    assistant: 0,
    toolUses: 0,
    unreadableAssistant: 0,
    lastType: "",
    unhandledTypes: new Map(),
    unhandledSubtypes: 0,
  };

  readonly #emit: (event: AgentEvent) => void;
  readonly #requestedModel: string;
  readonly #usage = new UsageTally();
  /** The newest usage of each conversation (main and subagents): one API message comes as several events. */
  readonly #open = new Map<string, { id: string; model: string; usage: TokenUsage }>();
  #resultUsage: UsageByModel | undefined;

  constructor(emit: (event: AgentEvent) => void, requestedModel: string) {
    this.#emit = emit;
    this.#requestedModel = requestedModel;
  }

  /** Takes one event that is no control request. */
  take(event: Json): void {
    const type = str(event.type);
    this.counts.lastType = type;
    switch (type) {
      case "assistant":
        return this.#assistant(event);
      case "user":
        return this.#user(event);
      case "system":
        return this.#system(event);
      case "result":
        return this.#result(event);
      case "log":
        return this.#log(event);
      case "keep_alive":
        return;
      default:
        this.#unhandled(type);
    }
  }

  /** Usage by model: the result's own account, else what the messages said (spec 06 §3.5). */
  usage(): UsageByModel {
    if (this.#resultUsage !== undefined) return this.#resultUsage;
    for (const key of [...this.#open.keys()]) this.#fold(key);
    return this.#usage.result;
  }

  #system(event: Json): void {
    const id = str(event.session_id);
    if (id !== "" && id !== this.sessionId) {
      this.sessionId = id;
      this.#emit({ type: "session", sessionId: id });
    } else this.#emit(ACTIVITY);
  }

  #assistant(event: Json): void {
    this.counts.assistant++;
    const message = event.message;
    const parent = str(event.parent_tool_use_id);
    if (!isObject(message) || !Array.isArray(message.content)) {
      this.counts.unreadableAssistant++;
      if (parent === "") this.lastText = "";
      this.#emit(ACTIVITY);
      return;
    }
    this.#countUsage(message, parent);
    const said = this.#blocks(message.content, parent !== "");
    if (parent === "" && said !== undefined) this.lastText = said;
  }

  /** Emits the blocks. @returns the new last text, undefined when the message was silent. */
  #blocks(blocks: readonly unknown[], subagent: boolean): string | undefined {
    let text = "";
    let silent = true;
    let intermediate = false;
    for (const entry of blocks) {
      const block = obj(entry);
      switch (block.type) {
        case "text": {
          const part = str(block.text);
          if (part === "") break;
          silent = false;
          text += part;
          // A subagent speaks to its parent, not to the user: kept, but not as the answer.
          this.#emit({ type: subagent ? "thinking" : "text", text: part });
          break;
        }
        case "thinking": {
          const part = str(block.thinking) || str(block.text);
          if (part !== "") this.#emit({ type: "thinking", text: part });
          else this.#emit(ACTIVITY);
          break;
        }
        case "redacted_thinking":
          this.#emit(ACTIVITY);
          break;
        case "tool_use":
          intermediate = true;
          this.#toolUse(block);
          break;
        default:
          intermediate = true;
          this.#unhandledBlock();
      }
    }
    if (intermediate) return "";
    return silent ? undefined : text;
  }

  #toolUse(block: Json): void {
    this.counts.toolUses++;
    const event = { type: "tool_use", tool: str(block.name), callId: str(block.id) } as const;
    this.#emit(isObject(block.input) ? { ...event, input: block.input } : event);
  }

  #user(event: Json): void {
    const content = obj(event.message).content;
    if (!Array.isArray(content)) {
      this.#emit(ACTIVITY);
      return;
    }
    if (isAsyncLaunch(event.tool_use_result)) this.asyncLaunched = true;
    for (const entry of content) {
      const block = obj(entry);
      if (block.type !== "tool_result") continue;
      const output = block.content;
      if (launchedAsync(output)) this.asyncLaunched = true;
      this.#emit({
        type: "tool_result",
        callId: str(block.tool_use_id),
        output: output === undefined ? "" : JSON.stringify(output),
      });
    }
  }

  #result(event: Json): void {
    this.sessionId = str(event.session_id) || this.sessionId;
    this.#readUsage(event);
    if (this.outcome !== undefined) return;
    const subtype = str(event.subtype);
    this.outcome = {
      isError: event.is_error === true || ERROR_SUBTYPES.has(subtype) || event.type === "error",
      text: resultText(event),
      terminalReason: str(event.terminal_reason).trim(),
      costUsd: typeof event.total_cost_usd === "number" && event.total_cost_usd > 0
        ? event.total_cost_usd
        : 0,
    };
  }

  #log(event: Json): void {
    const entry = isObject(event.log) ? event.log : event;
    this.#emit({ type: "log", level: str(entry.level), text: str(entry.message) });
  }

  #unhandled(type: string): void {
    const types = this.counts.unhandledTypes;
    if (types.has(type) || types.size < MAX_UNHANDLED_TYPES) types.set(type, (types.get(type) ?? 0) + 1);
    this.#emit(ACTIVITY);
  }

  #unhandledBlock(): void {
    this.counts.unhandledSubtypes++;
    this.#emit(ACTIVITY);
  }

  #countUsage(message: Json, parent: string): void {
    const model = str(message.model);
    if (model === "" || !isObject(message.usage)) return;
    const id = str(message.id);
    const open = this.#open.get(parent);
    if (open !== undefined && (id === "" || open.id !== id)) this.#fold(parent);
    this.#open.set(parent, { id, model, usage: snakeUsage(message.usage) });
  }

  #fold(parent: string): void {
    const open = this.#open.get(parent);
    if (open === undefined) return;
    this.#open.delete(parent);
    this.#usage.add(open.model, open.usage);
  }

  #readUsage(event: Json): void {
    const byModel: Record<string, TokenUsage> = {};
    for (const [model, value] of Object.entries(obj(event.modelUsage))) {
      const usage = camelUsage(obj(value));
      if (model !== "" && hasTokens(usage)) byModel[model] = usage;
    }
    if (Object.keys(byModel).length > 0) {
      this.#resultUsage = byModel;
      return;
    }
    const usage = snakeUsage(obj(event.usage));
    const model = str(event.model) || this.#requestedModel;
    if (model !== "" && hasTokens(usage)) this.#resultUsage = { [model]: usage };
  }
}

/** `result`, else the texts of `errors[]`, else `error` (a string or `{message}`). */
function resultText(event: Json): string {
  const text = str(event.result);
  if (text !== "") return text;
  const errors = list(event.errors).map((entry) => str(entry) || str(obj(entry).message)).filter((part) =>
    part !== ""
  );
  if (errors.length > 0) return errors.join("\n");
  return str(event.error) || str(obj(event.error).message);
}

/** Qwen counts cached input into `input_tokens` (seen with 0.24.4); its total says so. Ours never does (I-7). */
function snakeUsage(usage: Json): TokenUsage {
  const input = tokenCount(usage.input_tokens);
  const output = tokenCount(usage.output_tokens);
  const cached = tokenCount(usage.cache_read_input_tokens);
  const contained = tokenCount(usage.total_tokens) === input + output;
  return {
    inputTokens: contained ? Math.max(0, input - cached) : input,
    outputTokens: output,
    cacheReadTokens: cached,
    cacheWriteTokens: tokenCount(usage.cache_creation_input_tokens),
  };
}

function camelUsage(usage: Json): TokenUsage {
  return {
    inputTokens: tokenCount(usage.inputTokens),
    outputTokens: tokenCount(usage.outputTokens),
    cacheReadTokens: tokenCount(usage.cacheReadInputTokens),
    cacheWriteTokens: tokenCount(usage.cacheCreationInputTokens),
  };
}

/** True when a tool result says it was launched asynchronously; text that mentions it does not count (CL-6). */
function launchedAsync(content: unknown): boolean {
  if (typeof content !== "object" || content === null) return false;
  if (Array.isArray(content)) return content.some(isAsyncLaunch);
  return isAsyncLaunch(content) || list((content as Json).content).some(isAsyncLaunch);
}

function isAsyncLaunch(value: unknown): boolean {
  return isObject(value) && value.status === "async_launched";
}
