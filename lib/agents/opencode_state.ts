/** What an OpenCode run says, step by step, and how it can end too early (spec 07 §5.2, §10.3). */
import type { AgentEvent, UsageByModel } from "./contract.ts";
import { classifyText } from "./failures.ts";
import { isObject, type Json, obj, str } from "./stream_json.ts";
import { tokenCount, UsageTally } from "./usage.ts";

interface Step {
  text: string;
  /** A tool this machine ran: its result must go back to the model in a further step. */
  ranTool: boolean;
  anyTool: boolean;
}

/** Follows one run. */
export class OpenCodeState {
  /** Last id the stream named, "" before. */
  sessionId = "";
  /** First error event; later normal events do not undo it. */
  error = "";
  finishedSteps = 0;
  costUsd = 0;

  readonly #usage = new UsageTally();
  readonly #seenTools = new Set<string>();
  readonly #texts: string[] = [];
  #step: Step | undefined;
  #lastStepText = "";
  /** Why the last finished step cannot have been the end, "" when it can. */
  #unfinished = "";

  constructor(private readonly emit: (event: AgentEvent) => void, private readonly model: string) {}

  /** One event. False for a type that is not known. */
  take(event: Json): boolean {
    const session = str(event.sessionID);
    if (session !== "" && session !== this.sessionId) {
      this.sessionId = session;
      this.emit({ type: "session", sessionId: session });
    }
    const part = obj(event.part);
    switch (event.type) {
      case "step_start":
        this.#step = { text: "", ranTool: false, anyTool: false };
        this.emit({ type: "activity" });
        return true;
      case "text":
        this.#text(str(part.text));
        return true;
      case "reasoning":
        if (str(part.text) !== "") this.emit({ type: "thinking", text: str(part.text) });
        return true;
      case "tool_use":
        this.#tool(part);
        return true;
      case "step_finish":
        this.#finish(part);
        return true;
      case "error":
        this.#failed(event.error);
        return true;
      default:
        return false;
    }
  }

  /** The last step's words, or all of them when it had none (spec 06 §11.1: narration is no answer). */
  get output(): string {
    return this.#lastStepText || this.#texts.join("\n\n");
  }

  get usage(): UsageByModel {
    return this.#usage.result;
  }

  /** Why a stream that ended without an error was cut short, "" when it was not. */
  get guard(): string {
    if (this.#step !== undefined) {
      return "opencode stream ended without a terminal signal (step still open at EOF)";
    }
    return this.#unfinished;
  }

  #current(): Step {
    return this.#step ??= { text: "", ranTool: false, anyTool: false };
  }

  #text(text: string): void {
    if (text === "") return;
    const step = this.#step;
    if (step !== undefined) step.text += text;
    this.#texts.push(text);
    this.#lastStepText = step?.text ?? this.#lastStepText + text;
    this.emit({ type: "text", text });
  }

  #tool(part: Json): void {
    const state = obj(part.state);
    const callId = str(part.callID);
    const tool = str(part.tool);
    const remote = obj(part.metadata).providerExecuted === true ||
      obj(state.metadata).providerExecuted === true;
    if (this.#step !== undefined) {
      this.#current().anyTool = true;
      this.#current().ranTool ||= !remote;
    }
    this.#lastStepText = "";
    if (callId === "" || !this.#seenTools.has(callId)) {
      if (callId !== "") this.#seenTools.add(callId);
      this.emit({ type: "tool_use", tool, callId, ...(isObject(state.input) ? { input: state.input } : {}) });
    }
    if (state.status === "completed") {
      this.emit({ type: "tool_result", callId, tool, output: words(state.output) });
    } else if (state.status === "error") {
      this.emit({ type: "tool_result", callId, tool, output: words(state.error) });
    }
  }

  #finish(part: Json): void {
    this.finishedSteps++;
    const tokens = obj(part.tokens);
    const cache = obj(tokens.cache);
    this.#usage.add(this.model || "unknown", {
      inputTokens: tokenCount(tokens.input),
      outputTokens: tokenCount(tokens.output),
      cacheReadTokens: tokenCount(cache.read),
      cacheWriteTokens: tokenCount(cache.write),
    });
    const cost = typeof part.cost === "number" && part.cost > 0 ? part.cost : 0;
    this.costUsd += cost;
    const step = this.#step;
    this.#step = undefined;
    const reason = str(part.reason);
    const continues = reason === "tool-calls" || reason !== "" && (step?.ranTool ?? false);
    const counted = [tokens.input, tokens.output, tokens.reasoning, tokens.total, cache.read, cache.write]
      .some((value) => tokenCount(value) > 0) || cost > 0;
    const empty = step !== undefined && step.text === "" && !step.anyTool && !counted;
    if (continues) {
      this.#unfinished =
        "opencode stream ended without a terminal signal (last step required a continuation that never started)";
    } else if (empty && reason !== "") {
      this.#unfinished =
        "opencode stream ended on an empty step (no text, no tool call, no reported usage) — " +
        "the provider produced nothing";
    } else this.#unfinished = "";
    this.emit({ type: "activity" });
  }

  #failed(value: unknown): void {
    const error = obj(value);
    const data = obj(error.data);
    const text = str(data.message) || str(error.name) || "unknown opencode error";
    const status = data.statusCode;
    const bare = typeof status === "number" && classifyText(text).endsWith(".unknown");
    const message = bare ? `${text} (HTTP ${status})` : text;
    this.error ||= message;
    this.emit({ type: "error", text: message });
  }
}

/** A tool's output: text as it is, nothing for null, else compact JSON. */
function words(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
