/**
 * What supervisor and engine say to each other over the Worker's message port: the typed broker.
 * Values are structured-cloned; nothing here is a class.
 */
import type { WindowsLaunch } from "../agents/mod.ts";
import type { CheckoutAnswer, CheckoutRequest } from "../api/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import type { EndOptions, EndReport, Failure, FileAnswer, FileOp, ProcessGroup } from "../core/mod.ts";
import type { DiscoveredAgent } from "../runtimes/finding/mod.ts";

/** Why a command may be added to the engine's executables (decisions: server-named executables). */
export interface ExecutableRequest {
  /** Command name or absolute path as named by the runtime profile. */
  readonly command: string;
  readonly profileId: string;
  /** Probe `--version` with these arguments before it. */
  readonly prefixArgs: readonly string[];
}

export interface ExecutableAnswer {
  readonly allowed: boolean;
  /** Absolute path to launch, "" when refused. */
  readonly path: string;
  /** Version line, "" when unknown. */
  readonly version: string;
  /** Shown to the user when refused. */
  readonly reason: string;
  /** False while the path is allowed but not yet in the running engine's rights: it will be after a reload. */
  readonly effective: boolean;
}

/** Requests of the engine, by name: argument and answer. */
export interface BrokerCalls {
  "process.end": { arg: { group: ProcessGroup; options: EndOptions }; answer: EndReport };
  "process.groupEmpty": { arg: ProcessGroup; answer: boolean };
  "process.cpuTime": { arg: ProcessGroup; answer: number | undefined };
  /** Creates a symbolic link below one of the engine's roots; both ends are checked. */
  "link": { arg: { path: string; target: string }; answer: void };
  "executable.add": { arg: ExecutableRequest; answer: ExecutableAnswer };
  /** Runs discovery again; new or vanished agents come back. */
  "agents.discover": { arg: Record<never, never>; answer: readonly DiscoveredAgent[] };
  /**
   * Looks whether an agent's program is still where it was. One that vanished is looked for again, and where start
   * programs are used, this path's starts what was found. Version of what will be started, or what is wrong.
   */
  "agent.present": { arg: { path: string }; answer: { version: string } | { problem: string } };
  /** Opens one local directory to this engine's `local` calls, after policy. `path` is the real path. */
  "local.open": { arg: { path: string }; answer: { ok: true; path: string } | { ok: false; reason: string } };
  /** Claims an opened directory against the other hosts of this machine, or asks again; `holder` is a task. */
  "local.lock": { arg: { path: string; task: string }; answer: { held: boolean; holder: string } };
  "local.unlock": { arg: { path: string; task: string }; answer: void };
  /** File operations below an opened local directory, outside the engine's rights; every path is checked. */
  "local": { arg: { root: string; ops: readonly FileOp[] }; answer: readonly FileAnswer[] };
}

export type BrokerName = keyof BrokerCalls;

/** Engine → supervisor. */
export type FromEngine =
  | { readonly t: "call"; readonly id: number; readonly name: BrokerName; readonly arg: unknown }
  | { readonly t: "group"; readonly group: ProcessGroup }
  | { readonly t: "pong"; readonly id: number; readonly lagMs: number }
  /** Health as the engine sees it; the supervisor serves it should the engine hang. */
  | { readonly t: "health"; readonly health: unknown }
  | { readonly t: "log"; readonly records: readonly PostedRecord[] }
  | { readonly t: "state"; readonly state: EngineState; readonly detail: string }
  /** Claims are paused and nothing runs: the engine can be replaced by one with the new rights. */
  | { readonly t: "reload" }
  /** The engine wants the host to shut down (its half of an update or restart). */
  | { readonly t: "shutdown" }
  /** The answer to a `checkout` of the local API. */
  | { readonly t: "checkout"; readonly id: number; readonly answer: CheckoutAnswer }
  | { readonly t: "stopped"; readonly exitCode: number; readonly error?: EngineFailure }
  /** An uncaught error: the thread stands still until it is ended. */
  | { readonly t: "fault"; readonly reason: string };

/** Supervisor → engine. */
export type ToEngine =
  /** First of all: what a faulted thread waits on, so that its agents, which end with it, are asked to end before. */
  | { readonly t: "fuse"; readonly cell: Int32Array }
  | { readonly t: "start"; readonly boot: EngineBoot }
  | { readonly t: "answer"; readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly t: "answer"; readonly id: number; readonly ok: false; readonly error: EngineFailure }
  /** `at`: wall-clock ms of sending, so that the answer can say how late the engine's loop was. */
  | { readonly t: "ping"; readonly id: number; readonly at: number }
  /** Discovery has news: versions known by now, programs that came or went. Paths outside `executables` need a reload. */
  | { readonly t: "agents"; readonly agents: readonly DiscoveredAgent[] }
  /** An agent asks the local API for a checkout; `checkout.abort` when it has gone. */
  | { readonly t: "checkout"; readonly id: number; readonly request: CheckoutRequest }
  | { readonly t: "checkout.abort"; readonly id: number }
  | { readonly t: "drain"; readonly timeoutMs: number }
  | { readonly t: "force" }
  | { readonly t: "token"; readonly token: string };

/** An error as it crosses threads. */
export type EngineFailure = Failure;

/** A log record of the engine, ready for the supervisor's sinks. */
export interface PostedRecord {
  readonly category: readonly string[];
  readonly level: "trace" | "debug" | "info" | "warning" | "error" | "fatal";
  /** Wall-clock ms. */
  readonly timestamp: number;
  readonly message: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export type EngineState = "starting" | "running" | "stopping" | "stopped";

/** What an engine starts with. */
export interface EngineBoot {
  readonly config: HostConfig;
  readonly agents: readonly DiscoveredAgent[];
  /** Allowed absolute executables, exactly as in the engine's rights. */
  readonly executables: readonly string[];
  /** Restarts of the engine before this one. */
  readonly restarts: number;
  /** Private temporary base, in the engine's rights. */
  readonly tempBase: string;
  /** Workspaces root and temporary base lie on this machine: their small operations need no thread pool. */
  readonly localFiles: boolean;
  /** Executable → start program that gives it a session of its own; empty where the system forks well enough. */
  readonly launchers: Readonly<Record<string, string>>;
  /** Executable → what is started instead, on Windows for batch shims; else empty. */
  readonly shims: Readonly<Record<string, WindowsLaunch>>;
}
