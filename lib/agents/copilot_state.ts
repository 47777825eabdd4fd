/** What a Copilot run says, event by event (spec 06 §6.2, §11.1, §11.11). */
import type { AgentEvent, TokenUsage, UsageByModel } from "./contract.ts";
import { isObject, type Json, list, obj, str } from "./stream_json.ts";
import { hasTokens, NO_USAGE, tokenCount, UsageTally } from "./usage.ts";

/** Model name before any event named one and none was asked for. */
const SEED_MODEL = "copilot";

/** Options of {@link CopilotState}. */
export interface CopilotOptions {
  readonly emit: (event: AgentEvent) => void;
  /** "" lets the account's routing decide. */
  readonly model: string;
  /** A resumed run's shutdown totals are those of the whole session. */
  readonly resumed: boolean;
  /** Session id this run was told to use, "" when the CLI makes its own. */
  readonly givenSession: string;
  /** True once the run is being stopped: Copilot then ends with a result of its own, exit code 0 (seen with 1.0.102). */
  readonly stopped: () => boolean;
}

/** Follows one run. */
export class CopilotState {
  sessionId = "";
  /** Message of `session.error`, "" before and when it only answers a stop. */
  error = "";
  /** Of the `result` event; undefined before it and when it only answers a stop. */
  exitCode: number | undefined;
  /** True when the stream said anything of a turn. */
  sawTurn = false;

  readonly #options: CopilotOptions;
  readonly #events = new UsageTally();
  readonly #messages = new UsageTally();
  #shutdown: UsageByModel = {};
  #model: string;
  #final = "";
  #pending = "";
  #announced = "";
  readonly #streamed = new Set<string>();
  readonly #tools = new Set<string>();
  #reasoned = "";

  constructor(options: CopilotOptions) {
    this.#options = options;
    this.#model = options.model || SEED_MODEL;
  }

  /** Last message's content, or what was streamed when the run died in the middle of one. */
  get output(): string {
    return this.#pending || this.#final;
  }

  /** First usable source; they describe the same tokens and are never added up. */
  get usage(): UsageByModel {
    if (!this.#options.resumed && Object.keys(this.#shutdown).length > 0) return this.#shutdown;
    return this.#events.empty ? this.#messages.result : this.#events.result;
  }

  /** One event. False for a type that is not known. */
  take(event: Json): boolean {
    const data = obj(event.data);
    switch (event.type) {
      case "session.start":
        this.#session(str(data.sessionId));
        this.#model = str(data.selectedModel) || this.#model;
        return true;
      case "assistant.turn_start":
        this.sawTurn = true;
        this.#session(this.#options.givenSession);
        this.#options.emit({ type: "activity" });
        return true;
      case "assistant.message_delta":
        this.#delta(data);
        return true;
      case "assistant.message":
        this.#message(data);
        return true;
      case "assistant.reasoning":
      case "assistant.reasoning_delta":
        this.#reasoning(data);
        return true;
      case "tool.execution_start":
        this.#toolUse(str(data.toolCallId), str(data.toolName), data.arguments);
        return true;
      case "tool.execution_complete":
        this.#toolResult(data);
        return true;
      default:
        return this.#session_event(event, data);
    }
  }

  #session_event(event: Json, data: Json): boolean {
    switch (event.type) {
      case "session.error":
        if (!this.#options.stopped()) {
          this.error = str(data.message) || this.error || "copilot reported an error without details";
        }
        this.#options.emit({ type: "log", level: "error", text: str(data.message) });
        return true;
      case "session.warning":
        this.#options.emit({ type: "log", level: "warn", text: str(data.message) });
        return true;
      case "assistant.usage":
        this.#usage(data);
        return true;
      case "session.shutdown":
        this.#shutdown = shutdownUsage(obj(data.modelMetrics));
        return true;
      case "result":
        this.#session(str(event.sessionId));
        if (!this.#options.stopped()) this.exitCode = typeof event.exitCode === "number" ? event.exitCode : 0;
        return true;
      default:
        return false;
    }
  }

  #session(id: string): void {
    if (id === "") return;
    this.sessionId = id;
    if (id === this.#announced) return;
    this.#announced = id;
    this.#options.emit({ type: "session", sessionId: id });
  }

  #delta(data: Json): void {
    const text = str(data.deltaContent);
    if (text === "") return;
    this.#pending += text;
    this.#streamed.add(str(data.messageId));
    this.#options.emit({ type: "text", text });
  }

