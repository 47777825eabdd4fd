/** Files the host writes into a work directory, remembered so that exactly they are taken out again (spec 04 §6, 20.3). */
import { dirname, join } from "node:path";
import * as z from "zod";
import { errorText, getLog, HostError, type WorkFiles } from "../core/mod.ts";
import { type BriefRecord, removeBriefBlock } from "./brief_file.ts";

const log = getLog("workdir", "sidecars");

/** A file to be written, `path` below the work directory. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  /** Default 0o644. */
  readonly mode?: number;
  /** When something is there: leave it, fail, or refresh it if `isOurs` says so and fail otherwise. */
  readonly onExisting: "keep" | "refuse" | ((text: string) => boolean);
}

/** What was made. Absolute paths, directories parents first. The last two fields are ours alone. */
export interface Manifest {
  readonly files: readonly string[];
  readonly dirs: readonly string[];
  readonly brief?: BriefRecord | undefined;
  /** Only for a user's own directory: where the files are. */
  readonly localDirectory?: string | undefined;
}

const paths = z.array(z.string()).optional();
const manifestSchema = z.object({
  files: paths,
  dirs: paths,
  brief: z.object({ path: z.string(), preexisted: z.boolean().optional() }).optional(),
  local_directory: z.string().optional(),
});

/** A file of ours would shadow one that is there. */
export class SidecarExists extends HostError {
  constructor(path: string) {
    super(`Cannot write "${path}": something is there already`, {
      code: "sidecar_exists",
      hint: "remove it if no other run uses it",
      facts: { path },
    });
  }
}

/** Where a manifest is kept. */
export interface ManifestPlace {
  readonly files: WorkFiles;
  readonly path: string;
  /** Written before the first file and synced: a user's own directory must be cleaned also after a crash. */
  readonly durable: boolean;
}

/** Owner of what one run wrote into one work directory. */
export class Sidecars {
  readonly #files = new Set<string>();
  readonly #dirs: string[] = [];
  #brief: BriefRecord | undefined;
  #undone = false;

  constructor(private readonly work: WorkFiles, private readonly place: ManifestPlace) {}

