/** Drives a CLI that speaks Claude's stream-json (spec 06 §3; dialects: claude, codebuddy, qwen). */
import { getLog, wireText } from "../core/mod.ts";
import { type ChildEnd, type ChildProtocol, type ChildRun, startChild } from "./child_run.ts";
import { logLaunch } from "./child_launch.ts";
import type { AgentResult, AgentRun, Driver, RunPorts, RunRequest } from "./contract.ts";
import { isObject, type Json, obj, parseLine, str } from "./stream_json.ts";
import { type McpFile, writeMcpFile } from "./stream_json_mcp.ts";
import { StreamState } from "./stream_json_state.ts";
import { streamVerdict } from "./stream_json_verdict.ts";
import { parseUsageWindow } from "./usage_window.ts";

const log = getLog("agents");

/** Where the CLIs that speak this protocol differ. */
export interface StreamJsonDialect {
  /** Time between TERM and KILL, ms. */
  readonly graceMs: number;
  /** What stdin carries: messages, the prompt first and answers to permission requests later, or the prompt's text to EOF. */
  readonly stdin: "messages" | "text";
  /** The whole argument vector. `mcpPath` is "" without a managed set. */
  readonly args: (request: RunRequest, mcpPath: string) => string[];
  /** Refuses a launch that cannot work. @throws {LaunchError} */
  readonly preflight?: (request: RunRequest, args: readonly string[]) => void;
  /** The child's environment, when it is more than the request's. */
  readonly env?: (request: RunRequest) => Readonly<Record<string, string>>;
  /** The innermost `response` object of a control response. */
  readonly allow: (input: Json) => Json;
  /** Terminal reasons that are failures, with what they mean. */
  readonly terminalReasons: Readonly<Record<string, string>>;
  /** What a launch into the background is called, "" when it is allowed. */
  readonly asyncLaunchError: string;
}

/** A driver for one dialect. */
export function streamJsonDriver(dialect: StreamJsonDialect): Driver {
  return { start: (request, ports) => startStreamJson(dialect, request, ports) };
}

async function startStreamJson(
  dialect: StreamJsonDialect,
  request: RunRequest,
  ports: RunPorts,
): Promise<AgentRun> {
  const mcp = request.mcpConfig === undefined
    ? undefined
    : await writeMcpFile(request.mcpConfig, request.tempDir);
  try {
    const args = dialect.args(request, mcp?.path ?? "");
    dialect.preflight?.(request, args);
    logLaunch(request, args);
    const env = dialect.env?.(request);
    const child = startChild({
      name: request.provider,
      request,
      ports,
      args,
      stdin: "piped",
      graceMs: dialect.graceMs,
      ...(env === undefined ? {} : { env }),
    }, (run) => new StreamJsonProtocol(dialect, request, ports, run, mcp));
    if (dialect.stdin === "messages") child.send(promptLine(request.prompt));
    else {
      child.send(wireText(request.prompt));
      child.stdin.close();
    }
    return child.run;
  } catch (error) {
    await mcp?.remove();
    throw error;
  }
}

/** The one line that carries the prompt; stdin stays open for control responses (spec 06 §3.2). */
export function promptLine(prompt: string): string {
  const content = [{ type: "text", text: wireText(prompt) }];
  return JSON.stringify({ type: "user", message: { role: "user", content } }) + "\n";
}

class StreamJsonProtocol implements ChildProtocol {
  readonly #state: StreamState;

  constructor(
    private readonly dialect: StreamJsonDialect,
    private readonly request: RunRequest,
    private readonly ports: RunPorts,
    private readonly run: ChildRun,
    private readonly mcp: McpFile | undefined,
  ) {
    this.#state = new StreamState((event) => run.emit(event), request.model);
  }

  line(line: string): void {
    const event = parseLine(line);
    const { counts } = this.#state;
    counts.events++;
    if (event === undefined) {
      counts.invalid++;
      return;
    }
    if (event.type === "control_request") return this.#answer(event);
    this.#state.take(event);
    if (event.type === "result") this.#decide();
  }

