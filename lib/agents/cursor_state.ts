/** What a Cursor Agent run says, event by event (spec 06 §7.3–7.5, §11.12). */
import type { AgentEvent, TokenUsage, UsageByModel } from "./contract.ts";
import { isObject, type Json, list, obj, str } from "./stream_json.ts";
import { firstCount, hasTokens, tokenCount, UsageTally } from "./usage.ts";

/** Silent by design: the prompt's echo and the connection's own talk. */
const SILENT = new Set(["user", "connection", "retry"]);

/** The `result` event. */
export interface CursorResult {
  readonly failed: boolean;
  readonly error: string;
}

/** Strips a `stdout:` or `stderr=` mark that some launchers put before each line (spec 06 §7.2). */
export function cursorLine(line: string): string {
  return line.trim().replace(/^(?:stdout|stderr) *[:=]? */i, "").trim();
}

/** First words an event has about an error. */
export function cursorErrorText(event: Json): string {
  return [event.error, event.detail, event.result].map(words).find((text) => text !== "") ?? "";
}

function words(value: unknown): string {
  return str(value) || str(obj(value).message);
}

/** Follows one run. */
export class CursorState {
  sessionId = "";
  /** Text of an `error` or `system`/`error` event. */
  error = "";
  result: CursorResult | undefined;

  readonly #steps = new UsageTally();
  #resultUsage: UsageByModel | undefined;
  #text = "";
  #sinceTool = "";
  #resultText = "";
  #thought = false;
  #inBlock = false;
  readonly #open = new Map<string, string>();

  constructor(private readonly emit: (event: AgentEvent) => void, private readonly model: string) {}

  /** The answer: what was said after the last tool, else all that was said. */
  get output(): string {
    return this.#sinceTool || this.#text || this.#resultText;
  }

  get usage(): UsageByModel {
    return this.#resultUsage ?? this.#steps.result;
  }

  /** One event. False for a type or subtype that is not known. */
  take(event: Json): boolean {
    const session = str(event.session_id).trim();
    if (session !== "" && session !== this.sessionId) {
      this.sessionId = session;
      this.emit({ type: "session", sessionId: session });
    }
    switch (event.type) {
      case "system":
        return this.#system(event);
      case "assistant":
        this.#assistant(obj(event.message));
        return true;
      case "thinking":
        return this.#thinking(event);
      case "tool_call":
        return this.#toolCall(event);
      case "tool_use":
        this.#toolUse(str(event.tool_name), str(event.tool_id), event.parameters);
        return true;
      case "tool_result":
        this.emit({ type: "tool_result", callId: str(event.tool_id), output: outputText(event.output) });
        return true;
      case "text":
        this.#say(str(obj(event.part).text));
        return true;
      default:
        return this.#other(event);
    }
  }

