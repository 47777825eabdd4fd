/** What the room needs of the rest of the host, as plain values and small functions. */
import type { ClaimedTask, ControlApi, Skill } from "../control/mod.ts";
import type { Clock, FileOpsCall, FilePrimitives } from "../core/mod.ts";
import type { ProviderFiles } from "./layout.ts";

/** Settings of the host. */
export interface WorkdirSettings {
  readonly workspacesRoot: string;
  readonly daemonId: string;
  readonly profile: string;
  readonly home: string;
  /** The host's private temporary base: short, in the engine's rights, removed at the host's next start. */
  readonly tempBase: string;
  /** As `Deno.build.os`. */
  readonly os: string;
  readonly serverUrl: string;
  readonly healthPort: number;
  /** Directory of the agents' `multica`, "" for none. */
  readonly shimDir: string;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  /** Provider → the host's own arguments for it. */
  readonly agentArgs: Readonly<Record<string, readonly string[]>>;
}

/** Everything a {@link import("./workdirs.ts").Workdirs} is made of. */
export interface WorkdirDeps {
  readonly settings: WorkdirSettings;
  readonly clock: Clock;
  /** How directories are touched in which no agent has been yet; everywhere else it is the thread pool. */
  readonly io: FilePrimitives;
  readonly control: Pick<ControlApi, "resolveSkills">;
  /** From the catalog of providers; undefined for one it does not know. */
  readonly providerFiles: (provider: string) => ProviderFiles | undefined;
  /** Makes a symbolic link; the engine asks the supervisor. */
  readonly link: (path: string, target: string) => Promise<void>;
  /** Opens a user's directory after the host's policy has looked at it; the engine asks the supervisor. */
  readonly openLocal: (
    path: string,
  ) => Promise<
    { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string }
  >;
  /** File operations in an opened directory. */
  readonly localOps: FileOpsCall;
  /** Keeps the other hosts of this machine out of an opened directory. Absent: there are none. */
  readonly machineLock?: MachineLock;
}

/** Claims on directories among all hosts of this machine; the engine asks the supervisor. */
export interface MachineLock {
  /** Claims, or asks again; `holder` is the task of another host that stands before this one. */
  readonly take: (path: string, taskId: string) => Promise<{ held: boolean; holder: string }>;
  readonly release: (path: string, taskId: string) => Promise<void>;
}

/** A user's own directory in which a task works in place. */
export interface LocalDirectory {
  /** Absolute, links resolved: key of the lock, and the work directory. */
  readonly path: string;
  /** What users may see of it in the wait reason (spec 04 §20.12). */
  readonly label: string;
}

/** What a task's directory is prepared from. */
export interface PrepareInput {
  readonly task: ClaimedTask;
  readonly target: { readonly provider: string; readonly prefixArgs: readonly string[] };
  readonly skills: readonly Skill[];
  readonly local: LocalDirectory | undefined;
  readonly signal: AbortSignal;
}

/** How a turn stands to earlier ones: what brief and prompt may claim. */
export interface TurnFacts {
  /** The run resumes the earlier session. */
  readonly resumed: boolean;
  /** An earlier session was asked for and is lost: the agent is told, once. */
  readonly sessionLost: boolean;
  /** The slot's number, for what is shared between slots. */
  readonly slot: number;
}

/** How a task's directory is left. */
export interface CloseFacts {
  readonly outcome: "completed" | "failed" | "interrupted";
  /** A transcript or report still waits to be delivered. */
  readonly undelivered: boolean;
}
