/** Writes the brief into the agent's instruction file and takes it out again (spec 05 §4). */
import { HostError, type WorkFiles } from "../core/mod.ts";
import { findBlock, withBlock, withoutBlock } from "./marker_block.ts";

/** Whether the file was there before; undefined = it carried a block already, so nobody knows. */
export interface BriefRecord {
  readonly path: string;
  readonly preexisted: boolean | undefined;
}

/** Writes the block in one step. @throws {HostError} when the file cannot be kept byte for byte */
export async function writeBriefFile(files: WorkFiles, path: string, brief: string): Promise<BriefRecord> {
  const existing = await readKept(files, path);
  const text = withBlock(existing, brief);
  const mode = existing === undefined ? 0o644 : (await files.lstat(path))?.mode ?? 0o644;
  if (existing === undefined) {
    if (await files.create(path, text)) return { path, preexisted: false };
    return await writeBriefFile(files, path, brief);
  }
  if (text !== existing) await files.writeAtomic(path, text, { mode, durable: false });
  return { path, preexisted: findBlock(existing) === undefined ? true : undefined };
}

/** Takes the block out; the file goes when it was ours alone. Nothing there is fine. */
export async function removeBriefBlock(files: WorkFiles, record: BriefRecord): Promise<void> {
  const existing = await readKept(files, record.path);
  if (existing === undefined) return;
  const rest = withoutBlock(existing, record.preexisted);
  if (rest === "unchanged") return;
  if (rest === undefined) {
    await files.remove(record.path);
    return;
  }
  const mode = (await files.lstat(record.path))?.mode ?? 0o644;
  await files.writeAtomic(record.path, rest, { mode, durable: false });
}

/** Text that is written back exactly as it was; anything else is left alone. */
async function readKept(files: WorkFiles, path: string): Promise<string | undefined> {
  const text = await files.read(path);
  if (text?.includes("\ufffd")) {
    throw new HostError(`Cannot write the brief into "${path}": the file is not plain UTF-8`, {
      code: "brief_file_encoding",
      hint: "convert the file to UTF-8",
      facts: { path },
    });
  }
  return text;
}
