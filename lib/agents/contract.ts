/**
 * The contract between a task's run and whatever drives an agent CLI (spec 06 §1). A driver turns one
 * {@link RunRequest} into a stream of events and exactly one result; it knows nothing of servers or journals.
 */
import type { Child, Clock, EndReport, LaunchSpec, ProcessControl, Random } from "../core/mod.ts";

/** What an agent does, in the order it said so. */
export type AgentEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | {
    readonly type: "tool_use";
    readonly tool: string;
    /** Provider's call id; "" when it gave none. */
    readonly callId: string;
    readonly input?: Readonly<Record<string, unknown>>;
  }
  | { readonly type: "tool_result"; readonly callId: string; readonly tool?: string; readonly output: string }
  | { readonly type: "error"; readonly text: string }
  /** The provider's session id, as soon as it is known and resumable. */
  | { readonly type: "session"; readonly sessionId: string }
  | { readonly type: "log"; readonly level: string; readonly text: string }
  /** A sign of life without a row. */
  | { readonly type: "activity" }
  /** Output that could not be kept: declared in the transcript, never silent. */
  | { readonly type: "gap"; readonly what: string; readonly bytes: number };

/** Token counts of one model; the four buckets are mutually exclusive (spec 06 §1.4). */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

/** Usage by model name. */
export type UsageByModel = Readonly<Record<string, TokenUsage>>;

/** One run of one agent CLI. Everything is resolved; nothing is looked up inside the driver. */
export interface RunRequest {
  /** Provider key, e.g. `claude`. */
  readonly provider: string;
  /** Absolute path of the CLI. */
  readonly executable: string;
  /** Fixed arguments of a custom runtime profile; they come first (spec 06 §11.3). */
  readonly prefixArgs: readonly string[];
  /** Host-wide default arguments (`MULTICA_<X>_ARGS`). */
  readonly extraArgs: readonly string[];
  /** The agent's own arguments. */
  readonly customArgs: readonly string[];
  readonly cwd: string;
  /** Complete environment of the child, filtered and merged (spec 04 §17, 06 §2.2). */
  readonly env: Readonly<Record<string, string>>;
  readonly prompt: string;
  /** "" lets the CLI choose. */
  readonly model: string;
  /** "" for none. Only some providers get the brief inline (spec 05 §3). */
  readonly systemPrompt: string;
  readonly threadName: string;
  /** "" starts fresh. */
  readonly resumeSessionId: string;
  /** Told to the agent when a resume was asked for and a fresh session came of it; "" for nothing. */
  readonly continuityNotice: string;
  /** undefined = inherit the user's own servers; any object = exactly these (spec 06 §11.7). */
  readonly mcpConfig: Readonly<Record<string, unknown>> | undefined;
  /** Settings the host owns, over the agent's own (Claude); "" or absent for none. */
  readonly settingsFile?: string;
  /** "" emits nothing. */
  readonly thinkingLevel: string;
  /** "" emits nothing. */
  readonly serviceTier: string;
  /** Hard wall-clock limit, ms; 0 = none. */
  readonly timeoutMs: number;
  /** Codex semantic inactivity, ms (spec 06 §5.10). */
  readonly semanticInactivityMs: number;
  /** Codex start-up request limit, ms (spec 06 §11.5). */
  readonly handshakeMs: number;
  /** Codex: limit to the first sign of progress, ms; absent or not positive = derived (spec 06 §10.5). */
  readonly firstTurnMs?: number;
  /** Private temporary directory of the task, writable by host and agent. */
  readonly tempDir: string;
  /** Version line of the CLI, "" when unknown. */
  readonly cliVersion: string;
  /** `NAME=value` in `env` that marks every process of this run. */
  readonly marker: string;
}

/** What a driver may touch. */
export interface RunPorts {
  readonly launch: (spec: LaunchSpec) => Child;
  readonly processes: ProcessControl;
  readonly clock: Clock;
  readonly random: Random;
  /** Hears every event synchronously, in order; never throws. Returns a promise only to slow a reader down. */
  readonly emit: (event: AgentEvent) => void | Promise<void>;
  /** Ends the run: polite stop, TERM, grace, KILL. */
  readonly signal: AbortSignal;
}

/** How a run ended (spec 06 §1.5; the drain adds its own). */
export type RunStatus = "completed" | "failed" | "timeout" | "aborted";

/** When a provider's usage window opens again (decisions: closed usage windows). */
export interface UsageWindow {
  /** ISO 8601 instant, or "" when the text named none that can be resolved. */
  readonly resetsAt: string;
  /** The words it was read from. */
  readonly text: string;
}

/** The one result of a run. */
export interface AgentResult {
  readonly status: RunStatus;
  /** Final text for the user; "" unless completed, and legal then too. */
  readonly output: string;
  /** "" when completed. */
  readonly error: string;
  /** Resume pointer; "" = no usable session. */
  readonly sessionId: string;
  readonly usage: UsageByModel;
  readonly durationMs: number;
  /** Positive evidence that the requested session cannot be resumed (spec 06 §11.14). */
  readonly resumeRejected: boolean;
  /** Codex only: the session id was withheld because its rollout never appeared. */
  readonly sessionRolloutMissing?: boolean;
  readonly usageWindow?: UsageWindow;
  /** 1e-10 USD where the CLI states costs, else 0. */
  readonly costUsdTicks: number;
}

/** A run in progress. */
export interface AgentRun {
  /** The group leader and marker, for the watchdog's CPU veto. */
  readonly group: { readonly pid: number; readonly marker: string };
  /**
   * Settles once, as soon as the outcome is decided by the protocol (a result event, a completed turn), or at
   * exit when the protocol said nothing. Never rejects.
   */
  readonly result: Promise<AgentResult>;
  /** Settles after the result, when the whole tree is proven gone (or could not be ended: `empty` false). */
  readonly ended: Promise<EndReport>;
  /** Settles when the leader has exited and its group is empty, escaped members not looked for. Before `ended`. */
  readonly exited: Promise<void>;
}

/** Drives one protocol. @throws {LaunchError} from `start` when nothing was started. */
export interface Driver {
  start(request: RunRequest, ports: RunPorts): Promise<AgentRun>;
}
