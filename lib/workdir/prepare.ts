/** Makes a task's directory ready: the earlier one again where that is safe, else a fresh one (spec 04 §3, 4, 20.1–20.5). */
import {
  brokeredFiles,
  errorText,
  type FreshFiles,
  getLog,
  HostError,
  makeFresh,
  openFiles,
  type WorkFiles,
} from "../core/mod.ts";
import type { ActiveRoots } from "./active_roots.ts";
import { contextFiles } from "./context_files.ts";
import { type EnvClaims, EnvRootTaken, ownRoot, writeOwner } from "./env_claim.ts";
import { gcMeta } from "./gc_meta.ts";
import { type EnvPaths, envPaths, predictEnvRoot } from "./layout.ts";
import { takeOutRecorded } from "./local_leftovers.ts";
import type { PrepareInput, WorkdirDeps } from "./ports.ts";
import { PreparedEnvironment, removeTemp } from "./prepared.ts";
import { managedEnv, type RootMarker } from "./provenance.ts";
import { providerHome, skillParent } from "./provider_home.ts";
import { tryReuse } from "./reuse.ts";
import { readManifest, reclaimSkills, Sidecars, takeOut } from "./sidecars.ts";

const log = getLog("workdir", "prepare");

/** What a preparation shares with all others. */
export interface PreparePorts {
  readonly deps: WorkdirDeps;
  /** Below the workspaces root. */
  readonly root: WorkFiles;
  readonly claims: EnvClaims;
  readonly active: ActiveRoots;
  readonly marker: RootMarker;
}

/** An env root in the hands of this preparation. */
interface HeldRoot {
  readonly paths: EnvPaths;
  readonly files: WorkFiles;
  readonly release: () => void;
  readonly reused: boolean;
  /** `files` again, when the root was made a moment ago. */
  readonly made?: FreshFiles;
}

/**
 * Prepares the directory. Whatever fails, nothing of ours stays in a user's directory and the root is given back.
 * @throws {HostError} with the text `prepare execution environment: …`
 */
export async function prepareEnvironment(
  input: PrepareInput,
  ports: PreparePorts,
): Promise<PreparedEnvironment> {
  const { signal } = input;
  signal.throwIfAborted();
  try {
    if (input.local === undefined) {
      const again = await reuse(input, ports);
      if (again !== undefined) return again;
    }
    return await fresh(input, ports);
  } catch (error) {
    signal.throwIfAborted();
    throw asPrepareError(error);
  }
}

function asPrepareError(error: unknown): HostError {
  const text = `prepare execution environment: ${errorText(error)}`;
  if (!(error instanceof HostError)) return new HostError(text, { code: "prepare_failed", cause: error });
  const { code, hint, facts } = error;
  return new HostError(text, { code, facts, cause: error, ...(hint === undefined ? {} : { hint }) });
}

/** The earlier directory, undefined when it may not be used or cannot be refreshed. */
async function reuse(input: PrepareInput, ports: PreparePorts): Promise<PreparedEnvironment | undefined> {
  const { task } = input;
  if (task.prior_work_dir === "") return undefined;
  const found = await tryReuse(task, ports.root, {
    claims: ports.claims,
    clock: ports.deps.clock,
    signal: input.signal,
  });
  if (!found.ok) {
    log.info("earlier directory not used", { task: task.id, reason: found.reason });
    return undefined;
  }
  const { paths, files, release } = found;
  try {
    await ports.active.settled(paths.root);
    await forgetEarlier(input, ports.deps, paths, files);
    return await furnish(input, ports, { paths, files, release, reused: true });
  } catch (error) {
    release();
    input.signal.throwIfAborted();
    log.warn("earlier directory not refreshed, a fresh one is made", {
      task: task.id,
      error: errorText(error),
    });
    return undefined;
  }
}

/** Rolls the earlier run's files back. A manifest that cannot be read is a warning: what stands stays. */
async function forgetEarlier(
  input: PrepareInput,
  deps: WorkdirDeps,
  paths: EnvPaths,
  files: WorkFiles,
): Promise<void> {
  try {
    const manifest = await readManifest(files, paths.manifest);
    if (manifest === undefined) return;
    const work = await openFiles(paths.workDir);
    const parent = skillParent(input.target.provider, deps);
    if (parent !== "") await reclaimSkills(work, manifest, parent);
    await takeOut(work, { files: manifest.files, dirs: manifest.dirs });
  } catch (error) {
    log.warn("files of the earlier run not rolled back", { task: input.task.id, error: errorText(error) });
  }
}