  #other(event: Json): boolean {
    switch (event.type) {
      case "step_finish":
        this.#step(event);
        return true;
      case "error":
        this.error = cursorErrorText(event) || this.error;
        this.emit({ type: "error", text: cursorErrorText(event) });
        return true;
      case "result":
        this.#finish(event);
        return true;
      default:
        if (!SILENT.has(str(event.type))) return false;
        this.emit({ type: "activity" });
        return true;
    }
  }

  #system(event: Json): boolean {
    if (event.subtype === "error") {
      const text = cursorErrorText(event);
      this.error = text || this.error;
      if (text !== "") this.emit({ type: "error", text });
    } else this.emit({ type: "activity" });
    return event.subtype === "init" || event.subtype === "error";
  }

  #assistant(message: Json): void {
    for (const entry of list(message.content)) {
      const block = obj(entry);
      if (block.type === "text" || block.type === "output_text") this.#say(str(block.text));
      else if (block.type === "thinking") this.#think(str(block.text) || str(block.thinking), true);
      else if (block.type === "tool_use") this.#toolUse(str(block.name), str(block.id), block.input);
    }
  }

  #say(text: string): void {
    if (text === "") return;
    this.#text += text;
    this.#sinceTool += text;
    this.emit({ type: "text", text });
  }

  #thinking(event: Json): boolean {
    if (event.subtype === "completed") this.#inBlock = false;
    else if (event.subtype === "delta") {
      const text = str(event.text);
      if (text !== "") this.#think(text, !this.#inBlock);
    } else return false;
    return true;
  }

  #think(text: string, newBlock: boolean): void {
    if (text === "") return;
    this.emit({ type: "thinking", text: newBlock && this.#thought ? `\n\n${text}` : text });
    this.#thought = true;
    this.#inBlock = true;
  }

  #toolCall(event: Json): boolean {
    const call = obj(event.tool_call);
    const key = Object.keys(call).filter((name) => name.endsWith("ToolCall")).sort()[0] ?? "";
    const body = obj(call[key]);
    const callId = (str(event.call_id).split("\n", 1)[0] ?? "").trim() || str(call.toolCallId) ||
      str(body.toolCallId);
    const tool = key === "" ? "tool" : key.slice(0, -"ToolCall".length);
    if (event.subtype === "started") {
      if (callId !== "") this.#open.set(callId, tool);
      this.#toolUse(tool, callId, body.args);
      return true;
    }
    if (event.subtype !== "completed") return false;
    if (callId !== "" && !this.#open.delete(callId)) this.#toolUse(tool, callId, body.args);
    const output = body.result === undefined ? "" : JSON.stringify(body.result);
    this.emit({ type: "tool_result", callId, tool, output });
    return true;
  }

  #toolUse(tool: string, callId: string, input: unknown): void {
    this.#sinceTool = "";
    this.emit({ type: "tool_use", tool, callId, ...(isObject(input) ? { input } : {}) });
  }

  #step(event: Json): void {
    const tokens = obj(obj(event.part).tokens);
    this.#steps.add(this.#modelOf(event), {
      inputTokens: tokenCount(tokens.input),
      outputTokens: tokenCount(tokens.output),
      cacheReadTokens: tokenCount(obj(tokens.cache).read),
      cacheWriteTokens: 0,
    });
    this.emit({ type: "activity" });
  }

  #finish(event: Json): void {
    if (this.result !== undefined) return;
    const failed = event.is_error === true || event.subtype === "error";
    const error = failed
      ? cursorErrorText(event) || "cursor-agent returned an error result without details"
      : "";
    this.result = { failed, error };
    this.#resultText = failed ? "" : str(event.result);
    if (this.#text === "" && this.#resultText !== "") this.emit({ type: "text", text: this.#resultText });
    const usage = resultUsage(event);
    if (usage !== undefined) this.#resultUsage = hasTokens(usage) ? { [this.#modelOf(event)]: usage } : {};
  }

  #modelOf(event: Json): string {
    return str(event.model) || this.model.trim() || "cursor";
  }
}

const CAMEL = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"] as const;

/** undefined when the result carried none; a zero `usage` object counts as carried. */
function resultUsage(event: Json): TokenUsage | undefined {
  if (CAMEL.some((key) => tokenCount(event[key]) > 0)) {
    const [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens] = CAMEL.map((key) =>
      tokenCount(event[key])
    );
    return {
      inputTokens: inputTokens!,
      outputTokens: outputTokens!,
      cacheReadTokens: cacheReadTokens!,
      cacheWriteTokens: cacheWriteTokens!,
    };
  }
  if (!isObject(event.usage)) return undefined;
  const usage = event.usage;
  return {
    inputTokens: firstCount(usage, ["input_tokens", "inputTokens"]),
    outputTokens: firstCount(usage, ["output_tokens", "outputTokens"]),
    cacheReadTokens: firstCount(usage, [
      "cached_input_tokens",
      "cachedInputTokens",
      "cacheReadTokens",
      "cache_read_input_tokens",
      "cacheReadInputTokens",
    ]),
    cacheWriteTokens: firstCount(usage, [
      "cacheWriteTokens",
      "cache_creation_input_tokens",
      "cacheCreationInputTokens",
    ]),
  };
}

function outputText(value: unknown): string {
  return typeof value === "string"
    ? value
    : value === undefined || value === null
    ? ""
    : JSON.stringify(value);
}
