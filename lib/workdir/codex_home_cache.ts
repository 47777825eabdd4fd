/** Codex's list of models, carried into a fresh task home so that the first start need not fetch it (spec 04 §20.6). */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { WorkFiles } from "../core/mod.ts";
import { readHomeFile } from "./provider_homes_files.ts";

const CACHE = "models_cache.json";
const STAMP = ".models_cache_config.sha256";

/** What the cache is seeded from. */
export interface ModelCacheInput {
  readonly files: WorkFiles;
  /** `<env>/codex-home`. */
  readonly codexHome: string;
  /** The user's own Codex home. */
  readonly shared: string;
  /** The user's own `config.toml`, "" for none: another provider has other models. */
  readonly config: string;
  /** The task home was made a moment ago. */
  readonly isFresh: boolean;
}

/** Seeds a fresh home; in a used one drops the list when the configuration has changed since. */
export async function seedModelCache(input: ModelCacheInput): Promise<void> {
  const { files, codexHome, shared, config, isFresh } = input;
  const sum = createHash("sha256").update(config).digest("hex");
  const stamp = join(codexHome, STAMP);
  const cache = join(codexHome, CACHE);
  if (!isFresh) {
    const before = await files.read(stamp);
    if (before === undefined || before.trim() === sum) return;
    await files.remove(cache);
    return await files.writeAtomic(stamp, `${sum}\n`, { durable: false });
  }
  const text = await readHomeFile(join(shared, CACHE), []);
  if (text === undefined) return;
  await files.writeAtomic(cache, text, { mode: 0o600, durable: false });
  await files.writeAtomic(stamp, `${sum}\n`, { durable: false });
}
