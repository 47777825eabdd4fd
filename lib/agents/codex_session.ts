/** What a Codex thread tells: its turn, items, errors and usage, in either of its two dialects (spec 06 §5.9, §11.9). */
import { getLog, type Redactor } from "../core/mod.ts";
import { CodexItems } from "./codex_items.ts";
import { CodexUsage } from "./codex_usage.ts";
import type { AgentEvent } from "./contract.ts";
import { classifyText } from "./failures.ts";
import { isObject, type Json, obj, str } from "./stream_json.ts";

const log = getLog("agents", "codex");

/** How a turn ended. `settled` false: only hinted at; the turn's own last word may still refine it. */
export interface TurnEnd {
  readonly aborted: boolean;
  readonly settled: boolean;
}

/** What the session's owner hears. */
export interface CodexHooks {
  readonly emit: (event: AgentEvent) => void;
  /** Each sign of life, by the names of spec 06 §5.10. */
  readonly activity: (what: string) => void;
  readonly turnEnded: (end: TurnEnd) => void;
  readonly redactor?: Redactor;
}

/** Statuses of a turn that somebody stopped. */
const ABORTED = new Set(["cancelled", "canceled", "aborted", "interrupted"]);

/** Follows one thread. Fed with notifications in order. */
export class CodexSession {
  threadId = "";
  turnId = "";
  turnStarted = false;
  /** First error of the turn; later ones are ignored. */
  turnError = "";
  /** True once the thread was resumed rather than started. */
  resumed = false;
  readonly items: CodexItems;
  readonly usage = new CodexUsage(() => this.resumed);

  #dialect: "unknown" | "legacy" | "raw" = "unknown";
  #gateOpen = false;
  readonly #completedTurns = new Set<string>();

  constructor(private readonly hooks: CodexHooks) {
    this.items = new CodexItems((event) => this.#emit(event), hooks.redactor);
  }

  /** Right before `turn/start`: what came earlier was the replay of a resumed thread. */
  openGate(): void {
    this.#gateOpen = true;
  }

  /** Records an error of the turn; the first one wins. */
  fail(text: string): void {
    if (this.turnError === "" && text !== "") this.turnError = text;
  }

  /** Answer to give: the last final answer, else the last message (spec 06 §11.1). */
  get output(): string {
    return this.items.finalAnswer ?? this.items.lastMessage;
  }

  notification(method: string, rawParams: unknown): void {
    const params = obj(rawParams);
    if (this.#isForeign(params)) return;
    if (method === "codex/event" || method.startsWith("codex/event/")) {
      if (this.#dialect === "unknown") this.#dialect = "legacy";
      if (this.#dialect === "legacy" && this.#gateOpen) this.#legacy(obj(params.msg));
      return;
    }
    if (this.#dialect === "unknown" && isRaw(method)) this.#dialect = "raw";
    if (method === "thread/tokenUsage/updated") return this.#tokenUsage(params);
    if (this.#dialect === "raw" && this.#gateOpen) this.#raw(method, params);
  }

  #isForeign(params: Json): boolean {
    const thread = str(params.threadId);
    return thread !== "" && this.threadId !== "" && thread !== this.threadId;
  }

  /** Another turn than the one under way: a replay. */
  #isOtherTurn(turnId: string): boolean {
    return this.turnStarted && this.turnId !== "" && turnId !== "" && turnId !== this.turnId;
  }

  #raw(method: string, params: Json): void {
    if (method.startsWith("item/")) return this.#item(method, params);
    switch (method) {
      case "turn/started":
        this.#begin(str(obj(params.turn).id));
        break;
      case "turn/completed":
        this.#completed(obj(params.turn));
        break;
      case "error":
        this.#error(params);
        break;
      case "thread/status/changed":
        if (obj(params.status).type === "idle" && this.turnStarted) {
          this.hooks.turnEnded({ aborted: false, settled: false });
        }
        break;
      default:
        this.hooks.emit({ type: "activity" });
    }
  }

  #begin(turnId: string): void {
    this.turnStarted = true;
    this.turnId = turnId;
    this.hooks.activity("status:running");
  }

  #completed(turn: Json): void {
    const id = str(turn.id);
    if (this.#isOtherTurn(id) || id !== "" && this.#completedTurns.has(id)) return;
    this.#completedTurns.add(id);
    const status = str(turn.status);
    if (status === "failed") this.fail(errorWords(obj(turn.error)) || "codex turn failed");
    this.usage.turnObject(turn);
    this.hooks.activity("turn:completed");
    this.hooks.turnEnded({ aborted: ABORTED.has(status), settled: true });
  }

  #error(params: Json): void {
    const error = obj(params.error);
    const message = str(error.message) || str(params.message);
    if (message === "" || this.#isOtherTurn(str(params.turnId))) return;
    if (params.willRetry === true) {
      this.hooks.activity("error:retry");
      this.hooks.emit({ type: "activity" });
      return;
    }
    this.hooks.activity("error:terminal");
    this.fail(errorWords(isObject(params.error) ? error : { message }));
    this.hooks.turnEnded({ aborted: false, settled: true });
  }

  #item(method: string, params: Json): void {
    if (this.#isOtherTurn(str(params.turnId))) return;
    const item = obj(params.item);
    const id = str(item.id);
    this.hooks.activity(`${method}:${str(item.type) || "unknown"}${id === "" ? "" : `:${id}`}`);
    const itemId = str(params.itemId);
    const delta = str(params.delta);
    switch (method) {
      case "item/started":
        this.items.started(item);
        break;
      case "item/completed":
        this.items.completed(item);
        if (item.type === "agentMessage" && item.phase === "final_answer" && this.turnStarted) {
          this.hooks.turnEnded({ aborted: false, settled: false });
        }
        break;
      case "item/agentMessage/delta":
        this.items.messageDelta(itemId, delta);
        break;
      case "item/reasoning/summaryTextDelta":
        this.items.thinkingDelta(itemId, `s${params.summaryIndex}`, delta);
        break;
      case "item/reasoning/textDelta":
        this.items.thinkingDelta(itemId, `c${params.contentIndex}`, delta);
        break;
      default:
        this.hooks.emit({ type: "activity" });
    }
  }

  #tokenUsage(params: Json): void {
    const turn = str(params.turnId);
    const own = this.turnStarted && (turn === "" || turn === this.turnId);
    this.usage.threadTotals(params.tokenUsage, own);
    if (own) this.hooks.emit({ type: "activity" });
  }

  #legacy(message: Json): void {
    switch (message.type) {
      case "task_started":
        this.#begin(str(message.turn_id));
        break;
      case "agent_message":
        this.items.said(str(message.message), "");
        break;
      case "agent_reasoning":
        this.items.thinkingDelta(crypto.randomUUID(), "", str(message.text));
        break;
      case "exec_command_begin":
        this.items.legacyExec(message);
        break;
      case "exec_command_end":
        this.items.legacyExecEnd(message);
        break;
      case "patch_apply_begin":
        this.items.legacyPatch(message);
        break;
      case "patch_apply_end":
        this.items.legacyPatchEnd(message);
        break;
      case "task_complete":
        this.usage.turnObject(message);
        this.hooks.activity("turn:completed");
        this.hooks.turnEnded({ aborted: false, settled: true });
        break;
      case "turn_aborted":
        this.hooks.turnEnded({ aborted: true, settled: true });
        break;
      default:
        this.hooks.emit({ type: "activity" });
    }
  }