  /** What was made so far. */
  get manifest(): Manifest {
    return {
      files: [...this.#files],
      dirs: [...this.#dirs],
      brief: this.#brief,
      localDirectory: this.place.durable ? this.work.root : undefined,
    };
  }

  /** Files written by this run. */
  has(path: string): boolean {
    return this.#files.has(join(this.work.root, path));
  }

  /**
   * Writes the planned files. `empty` = the work directory was made a moment ago.
   * @throws {SidecarExists} and whatever the file system says; call {@link Sidecars.undo} then
   */
  async write(planned: readonly PlannedFile[], empty: boolean): Promise<void> {
    const dirs = await this.#missingDirs(planned, empty);
    if (this.place.durable) await this.#announce(planned, dirs);
    if (!this.place.durable) this.#dirs.push(...dirs);
    await this.#makeDirs(dirs);
    const files = planned.map((file) => this.#writeOne(file));
    if (empty && !this.place.durable) return await allOrThrow([...files, this.#saveAll(planned)]);
    await allOrThrow(files);
    await this.save();
  }

  /** Remembers the brief; its own file is written by the caller. */
  async noteBrief(record: BriefRecord): Promise<void> {
    this.#brief = { path: record.path, preexisted: this.#brief?.preexisted ?? record.preexisted };
    if (this.place.durable) await this.save();
  }

  /** Saves the manifest. Fatal in a user's own directory, elsewhere a warning. */
  async save(): Promise<void> {
    try {
      const { files, path, durable } = this.place;
      await files.writeAtomic(path, serialise(this.manifest), { durable });
    } catch (error) {
      if (this.place.durable) throw error;
      log.warn("manifest not saved", { path: this.place.path, error: errorText(error) });
    }
  }

  /** Takes everything out again. Idempotent. @throws the first trouble, after all was tried */
  async undo(): Promise<void> {
    if (this.#undone) return;
    this.#undone = true;
    await takeOut(this.work, this.manifest);
    await this.place.files.remove(this.place.path);
  }

  /** Level by level: parents first. */
  async #makeDirs(dirs: readonly string[]): Promise<void> {
    for (let rest = [...dirs]; rest.length > 0;) {
      const level = rest.filter((dir) => !rest.includes(dirname(dir)));
      await allOrThrow(level.map((dir) => this.work.mkdir(dir)));
      rest = rest.filter((dir) => !level.includes(dir));
    }
  }

  /** In a directory made a moment ago everything planned will be there: the record need not wait for it. */
  async #saveAll(planned: readonly PlannedFile[]): Promise<void> {
    const files = planned.map(({ path }) => join(this.work.root, path));
    const text = serialise({ ...this.manifest, files });
    try {
      if (!await this.place.files.create(this.place.path, text)) await this.save();
    } catch (error) {
      log.warn("manifest not saved", { path: this.place.path, error: errorText(error) });
    }
  }

  async #missingDirs(planned: readonly PlannedFile[], empty: boolean): Promise<string[]> {
    const wanted = new Set<string>();
    for (const { path } of planned) {
      for (let dir = dirname(path); dir !== "."; dir = dirname(dir)) wanted.add(dir);
    }
    const missing = new Set<string>();
    for (const dir of [...wanted].sort((a, b) => depth(a) - depth(b))) {
      const absolute = join(this.work.root, dir);
      const isNew = empty || missing.has(dirname(absolute)) || await this.work.lstat(absolute) === undefined;
      if (isNew) missing.add(absolute);
    }
    return [...missing];
  }

  /** Says what will be made before it is made. */
  async #announce(planned: readonly PlannedFile[], dirs: readonly string[]): Promise<void> {
    const absolute = planned.map(({ path }) => join(this.work.root, path));
    const there = await Promise.all(absolute.map((path) => this.work.lstat(path)));
    absolute.forEach((path, index) => there[index] === undefined && this.#files.add(path));
    this.#dirs.push(...dirs);
    await this.save();
  }

  async #writeOne({ path, text, mode, onExisting }: PlannedFile): Promise<void> {
    const absolute = join(this.work.root, path);
    if (await this.work.create(absolute, text, mode)) {
      this.#files.add(absolute);
      return;
    }
    this.#files.delete(absolute);
    if (onExisting === "keep") return;
    const existing = onExisting === "refuse" ? undefined : await this.work.read(absolute);
    if (existing === undefined || onExisting === "refuse" || !onExisting(existing)) {
      throw new SidecarExists(absolute);
    }
    await this.work.writeAtomic(absolute, text, { durable: false, ...(mode === undefined ? {} : { mode }) });
    this.#files.add(absolute);
  }
}

/** Reads a manifest; undefined when there is none. @throws {HostError} when it cannot be read */
export async function readManifest(files: WorkFiles, path: string): Promise<Manifest | undefined> {
  const text = await files.read(path);
  if (text === undefined) return undefined;
  try {
    const raw = manifestSchema.parse(JSON.parse(text));
    return {
      files: raw.files ?? [],
      dirs: raw.dirs ?? [],
      ...(raw.brief === undefined
        ? {}
        : { brief: { path: raw.brief.path, preexisted: raw.brief.preexisted } }),
      ...(raw.local_directory === undefined ? {} : { localDirectory: raw.local_directory }),
    };
  } catch (error) {
    throw new HostError(`Cannot read the manifest "${path}": ${errorText(error)}`, {
      code: "manifest_unreadable",
      cause: error,
      facts: { path },
    });
  }
}

/** Deletes what a manifest names: brief first, then files, then directories that are empty. All is tried. */
export async function takeOut(work: WorkFiles, manifest: Manifest): Promise<void> {
  const troubles: unknown[] = [];
  const attempt = (job: () => Promise<unknown>) =>
    job().catch((error: unknown) => {
      troubles.push(error);
      log.warn("not cleaned", { root: work.root, error: errorText(error) });
    });
  const { brief } = manifest;
  if (brief !== undefined) await attempt(() => removeBriefBlock(work, brief));
  await Promise.all(manifest.files.map((path) => attempt(() => work.remove(path))));
  for (const dir of [...manifest.dirs].reverse()) await attempt(() => removeIfEmpty(work, dir));
  if (troubles.length > 0) throw troubles[0];
}

/** On reuse: whole skill directories of ours, with what an agent dropped into them (spec 04 §6.4). */
export async function reclaimSkills(work: WorkFiles, manifest: Manifest, skillParent: string): Promise<void> {
  const parent = join(work.root, skillParent);
  const ours = manifest.dirs.filter((dir) => dirname(dir) === parent);
  await Promise.all(ours.map((dir) => work.remove(dir, { recursive: true })));
}

async function removeIfEmpty(work: WorkFiles, dir: string): Promise<void> {
  try {
    await work.remove(dir);
  } catch (error) {
    let entries: Awaited<ReturnType<WorkFiles["list"]>>;
    try {
      entries = await work.list(dir);
    } catch {
      throw error; // it cannot be listed either: the first trouble is the one to report
    }
    if (entries !== undefined && entries.length > 0) return;
    throw error;
  }
}

function serialise({ files, dirs, brief, localDirectory }: Manifest): string {
  return JSON.stringify({
    ...(files.length === 0 ? {} : { files }),
    ...(dirs.length === 0 ? {} : { dirs }),
    ...(brief === undefined ? {} : { brief }),
    ...(localDirectory === undefined ? {} : { local_directory: localDirectory }),
  });
}

/** Waits for all, then throws the first trouble: nothing is still being written when the caller undoes it. */
async function allOrThrow(jobs: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(jobs)).find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function depth(path: string): number {
  return path.split(/[/\\]/).length;
}
