/** The end of a log file, and what comes after it, across rotations. */
import { type Clock, sleep } from "../core/mod.ts";

const BLOCK = 8192;

/** The last `lines` lines of a file as text, read backwards in blocks. @throws {Deno.errors.NotFound} */
export async function lastLines(path: string, lines: number): Promise<{ text: string; end: number }> {
  const file = await Deno.open(path);
  try {
    const end = (await file.stat()).size;
    const blocks: Uint8Array[] = [];
    let newlines = 0;
    for (let start = end; start > 0 && newlines <= lines;) {
      const from = Math.max(0, start - BLOCK);
      const block = await readRange(file, from, start);
      newlines += block.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
      blocks.unshift(block);
      start = from;
    }
    const all = await new Blob(blocks as BlobPart[]).text();
    const kept = all.split("\n").slice(-(lines + (all.endsWith("\n") ? 1 : 0)));
    return { text: lines === 0 ? "" : kept.join("\n"), end };
  } finally {
    file.close();
  }
}

/** Passes on what is appended after `from`, following the name when the file is rotated, until `signal` aborts. */
export async function follow(
  path: string,
  from: number,
  write: (bytes: Uint8Array) => void,
  options: { readonly clock: Clock; readonly signal: AbortSignal; readonly stepMs?: number },
): Promise<void> {
  let file = await Deno.open(path);
  let at = from;
  try {
    while (!options.signal.aborted) {
      const named = await Deno.stat(path).catch(() => undefined); // between the two steps of a rotation
      const { size, ino } = await file.stat();
      if (size < at) at = 0;
      if (size > at) {
        write(await readRange(file, at, size));
        at = size;
      }
      if (named !== undefined && named.ino !== ino) {
        file.close();
        file = await Deno.open(path);
        at = 0;
        continue;
      }
      await sleep(options.clock, options.stepMs ?? 250, options.signal);
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    file.close();
  }
}

async function readRange(file: Deno.FsFile, from: number, to: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  await file.seek(from, Deno.SeekMode.Start);
  let done = 0;
  while (done < bytes.length) {
    const n = await file.read(bytes.subarray(done));
    if (n === null) break;
    done += n;
  }
  return bytes.subarray(0, done);
}
