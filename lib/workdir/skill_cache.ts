/** Skill bundles on disk, checked every time they are read (spec 04 §14.4, 14.5). */
import { dirname, join } from "node:path";
import {
  cacheSegment,
  isConsistentBundle,
  type Skill,
  skillManifest,
  type SkillRef,
  skillSchema,
} from "../control/mod.ts";
import type { WorkFiles } from "../core/mod.ts";

/** True when a bundle is the very one a reference names. */
export function matchesRef(bundle: Skill, ref: SkillRef): boolean {
  if (bundle.id !== ref.id || bundle.source !== ref.source || bundle.hash !== ref.hash) return false;
  if (bundle.files.length !== ref.file_count || !isConsistentBundle(bundle)) return false;
  return ref.size_bytes <= 0 || skillManifest(bundle).size_bytes === ref.size_bytes;
}

/** `<root>/.skill-cache/v1/<workspace>/<source>/<id>/<hash>/bundle.json`. */
export class SkillCache {
  constructor(private readonly files: WorkFiles) {}

  /** The bundle of a reference, undefined on a miss. What is torn or tampered with is deleted. */
  async load(workspaceId: string, ref: SkillRef): Promise<Skill | undefined> {
    const path = this.#path(workspaceId, ref);
    const text = await this.files.read(path);
    if (text === undefined) return undefined;
    const bundle = parse(text);
    if (bundle !== undefined && matchesRef(bundle, ref)) return bundle;
    await this.files.remove(path);
    return undefined;
  }

  /** Keeps a bundle under its own hash. */
  async store(workspaceId: string, bundle: Skill): Promise<void> {
    const path = this.#path(workspaceId, bundle);
    await this.files.mkdir(dirname(path));
    await this.files.writeAtomic(path, JSON.stringify(bundle), { durable: false });
  }

  #path(workspaceId: string, { source, id, hash }: Pick<Skill, "source" | "id" | "hash">): string {
    const parts = [workspaceId, source, id, hash].map(cacheSegment);
    return join(this.files.root, ".skill-cache", "v1", ...parts, "bundle.json");
  }
}

function parse(text: string): Skill | undefined {
  try {
    const parsed = skillSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // torn: the caller deletes it
  }
}