async function fresh(input: PrepareInput, ports: PreparePorts): Promise<PreparedEnvironment> {
  const { task } = input;
  const root = predictEnvRoot(ports.root.root, task.workspace_id, task.id);
  if (root === "") {
    throw new HostError("a task directory needs a workspaces root, a workspace and a task", {
      code: "prepare_failed",
    });
  }
  const release = ports.claims.take(root);
  if (release === undefined) throw new EnvRootTaken(root, "another run is at work in it");
  try {
    await ports.active.settled(root);
    const paths = envPaths(root);
    const made = await makeFresh(ports.root, root, ports.deps.io);
    if (made !== undefined) {
      return await furnish(input, ports, { paths, files: made, made, release, reused: false });
    }
    const files = await openFiles(root);
    await ownRootKeepingRecord(files, paths, task.id, ports.deps);
    if (input.local === undefined) await files.mkdir(paths.workDir);
    return await furnish(input, ports, { paths, files, release, reused: false });
  } catch (error) {
    release();
    throw error;
  }
}

/** A rerun of a task whose host died: what it left in a user's directory goes before the record of it does. */
async function ownRootKeepingRecord(
  files: WorkFiles,
  paths: EnvPaths,
  taskId: string,
  deps: WorkdirDeps,
): Promise<void> {
  if ((await files.read(paths.owner) ?? "").trim() === taskId) await takeOutOfLocal(files, paths, deps);
  await ownRoot(files, paths, taskId);
}

async function takeOutOfLocal(files: WorkFiles, paths: EnvPaths, deps: WorkdirDeps): Promise<void> {
  try {
    await takeOutRecorded(files, paths.manifest, deps);
  } catch (error) {
    log.warn("files of a killed run not taken out", { root: paths.root, error: errorText(error) });
  }
}

/** Everything inside the root, fresh or reused alike. */
async function furnish(
  input: PrepareInput,
  ports: PreparePorts,
  held: HeldRoot,
): Promise<PreparedEnvironment> {
  const { deps } = ports;
  const { paths, files, release, reused } = held;
  const workDir = input.local?.path ?? paths.workDir;
  const [tempDir, workFiles] = await Promise.all([
    deps.io.makeTempDir({ dir: deps.settings.tempBase, prefix: "multica-task-" }),
    openWork(input, deps, held),
  ]);
  const place = { files, path: paths.manifest, durable: input.local !== undefined };
  const sidecars = new Sidecars(workFiles, place);
  const common = commonVariables(tempDir, paths);
  try {
    const empty = !reused && input.local === undefined;
    const job = { input, deps, paths, env: files, work: workFiles, workDir, common, empty };
    const [provider] = await settleAll([
      providerHome(job),
      keepBooks(input, held),
      ports.marker.ensure(),
    ]);
    await sidecars.write([...contextFiles(input.task), ...provider.files], empty);
    input.signal.throwIfAborted();
    return new PreparedEnvironment({
      input,
      deps,
      paths,
      envFiles: files,
      workFiles,
      workDir,
      tempDir,
      sidecars,
      provider,
      common,
      reused,
      release,
      share: () => held.made?.share(),
    });
  } catch (error) {
    await undo(sidecars, tempDir, input);
    throw error;
  }
}

async function openWork(
  input: PrepareInput,
  deps: WorkdirDeps,
  { paths, made }: HeldRoot,
): Promise<WorkFiles> {
  if (input.local !== undefined) return brokeredFiles(input.local.path, deps.localOps);
  if (made === undefined) return await openFiles(paths.workDir);
  await made.mkdir(paths.workDir);
  return made.below(paths.workDir);
}

/** Waits for all three, so that nothing is still being written when one of them has failed. */
async function settleAll<A, B, C>(
  jobs: readonly [Promise<A>, Promise<B>, Promise<C>],
): Promise<readonly [A, B, C]> {
  await Promise.allSettled(jobs);
  return await Promise.all(jobs);
}

async function undo(sidecars: Sidecars, tempDir: string, { task }: PrepareInput): Promise<void> {
  for (const job of [() => sidecars.undo(), () => removeTemp(tempDir)]) {
    await job().catch((error: unknown) =>
      log.warn("failed preparation not undone", { task: task.id, error: errorText(error) })
    );
  }
}

function commonVariables(tempDir: string, paths: EnvPaths): Readonly<Record<string, string>> {
  return { TMPDIR: tempDir, TMP: tempDir, TEMP: tempDir, MULTICA_TASK_CONFIG_ROOT: paths.config };
}

/** Records beside the work directory: provenance, the collector's, the agent's own configuration directory. */
async function keepBooks(input: PrepareInput, { files, made, paths, reused }: HeldRoot): Promise<void> {
  const { task, local } = input;
  const meta = gcMeta({ task, localDirectory: local !== undefined, completedAt: undefined });
  const managed = local === undefined && !reused ? managedEnv(task) : undefined;
  const write = async (path: string, text: string | undefined) => {
    if (text === undefined || made !== undefined && await made.create(path, text)) return;
    await files.writeAtomic(path, text, { durable: false });
  };
  const jobs = [
    ...(made === undefined ? [] : [writeOwner(made, paths, task.id)]),
    files.mkdir(paths.output),
    files.mkdir(paths.logs),
    files.mkdir(paths.config, 0o700),
    write(paths.gcMeta, meta),
    write(paths.managed, managed),
  ];
  await Promise.allSettled(jobs);
  await Promise.all(jobs);
}
