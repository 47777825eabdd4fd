/** What a task's run needs of the rooms around it, as small interfaces. */
import type { Driver } from "../agents/mod.ts";
import type { ClaimedTask, ControlApi, Skill } from "../control/mod.ts";
import type { Child, Clock, LaunchSpec, ProcessControl, Random } from "../core/mod.ts";
import type { CloseFacts, LocalDirectory, TurnFacts } from "../workdir/mod.ts";
import type { LaunchTarget } from "../runtimes/mod.ts";
import type { Journal } from "./journal.ts";
import type { Outbox } from "./outbox.ts";

export type { CloseFacts, LocalDirectory, TurnFacts };

/** What a task's directory is prepared from. */
export interface PrepareInput {
  readonly task: ClaimedTask;
  readonly target: LaunchTarget;
  /** Resolved skills; they replace any inline ones. */
  readonly skills: readonly Skill[];
  readonly local: LocalDirectory | undefined;
  readonly signal: AbortSignal;
}

/** A prepared directory, held for this task. */
export interface TaskEnvironment {
  /** "" for a local directory without env root. */
  readonly root: string;
  readonly workDir: string;
  /** Private temporary directory, writable by host and agent. */
  readonly tempDir: string;
  /** `workDir` is the very directory of the earlier session (spec 04 §20.1, session gate). */
  readonly isPriorWorkDir: boolean;
  /** Variables of the provider's home and the like (spec 04 §17.2, §20.4–20.5). They win over the agent's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Managed MCP configuration for the CLI; undefined = inherit the user's own servers. */
  readonly mcpConfig: Readonly<Record<string, unknown>> | undefined;
  /** Settings the host owns and the CLI is given; "" or absent for none. */
  readonly settingsFile?: string;
  /** Whether the CLI's own record of a session is there. */
  sessionFile(sessionId: string): Promise<"present" | "missing" | "unknown">;
  /** Writes the brief and gives its text. Failure is a warning of the port's own (""). */
  brief(facts: TurnFacts): Promise<string>;
  prompt(facts: TurnFacts): string;
  /** Told to the agent by a driver that finds out itself that the session is lost. */
  readonly continuityNotice: string;
  /** Takes what the host wrote out of a local directory again. Idempotent, called when no agent runs any more. */
  cleanup(): Promise<void>;
  /** Writes the bookkeeping, gives the directory free. Idempotent. */
  close(facts: CloseFacts): Promise<void>;
}

/** The work directory's side (`lib/workdir`). Errors are `HostError`s; `code` becomes the failure reason where it is one. */
export interface WorkdirPort {
  /** Keeps the collector away from the task's directories until the returned function is called. */
  reserve(task: ClaimedTask): () => void;
  /** The user's directory of this task. @throws HostError with code `local_directory_error` */
  localDirectory(task: ClaimedTask, signal: AbortSignal): Promise<LocalDirectory | undefined>;
  /** Takes the directory's lock, first in, first out; `onBusy` hears the holder once, before the wait. */
  lock(
    directory: LocalDirectory,
    taskId: string,
    options: { readonly signal: AbortSignal; readonly onBusy: (holderTaskId: string) => void },
  ): Promise<() => void>;
  /** Skills of the task from the cache or the server. @throws HostError with code `skill_bundle_unavailable` */
  skills(task: ClaimedTask, signal: AbortSignal): Promise<readonly Skill[]>;
  prepare(input: PrepareInput): Promise<TaskEnvironment>;
}

/** A taken slot (`lib/engine`). */
export interface TaskSlot {
  readonly index: number;
  release(): void;
  lend(): void;
  reclaim(signal: AbortSignal): Promise<void>;
}

/** Settings of the host a run reads. Durations in ms. */
export interface TaskSettings {
  readonly serverUrl: string;
  readonly healthPort: number;
  /** Bearer of the host itself as it started: only to be masked. */
  readonly token: string;
  readonly home: string;
  /** Directory of the agents' `multica` command. */
  readonly shimDir: string;
  readonly workspacesRoot: string;
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly agentArgs: Readonly<Record<string, readonly string[]>>;
  readonly agentModels: Readonly<Record<string, string>>;
  readonly agentTimeoutMs: number;
  readonly codexSemanticInactivityMs: number;
  readonly codexHandshakeMs: number;
  /** 0 = derived (spec 06 §10.5). */
  readonly codexFirstTurnMs: number;
  readonly idleWatchdogMs: number;
  readonly toolWatchdogMs: number;
  /** Provider → narrower idle window. */
  readonly providerIdleMs: Readonly<Record<string, number>>;
}

/** Everything a {@link import("./runner.ts").TaskRunner} is made of. */
export interface TaskDeps {
  readonly control: ControlApi;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly launch: (spec: LaunchSpec) => Child;
  readonly processes: ProcessControl;
  readonly driverFor: (provider: string) => Promise<Driver>;
  readonly workdir: WorkdirPort;
  readonly settings: TaskSettings;
  /** Hears that a task's phase or sentence is another one. */
  readonly onPhase?: () => void;
  /** The brief goes into the prompt of this provider (spec 05 §3). */
  readonly inlinesBrief: (provider: string) => boolean;
  /** The thinking level as the local catalog allows it, "" to drop it (spec 08 §7.5). Default: passed through. */
  readonly thinkingLevel?: (
    facts: {
      readonly provider: string;
      readonly executable: string;
      readonly prefixArgs: readonly string[];
      readonly model: string;
      readonly level: string;
    },
    signal: AbortSignal,
  ) => Promise<string>;
}