  #message(data: Json): void {
    this.sawTurn = true;
    const content = str(data.content);
    const reasoning = str(data.reasoningText);
    if (reasoning !== "" && reasoning !== this.#reasoned) {
      this.#options.emit({ type: "thinking", text: reasoning });
    }
    this.#reasoned = reasoning;
    // Without deltas the message itself is the text (spec 06 §6.2, weakness).
    const streamed = this.#streamed.has(str(data.messageId)) || this.#pending !== "";
    if (content !== "" && !streamed) this.#options.emit({ type: "text", text: content });
    this.#final = content;
    this.#pending = "";
    this.#model = str(data.model) || this.#model;
    const outputTokens = tokenCount(data.outputTokens);
    if (outputTokens > 0) this.#messages.add(this.#model, { ...NO_USAGE, outputTokens });
    for (const entry of list(data.toolRequests)) {
      const request = obj(entry);
      this.#toolUse(str(request.toolCallId), str(request.name), request.arguments);
    }
  }

  /** 1.0.102 says the same thought up to three times: as deltas, in the message, and as a whole afterwards. */
  #reasoning(data: Json): void {
    const whole = str(data.content);
    const text = whole || str(data.deltaContent);
    if (text === "" || whole !== "" && whole === this.#reasoned) return;
    const id = str(data.reasoningId);
    if (whole !== "" && id !== "" && this.#streamed.has(`r:${id}`)) return;
    if (whole === "") {
      this.#streamed.add(`r:${id}`);
      this.#reasoned += text;
    } else this.#reasoned = whole;
    this.#options.emit({ type: "thinking", text });
  }

  #toolUse(callId: string, tool: string, input: unknown): void {
    if (callId !== "" && this.#tools.has(callId)) return;
    if (callId !== "") this.#tools.add(callId);
    this.#options.emit({ type: "tool_use", tool, callId, ...(isObject(input) ? { input } : {}) });
  }

  #toolResult(data: Json): void {
    this.#model = str(data.model) || this.#model;
    const content = str(obj(data.result).content);
    const failure = `Error: ${str(obj(data.error).message) || content}`;
    const bad = data.success === false;
    const output = bad && failure === "Error: " ? "" : bad ? failure : content;
    this.#options.emit({ type: "tool_result", callId: str(data.toolCallId), output });
  }

  #usage(data: Json): void {
    const named = str(data.model);
    const model = named === "" || named === "unknown" ? this.#model : named;
    this.#events.add(model, exclusive(data));
  }
}

function shutdownUsage(metrics: Json): UsageByModel {
  const byModel: Record<string, TokenUsage> = {};
  for (const [model, entry] of Object.entries(metrics)) {
    const usage = exclusive(obj(obj(entry).usage));
    if (hasTokens(usage)) byModel[model] = usage;
  }
  return byModel;
}

/** Copilot's input count contains both cache buckets. */
function exclusive(source: Json): TokenUsage {
  const cacheReadTokens = tokenCount(source.cacheReadTokens);
  const cacheWriteTokens = tokenCount(source.cacheWriteTokens);
  return {
    inputTokens: Math.max(0, tokenCount(source.inputTokens) - cacheReadTokens - cacheWriteTokens),
    outputTokens: tokenCount(source.outputTokens),
    cacheReadTokens,
    cacheWriteTokens,
  };
}
