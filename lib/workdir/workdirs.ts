/** The room's face to a task's run: directories, locks, skills, preparation. */
import type { ClaimedTask, Skill } from "../control/mod.ts";
import { errorText, getLog, openFiles, sleep } from "../core/mod.ts";
import { ActiveRoots } from "./active_roots.ts";
import { EnvClaims } from "./env_claim.ts";
import { envRootOf, predictEnvRoot } from "./layout.ts";
import { localAssignment, LocalDirectoryError } from "./local_directory.ts";
import { PathLocks } from "./path_lock.ts";
import { taskKind } from "./phrasing.ts";
import type { LocalDirectory, PrepareInput, WorkdirDeps } from "./ports.ts";
import { prepareEnvironment, type PreparePorts } from "./prepare.ts";
import type { PreparedEnvironment } from "./prepared.ts";
import { RootMarker } from "./provenance.ts";
import { SkillBundles } from "./skill_bundles.ts";
import { SkillCache } from "./skill_cache.ts";

const log = getLog("workdir", "local");

/** Pause between looks at a directory another host of this machine works in, ms. */
const ASK_AGAIN_MS = 1_000;

/** Owner of everything that lies below the workspaces root. Fits the tasks room's `WorkdirPort`. */
export class Workdirs {
  /** Env roots in use; the collector deletes through it. */
  readonly active: ActiveRoots;
  readonly #locks = new PathLocks();
  /** Directories of chat tasks: used without a lock (spec 04 §20.12). */
  readonly #unlocked = new WeakSet<LocalDirectory>();
  readonly #bundles: SkillBundles;

  private constructor(private readonly deps: WorkdirDeps, private readonly ports: PreparePorts) {
    const { control, clock } = deps;
    this.active = ports.active;
    this.#bundles = new SkillBundles({ control, clock, cache: new SkillCache(ports.root) });
  }

  /** Opens the workspaces root, which is made if it is missing. @throws {HostError} when it cannot be used */
  static async open(deps: WorkdirDeps): Promise<Workdirs> {
    await Deno.mkdir(deps.settings.workspacesRoot, { recursive: true });
    const root = await openFiles(deps.settings.workspacesRoot, deps.io);
    const ports: PreparePorts = {
      deps,
      root,
      claims: new EnvClaims(),
      active: new ActiveRoots(),
      marker: new RootMarker(root),
    };
    return new Workdirs(deps, ports);
  }

  /** Keeps the collector away from the directories a task may use, until the returned function is called. */
  reserve(task: ClaimedTask): () => void {
    const { settings } = this.deps;
    const own = predictEnvRoot(this.ports.root.root, task.workspace_id, task.id);
    const configured = predictEnvRoot(settings.workspacesRoot, task.workspace_id, task.id);
    const roots = new Set([own, configured, envRootOf(task.prior_work_dir)]);
    const releases = [...roots].map((root) => this.ports.active.mark(root));
    return () => releases.forEach((release) => release());
  }

  /** The user's directory of a task, checked by the host's policy. @throws {LocalDirectoryError} */
  async localDirectory(task: ClaimedTask, signal: AbortSignal): Promise<LocalDirectory | undefined> {
    const assigned = localAssignment(task, this.deps.settings.daemonId);
    if (assigned === undefined) return undefined;
    const opened = await this.deps.openLocal(assigned.path);
    signal.throwIfAborted();
    if (!opened.ok) throw new LocalDirectoryError(opened.reason, { path: assigned.path });
    const directory = { path: opened.path, label: assigned.label };
    if (taskKind(task) === "chat") this.#unlocked.add(directory);
    return directory;
  }

  /** Takes the directory and all above and below it, from tasks of this host and of others; chat tasks share it. */
  async lock(
    directory: LocalDirectory,
    taskId: string,
    options: { readonly signal: AbortSignal; readonly onBusy: (holderTaskId: string) => void },
  ): Promise<() => void> {
    if (this.#unlocked.has(directory)) return () => {};
    let told = false;
    const onBusy = (holder: string) => {
      if (!told) options.onBusy(holder);
      told = true;
    };
    const { path } = directory;
    const release = await this.#locks.acquire(path, taskId, { signal: options.signal, onBusy });
    try {
      return await this.#lockMachine(path, taskId, { signal: options.signal, onBusy }, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #lockMachine(
    path: string,
    taskId: string,
    { signal, onBusy }: { readonly signal: AbortSignal; readonly onBusy: (holder: string) => void },
    release: () => void,
  ): Promise<() => void> {
    const { machineLock, clock } = this.deps;
    if (machineLock === undefined) return release;
    const giveBack = () => {
      machineLock.release(path, taskId).catch((error: unknown) => {
        log.warn("directory not given back to other hosts", { task: taskId, error: errorText(error) });
      }).finally(release);
    };
    try {
      for (;;) {
        const { held, holder } = await machineLock.take(path, taskId);
        signal.throwIfAborted();
        if (held) return giveBack;
        onBusy(holder);
        await sleep(clock, ASK_AGAIN_MS, signal);
      }
    } catch (error) {
      await machineLock.release(path, taskId).catch(() => {}); // the first error is the one to tell
      throw error;
    }
  }

  /** A task's skills: resolved references, else those the claim carries. @throws {SkillUnavailable} */
  async skills(task: ClaimedTask, signal: AbortSignal): Promise<readonly Skill[]> {
    const refs = task.agent?.skill_refs ?? [];
    return refs.length === 0 ? task.agent?.skills ?? [] : await this.#bundles.resolve(task, signal);
  }

  /** Makes the directory ready. A local one is looked at again: it may have been waited for. */
  async prepare(input: PrepareInput): Promise<PreparedEnvironment> {
    if (input.local !== undefined) {
      const opened = await this.deps.openLocal(input.local.path);
      if (!opened.ok) throw new LocalDirectoryError(opened.reason, { path: input.local.path });
    }
    return await prepareEnvironment(input, this.ports);
  }
}
