/** A prepared directory in the hands of one run: what its agent is told, and how it is left (spec 04 §16, 20.3). */
import { join, resolve } from "node:path";
import { errorText, getLog, type WorkFiles } from "../core/mod.ts";
import { renderBrief } from "./brief.ts";
import { writeBriefFile } from "./brief_file.ts";
import { gcMeta } from "./gc_meta.ts";
import type { EnvPaths } from "./layout.ts";
import { taskKind } from "./phrasing.ts";
import type { CloseFacts, PrepareInput, TurnFacts, WorkdirDeps } from "./ports.ts";
import { buildPrompt } from "./prompt.ts";
import { continuityNotice } from "./prompt_notes.ts";
import type { ProviderHome } from "./provider_home.ts";
import { type SessionRecord, sessionRecord } from "./session_files.ts";
import type { Sidecars } from "./sidecars.ts";

const log = getLog("workdir", "prepared");

/** Parts of a {@link PreparedEnvironment}. */
export interface PreparedParts {
  readonly input: PrepareInput;
  readonly deps: WorkdirDeps;
  readonly paths: EnvPaths;
  readonly envFiles: WorkFiles;
  readonly workFiles: WorkFiles;
  readonly workDir: string;
  readonly tempDir: string;
  readonly sidecars: Sidecars;
  readonly provider: ProviderHome;
  /** Variables every provider gets. */
  readonly common: Readonly<Record<string, string>>;
  readonly reused: boolean;
  readonly release: () => void;
  /** An agent gets to the files now. */
  readonly share: () => void;
}

/** Owner of a task's directory from preparation to the end of the run. */
export class PreparedEnvironment {
  readonly root: string;
  readonly workDir: string;
  readonly tempDir: string;
  /** The directory of the earlier run is used again. */
  readonly reused: boolean;
  readonly localDirectory: boolean;
  /** The session named by the claim belongs to this very directory (spec 04 §20.1, session gate). */
  readonly isPriorWorkDir: boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Undefined inherits the user's own servers. */
  readonly mcpConfig: Readonly<Record<string, unknown>> | undefined;
  /** Settings the host owns and the CLI is given, "" for none. */
  readonly settingsFile: string;
  readonly continuityNotice: string;
  /** Directories of the skills written for this run. */
  readonly skillsWritten: readonly string[];
  #cleaned: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(private readonly parts: PreparedParts) {
    const { input, paths, provider, common, workDir } = parts;
    const prior = input.task.prior_work_dir;
    this.root = paths.root;
    this.workDir = workDir;
    this.tempDir = parts.tempDir;
    this.reused = parts.reused;
    this.localDirectory = input.local !== undefined;
    this.isPriorWorkDir = parts.reused || this.localDirectory && prior !== "" && resolve(prior) === workDir;
    this.env = { ...common, ...provider.env };
    this.mcpConfig = provider.mcpConfig;
    this.settingsFile = provider.settingsFile;
    this.continuityNotice = continuityNotice(input.task);
    this.skillsWritten = provider.skills.written.map(({ slug }) => slug);
  }

  /** The session to resume as far as the directory decides, "" for none. */
  get resumeSessionId(): string {
    return this.isPriorWorkDir ? this.parts.input.task.prior_session_id : "";
  }

  /** A session was asked for and cannot be in this directory: the agent is told. */
  get resumeLost(): boolean {
    const { task } = this.parts.input;
    return task.prior_session_resume_unavailable || task.prior_session_id !== "" && !this.isPriorWorkDir;
  }

  /** Whether the CLI's own record of a session is there. */
  sessionFile(sessionId: string): Promise<SessionRecord> {
    const { input, deps } = this.parts;
    const { inheritedEnv, home } = deps.settings;
    return sessionRecord({
      provider: input.target.provider,
      workDir: this.workDir,
      home,
      env: { ...inheritedEnv, ...input.task.agent?.custom_env, ...this.env },
    }, sessionId);
  }

  /** Writes the brief, the last file before the agent starts, and returns its text; one that cannot be written is a warning. */
  async brief(_facts?: TurnFacts): Promise<string> {
    const text = await this.#writeBrief();
    this.parts.share();
    return text;
  }

  async #writeBrief(): Promise<string> {
    const { input, deps, provider, workFiles, sidecars } = this.parts;
    const { task, target } = input;
    const { os, shimDir } = deps.settings;
    const text = renderBrief({
      task,
      provider: target.provider,
      skills: provider.skills.listed.map(({ slug }) => slug),
      skillsDir: provider.skillsDir,
      multicaPath: shimDir === "" ? "" : join(shimDir, os === "windows" ? "multica.cmd" : "multica"),
      windows: os === "windows",
    });
    const name = deps.providerFiles(target.provider)?.briefFile ?? "";
    if (name === "") return text;
    try {
      await sidecars.noteBrief(await writeBriefFile(workFiles, join(this.workDir, name), text));
    } catch (error) {
      log.warn("brief not written into the work directory", {
        task: task.id,
        file: name,
        error: errorText(error),
      });
    }
    return text;
  }

  /** The message of a turn. */
  prompt({ resumed, sessionLost }: Pick<TurnFacts, "resumed" | "sessionLost">): string {
    const { input, deps } = this.parts;
    const { task } = input;
    const sharedDirectory = this.localDirectory && taskKind(task) === "chat";
    return buildPrompt({
      task,
      resumed,
      sessionLost,
      windows: deps.settings.os === "windows",
      sharedDirectory,
    });
  }

  /** Takes what the host wrote out of a user's directory again; a directory of ours keeps it. Idempotent. */
  cleanup(): Promise<void> {
    this.#cleaned ??= this.localDirectory ? this.parts.sidecars.undo() : Promise.resolve();
    return this.#cleaned;
  }

  /** Completes the bookkeeping, removes the temporary directory, gives the root free. Idempotent; never rejects. */
  close(_facts?: CloseFacts): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { input, deps, envFiles, paths, release } = this.parts;
    const meta = gcMeta({
      task: input.task,
      localDirectory: this.localDirectory,
      completedAt: deps.clock.now(),
    });
    const writing = meta === undefined
      ? Promise.resolve()
      : envFiles.writeAtomic(paths.gcMeta, meta, { durable: false });
    await Promise.all([
      writing.catch((error: unknown) => this.#warn("collector's record not written", error)),
      removeTemp(this.tempDir).catch((error: unknown) =>
        this.#warn("temporary directory not removed", error)
      ),
    ]);
    release();
  }

  #warn(what: string, error: unknown): void {
    log.warn(what, { task: this.parts.input.task.id, error: errorText(error) });
  }
}

/** Links inside are removed, not followed. */
export async function removeTemp(dir: string): Promise<void> {
  try {
    await Deno.remove(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