  cutLine(head: string): void {
    this.#state.counts.invalid++;
    // Too long to read, but it was the last word: the CLI now waits for the end of its stdin.
    if (mayBeResult(head)) this.run.terminal();
  }

  conclude(end: ChildEnd): AgentResult {
    this.#summary(end);
    return this.#result(end);
  }

  async cleanup(): Promise<void> {
    await this.mcp?.remove();
  }

  /** A success is told at once; an error waits for the exit, because the last words belong to it (spec 06 §2.6). */
  #decide(): void {
    const { outcome } = this.#state;
    const sound = outcome !== undefined && !outcome.isError &&
      this.dialect.terminalReasons[outcome.terminalReason] === undefined;
    if (sound && this.run.stopCause === undefined) {
      this.#summary(undefined);
      this.run.decide(this.#result(undefined));
    } else this.run.terminal();
  }

  #answer(event: Json): void {
    this.run.emit({ type: "activity" });
    if (!isObject(event.request)) return;
    const input = obj(event.request.input);
    const response = {
      subtype: "success",
      request_id: event.request_id,
      response: this.dialect.allow(input),
    };
    log.debug("agent asked for permission", {
      provider: this.request.provider,
      tool: str(event.request.tool_name),
    });
    this.run.send(JSON.stringify({ type: "control_response", response }) + "\n");
  }

  #result(end: ChildEnd | undefined): AgentResult {
    const state = this.#state;
    const verdict = streamVerdict({
      name: this.request.provider,
      outcome: state.outcome,
      end,
      stopCause: this.run.stopCause,
      timeoutMs: this.request.timeoutMs,
      guard: state.asyncLaunched ? this.dialect.asyncLaunchError : "",
      lastText: state.lastText,
      requestedSession: this.request.resumeSessionId,
      statedSession: state.sessionId,
      terminalReasons: this.dialect.terminalReasons,
    });
    const window = verdict.error === "" ? undefined : this.#usageWindow(verdict.error);
    return {
      ...verdict,
      usage: state.usage(),
      durationMs: end?.durationMs ?? this.run.durationMs,
      costUsdTicks: Math.round((state.outcome?.costUsd ?? 0) * 1e10),
      ...(window === undefined ? {} : { usageWindow: window }),
    };
  }

  #usageWindow(error: string): AgentResult["usageWindow"] {
    return parseUsageWindow(error, this.ports.clock.now(), Intl.DateTimeFormat().resolvedOptions().timeZone);
  }

  /** Counts only, no content (N-10). */
  #summary(end: ChildEnd | undefined): void {
    const { counts, outcome, lastText } = this.#state;
    const unhandled = [...counts.unhandledTypes];
    log.info("agent protocol summary", {
      provider: this.request.provider,
      cli_version: this.request.cliVersion,
      model: this.request.model,
      exit_code: end?.exit?.code,
      event_count: counts.events,
      invalid_event_count: counts.invalid,
      assistant_event_count: counts.assistant,
      tool_use_count: counts.toolUses,
      saw_result: outcome !== undefined,
      result_is_error: outcome?.isError ?? false,
      result_bytes: outcome?.text.length ?? 0,
      last_assistant_bytes: lastText.length,
      scanner_error: end !== undefined && end.readError !== "",
      last_event_type: counts.lastType,
      unhandled_event_type_count: unhandled.length,
      unhandled_event_types: unhandled.map(([type]) => type.slice(0, 40)),
      unhandled_subtype_count: counts.unhandledSubtypes,
      unreadable_assistant_count: counts.unreadableAssistant,
      anthropic_base_url_configured: (this.request.env.ANTHROPIC_BASE_URL ?? "") !== "",
    });
  }
}

/** Whether the beginning of a line looks like a `result` event; real ones name their type late. */
function mayBeResult(head: string): boolean {
  const type = /^\s*\{\s*"type"\s*:\s*"(\w+)"/.exec(head)?.[1];
  return type === "result" || type === undefined && /"terminal_reason"|"type"\s*:\s*"result"/.test(head);
}
