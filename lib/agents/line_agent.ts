/** Drives CLIs that take one prompt and print one JSON object a line until they exit (copilot, cursor, opencode). */
import { formatDuration, getLog, wireText } from "../core/mod.ts";
import { type ChildEnd, type ChildProtocol, type ChildRun, startChild } from "./child_run.ts";
import { logLaunch } from "./child_launch.ts";
import type { AgentEvent, AgentResult, Driver, RunPorts, RunRequest, RunStatus } from "./contract.ts";
import { type Json, parseLine, str } from "./stream_json.ts";
import { parseUsageWindow } from "./usage_window.ts";

const log = getLog("agents");

/** What a dialect decides about a run; the rest of the result is the same for all. */
export type LineVerdict =
  & Pick<AgentResult, "status" | "output" | "error" | "sessionId" | "usage">
  & Partial<Pick<AgentResult, "resumeRejected" | "costUsdTicks">>;

/** A dialect's view of one run. */
export interface LineAgent {
  /** One event, in order. Returns false for a type it does not know. */
  take(event: Json): boolean;
  /** `end` is undefined when the stream's own last word decides. Called once. */
  verdict(end: ChildEnd | undefined): LineVerdict;
}

/** What a dialect may do to its run. */
export interface LineRun {
  readonly emit: (event: AgentEvent) => void;
  /** The stream has said its last word: decide now, and end the child. */
  readonly finish: () => void;
  /** True once the run is being stopped: what the CLI says of its end from then on is only its answer to that. */
  readonly stopped: () => boolean;
  readonly counts: LineCounts;
}

/** Counts of one run for the summary line; no content. */
export interface LineCounts {
  events: number;
  invalid: number;
  toolUses: number;
  lastType: string;
}

/** Where these CLIs differ. */
export interface LineDialect {
  /** Word for messages: `copilot`, `cursor-agent`. */
  readonly name: string;
  /** Time between TERM and KILL, ms. */
  readonly graceMs: number;
  readonly args: (request: RunRequest) => string[];
  /** False: the prompt is one of the arguments. */
  readonly promptOnStdin: (request: RunRequest) => boolean;
  readonly env?: (request: RunRequest) => Readonly<Record<string, string>>;
  /** Cleans a line before it is parsed. */
  readonly normalise?: (line: string) => string;
  readonly agent: (run: LineRun, request: RunRequest) => LineAgent;
}

/** A driver for one dialect. `start` throws {LaunchError} when nothing was launched. */
export function lineDriver(dialect: LineDialect): Driver {
  return {
    // deno-lint-ignore require-await -- a launch error must reject, not throw
    async start(request, ports) {
      const args = dialect.args(request);
      const env = dialect.env?.(request);
      const onStdin = dialect.promptOnStdin(request);
      logLaunch(request, args);
      const child = startChild({
        name: dialect.name,
        request,
        ports,
        args,
        stdin: onStdin ? "piped" : "null",
        graceMs: dialect.graceMs,
        ...(env === undefined ? {} : { env }),
      }, (run) => new LineProtocol(dialect, request, ports, run));
      if (onStdin) {
        child.send(wireText(request.prompt));
        child.stdin.close();
      }
      return child.run;
    },
  };
}

const MAX_UNHANDLED = 16;

class LineProtocol implements ChildProtocol {
  readonly #agent: LineAgent;
  readonly #counts: LineCounts = { events: 0, invalid: 0, toolUses: 0, lastType: "" };
  readonly #unhandled = new Map<string, number>();

  constructor(
    private readonly dialect: LineDialect,
    private readonly request: RunRequest,
    private readonly ports: RunPorts,
    private readonly run: ChildRun,
  ) {
    this.#agent = dialect.agent({
      emit: (event) => this.#emit(event),
      finish: () => this.#finish(),
      stopped: () => run.stopCause !== undefined,
      counts: this.#counts,
    }, request);
  }

  line(raw: string): void {
    const line = this.dialect.normalise?.(raw) ?? raw;
    if (line.trim() === "") return;
    this.#counts.events++;
    const event = parseLine(line);
    if (event === undefined) {
      this.#counts.invalid++;
      return;
    }
    this.#counts.lastType = str(event.type).slice(0, 64);
    if (!this.#agent.take(event)) this.#tally(str(event.type));
  }

  cutLine(): void {
    this.#counts.events++;
    this.#counts.invalid++;
  }

  conclude(end: ChildEnd): AgentResult {
    const verdict = this.#agent.verdict(end);
    this.#summary(end, verdict.status);
    return this.#complete(verdict, end.durationMs);
  }

  #finish(): void {
    if (this.run.stopCause !== undefined) return this.run.terminal();
    const verdict = this.#agent.verdict(undefined);
    this.#summary(undefined, verdict.status);
    this.run.decide(this.#complete(verdict, this.run.durationMs));
    this.run.stop("finished"); // such CLIs may leave a worker behind: nothing is waited for
  }

  #complete(verdict: LineVerdict, durationMs: number): AgentResult {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const window = verdict.error === ""
      ? undefined
      : parseUsageWindow(verdict.error, this.ports.clock.now(), zone);
    return {
      resumeRejected: false,
      costUsdTicks: 0,
      durationMs,
      ...verdict,
      ...(window === undefined ? {} : { usageWindow: window }),
    };
  }

  #emit(event: AgentEvent): void {
    if (event.type === "tool_use") this.#counts.toolUses++;
    this.run.emit(event);
  }

  /** Bounded and free of content (N-24). */
  #tally(type: string): void {
    const name = type === "" ? "unknown" : /^[A-Za-z0-9_.-]{1,64}$/.test(type) ? type : "invalid";
    const key = this.#unhandled.has(name) || this.#unhandled.size < MAX_UNHANDLED ? name : "(overflow)";
    this.#unhandled.set(key, (this.#unhandled.get(key) ?? 0) + 1);
    this.run.emit({ type: "activity" });
  }

  #summary(end: ChildEnd | undefined, status: RunStatus): void {
    log.info("agent protocol summary", {
      provider: this.request.provider,
      cli_version: this.request.cliVersion,
      model: this.request.model,
      status,
      exit_code: end?.exit?.code,
      event_count: this.#counts.events,
      invalid_event_count: this.#counts.invalid,
      tool_use_count: this.#counts.toolUses,
      last_event_type: this.#counts.lastType,
      unhandled_event_types: Object.fromEntries(this.#unhandled),
    });
  }
}

/** Deadline and cancel as every CLI of this family reports them; undefined when the run was not stopped. */
export function stopVerdict(
  name: string,
  stopCause: string | undefined,
  timeoutMs: number,
): { readonly status: RunStatus; readonly error: string } | undefined {
  if (stopCause === "timeout") {
    return { status: "timeout", error: `${name} timed out after ${formatDuration(timeoutMs)}` };
  }
  return stopCause === undefined ? undefined : { status: "aborted", error: "execution cancelled" };
}