  #emit(event: AgentEvent): void {
    this.hooks.activity("tool" in event ? `${event.type.replace("_", "-")}:${event.tool}` : event.type);
    this.hooks.emit(event);
  }
}

function isRaw(method: string): boolean {
  return method === "turn/started" || method === "turn/completed" || method === "thread/started" ||
    method.startsWith("item/");
}

/** True when an activity shows that the turn is really being worked on (spec 06 §5.10, CX-9). */
export function isTurnProgress(activity: string): boolean {
  return activity !== "" && activity !== "status:running" && activity !== "error:retry";
}

/** Codex's own causes, in words every classifier knows. */
const CAUSES: Readonly<Record<string, string>> = {
  contextWindowExceeded: "context_length_exceeded",
  usageLimitExceeded: "usage limit",
  sessionBudgetExceeded: "usage limit",
  rateLimitExceeded: "rate limit",
  serverOverloaded: "overloaded",
  flexUnavailable: "no capacity available",
  policyCapacityUnavailable: "no capacity available",
  modelNotFound: "model not found",
  unauthorized: "unauthorized",
  internalServerError: "internal error",
  httpConnectionFailed: "unable to connect",
  responseStreamConnectionFailed: "unable to connect",
  responseStreamDisconnected: "stream disconnected",
  badRequest: "invalid_request_error",
};

/** The message of an error; with its structured cause when the words alone say nothing. */
function errorWords(error: Json): string {
  const message = str(error.message);
  const info = error.codexErrorInfo;
  const cause = typeof info === "string" ? info : Object.keys(obj(info))[0] ?? "";
  const words = Object.hasOwn(CAUSES, cause) ? CAUSES[cause]! : "";
  if (message === "" || words === "" || !classifyText(message).endsWith(".unknown")) return message;
  log.debug("codex error named by its cause", { cause });
  return `${message} (${words})`;
}
