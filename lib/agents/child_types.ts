/** What a driver and the shared child life tell each other. */
import type { ExitStatus } from "../core/mod.ts";
import type { AgentResult, RunPorts, RunRequest } from "./contract.ts";

/** Why a run was stopped before its terminal event. Drivers may add causes of their own (watchdogs). */
export type StopCause = "cancelled" | "timeout" | (string & Record<never, never>);

/** What is known when the child is gone. */
export interface ChildEnd {
  /** undefined when the leader could not be ended. */
  readonly exit: ExitStatus | undefined;
  readonly stopCause: StopCause | undefined;
  /** Trimmed last words, at most 2048 bytes. */
  readonly stderrTail: string;
  /** "" or why stdout could not be read to its end. */
  readonly readError: string;
  /** "" or why writing to stdin failed. */
  readonly stdinError: string;
  /** Bytes of over-long lines that were left out. */
  readonly cutBytes: number;
  readonly durationMs: number;
}

/** A driver's side of a {@link ChildRun}. All members are called from one thread, never at the same time. */
export interface ChildProtocol {
  /** One non-empty line of stdout, untrimmed. Must not throw; called once per line on the hot path. */
  line(line: string): void;
  /** A line beyond the limit: its kept beginning. It was already declared as a gap. */
  cutLine?(head: string, droppedBytes: number): void;
  /**
   * The agent's own way to stop. The tree is ended when the promise settles, or after `politeMs`. Called at most
   * once, and not after the terminal event.
   */
  stop?(cause: StopCause): void | Promise<void>;
  /** The leader has exited and its output is read, but nothing was decided: say how the run ended. Must not throw. */
  conclude(end: ChildEnd): AgentResult;
  /** Called once when the tree has been ended, for temporary files. Errors are logged. */
  cleanup?(): void | Promise<void>;
}

/** What a driver asks for. */
export interface ChildRunOptions {
  /** Word for messages, e.g. `claude` or `cursor-agent` (spec 06 §1.7). */
  readonly name: string;
  readonly request: RunRequest;
  readonly ports: RunPorts;
  /** The whole argument vector, prefix included. */
  readonly args: readonly string[];
  readonly stdin: "piped" | "null";
  /** Time between TERM and KILL, ms: Claude 5000, Codex 0. */
  readonly graceMs: number;
  /** Longest wait for {@link ChildProtocol.stop}, ms. Default 2000. */
  readonly politeMs?: number;
  /** Longest line kept whole, in bytes. Default 32 MiB. */
  readonly maxLineBytes?: number;
  /** Replaces `request.env`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default true: stderr may be kept in the log at debug level. */
  readonly logStderr?: boolean;
}

/** A failed result with nothing but its error. */
export function failedResult(error: string, durationMs: number): AgentResult {
  return {
    status: "failed",
    output: "",
    error,
    sessionId: "",
    usage: {},
    durationMs,
    resumeRejected: false,
    costUsdTicks: 0,
  };
}

/** `<error>; <label> stderr: <tail>` when both are there and the tail says something new (spec 06 §2.6). */
export function withStderr(error: string, label: string, tail: string): string {
  return error === "" || tail === "" || error.includes(tail) ? error : `${error}; ${label} stderr: ${tail}`;
}
