/** The one launcher of child processes, and what may be done to the trees they grow into. */
import { HostError } from "./errors.ts";

/** A launch as a value: built, logged and compared before anything runs. */
export interface LaunchSpec {
  /** Absolute path, exactly as the engine's rights list it. */
  readonly executable: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default "null". */
  readonly stdin?: "piped" | "null";
  /** The child leads a session and process group of its own. Default true. */
  readonly detached?: boolean;
}

/** How a child ended. */
export interface ExitStatus {
  readonly code: number;
  /** Signal name, `SIGKILL`, … when a signal ended it. */
  readonly signal: string | null;
}

/** A running child. Its pipes must be read or cancelled. */
export interface Child {
  readonly pid: number;
  /** Only with `stdin: "piped"`. */
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly status: Promise<ExitStatus>;
}

/** A launch that never became a process. The text keeps the form other code matches (spec 06 §1.7). */
export class LaunchError extends HostError {}

/** Starts a child. @throws {LaunchError} when the executable is missing, not allowed or not startable. */
export function launch(spec: LaunchSpec): Child {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(spec.executable, {
      args: [...spec.args],
      env: { ...spec.env },
      clearEnv: true,
      detached: spec.detached ?? true,
      stdin: spec.stdin ?? "null",
      stdout: "piped",
      stderr: "piped",
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    }).spawn();
  } catch (error) {
    throw asLaunchError(spec, error);
  }
  return {
    pid: child.pid,
    stdin: spec.stdin === "piped" ? child.stdin : undefined,
    stdout: child.stdout,
    stderr: child.stderr,
    status: child.status.then((status) => ({ code: status.code, signal: status.signal })),
  };
}

function asLaunchError(spec: LaunchSpec, error: unknown): LaunchError {
  const facts = { executable: spec.executable, cwd: spec.cwd };
  if (error instanceof Deno.errors.NotFound) {
    return new LaunchError(`executable not found at "${spec.executable}"`, {
      code: "executable_not_found",
      cause: error,
      facts,
    });
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new LaunchError(`executable not allowed: "${spec.executable}" is not in this host's rights`, {
      code: "executable_not_allowed",
      hint: `multica-host allow ${spec.executable}`,
      cause: error,
      facts,
    });
  }
  return new LaunchError(
    `cannot start "${spec.executable}": ${error instanceof Error ? error.message : error}`,
    {
      code: "launch_failed",
      cause: error,
      facts,
    },
  );
}

/** The text the failure classifier knows (spec 06 §1.7): `exit status 3`, `signal: killed`; "" for a clean exit. */
export function exitText(status: ExitStatus): string {
  if (status.signal !== null) return `signal: ${SIGNAL_WORDS[status.signal] ?? status.signal.toLowerCase()}`;
  return status.code === 0 ? "" : `exit status ${status.code}`;
}

const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
  SIGSEGV: "segmentation fault",
  SIGABRT: "aborted",
  SIGPIPE: "broken pipe",
};

/** A child's whole tree: its process group, and whatever carries the marker in its environment. */
export interface ProcessGroup {
  /** Group id = pid of the leader. */
  readonly pid: number;
  /** `NAME=value` as it stands in the environment of the leader and of all it started. Unique to the run. */
  readonly marker: string;
}

/** How a tree is ended. */
export interface EndOptions {
  /** Time between TERM and KILL, ms. 0 kills at once. */
  readonly graceMs: number;
  /** Time to see the tree empty after KILL, ms. Default 5000. */
  readonly proofMs?: number;
}

/** What ending a tree took. */
export interface EndReport {
  /** True when nothing of the tree runs any more. */
  readonly empty: boolean;
  /** Pids that had to be signalled although the leader was gone (escaped or left over). */
  readonly leftovers: readonly number[];
  readonly killed: boolean;
}

/**
 * Power over process trees. The supervisor holds it (signals need unscoped rights); the engine asks for it
 * through the broker; tests use the direct one.
 */
export interface ProcessControl {
  /** Registers a group right after its launch, so that it ends when the engine does. */
  started(group: ProcessGroup): void;
  /**
   * Makes sure nothing of the tree runs: if something does, TERM, `graceMs`, KILL, proof (spec 06 §11.5).
   * A tree that is already empty returns at once. The group is forgotten when the report says `empty`.
   */
  end(group: ProcessGroup, options: EndOptions): Promise<EndReport>;
  /** True when the process group itself (not escaped members) has no process left. Cheap. */
  groupEmpty(group: ProcessGroup): Promise<boolean>;
  /** CPU time used so far by the whole tree, ms, or undefined where the platform cannot say (watchdog veto). */
  cpuTime(group: ProcessGroup): Promise<number | undefined>;
}

/** Variable with the bash function that finds `multica`, and the one that carries its text through a start program. */
export const SHELL_FUNCTION = "BASH_FUNC_multica%%";
export const FUNCTION_VARIABLE = "MULTICA_LAUNCH_FUNCTION";
/** File beside the agents' `multica` that a bash reads after its profile, and the variable with the user's own such file. */
export const BASH_ENV_FILE = "bash_env";
export const OWN_BASH_ENV = "MULTICA_OWN_BASH_ENV";
