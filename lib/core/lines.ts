/** Splits a byte stream into lines with a bound on memory. */

/** Longest line kept whole, in bytes (spec 06 §11.4). */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** What is kept of a longer one, in bytes: its head says what it was, and the rest is of no use to anybody. */
const CUT_HEAD_BYTES = 16 * 1024;

/** One read's worth of complete lines. */
export interface LineBatch {
  /** Lines without their newline, as they came, empty ones included. Invalid UTF-8 becomes U+FFFD. */
  readonly lines: readonly string[];
  /** Lines of this batch that were longer than the limit, of which only the head is kept: index, and bytes left out. */
  readonly cut: readonly { readonly index: number; readonly bytes: number }[];
}

/** Takes a batch; nothing more is read until a promise it returns has settled. */
export type TakeLines = (batch: LineBatch) => void | Promise<unknown>;

/** Options of {@link readLines}. */
export interface LineOptions {
  /** Longest line kept whole, in bytes. Default {@link MAX_LINE_BYTES}. */
  readonly maxBytes?: number;
  /** Hears how many bytes arrived with each read. */
  readonly onBytes?: (count: number) => void;
  /** Ends the reading, also of a source that does not end. */
  readonly signal?: AbortSignal;
}

/** One read takes at most what a pipe holds. */
const READ_BYTES = 64 * 1024;

const decoder = new TextDecoder();

const NEWLINE = 0x0a;

/**
 * Reads `stream` to its end and hands the complete lines of every read to `take`; a last line without newline counts.
 * Of a line beyond the limit only the head is kept and the rest declared in `cut`, so memory stays bounded.
 * The consumer's pace is the reader's pace: nothing is read while a batch is being handled.
 *
 * A callback and no generator: what was read becomes text and is handled in one go. With a generator the reads of
 * twenty agents that arrive together are all text before the first is handled, and grow old (measured).
 */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  take: TakeLines,
  options: LineOptions = {},
): Promise<void> {
  const splitter = new Splitter(options.maxBytes ?? MAX_LINE_BYTES);
  const { read, cancel } = source(stream);
  const stop = () => void cancel().catch(() => {});
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    for (let chunk = await read(); chunk !== undefined; chunk = await read()) {
      if (options.signal?.aborted) break;
      options.onBytes?.(chunk.length);
      const wait = splitter.take(chunk, take);
      if (wait !== undefined) await wait;
    }
    await splitter.end(take);
  } finally {
    options.signal?.removeEventListener("abort", stop);
    stop();
  }
}

type Cuts = { readonly index: number; readonly bytes: number }[];

/** Bytes to lines. */
class Splitter {
  readonly #headBytes: number;
  /** Copies of what there is of the line that has no end yet. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #dropped = 0;

  constructor(private readonly maxBytes: number) {
    this.#headBytes = Math.min(maxBytes, CUT_HEAD_BYTES);
  }

  /** Hands on the lines that `chunk` completes. */
  take(chunk: Uint8Array, take: TakeLines): void | Promise<unknown> {
    const first = chunk.indexOf(NEWLINE);
    if (first < 0) return this.#keep(chunk);
    const last = chunk.lastIndexOf(NEWLINE);
    const batch: { lines: string[]; cut: Cuts } = { lines: [], cut: [] };
    let from = 0;
    if (this.#pendingBytes > 0) {
      this.#keep(chunk.subarray(0, first));
      this.#endLine(batch);
      from = first + 1;
    }
    if (from <= last) this.#whole(chunk.subarray(from, last), batch);
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    return take(batch);
  }

  /** Hands on the last line, when it had no newline. */
  end(take: TakeLines): void | Promise<unknown> {
    if (this.#pendingBytes === 0) return;
    const batch = { lines: [], cut: [] };
    this.#endLine(batch);
    return take(batch);
  }

  #endLine({ lines, cut }: { lines: string[]; cut: Cuts }): void {
    if (this.#dropped > 0) cut.push({ index: lines.length, bytes: this.#dropped });
    lines.push(decode(this.#pending, this.#pendingBytes));
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#dropped = 0;
  }

  /** Lines that begin and end in one chunk. */
  #whole(bytes: Uint8Array, { lines, cut }: { lines: string[]; cut: Cuts }): void {
    if (bytes.length <= this.maxBytes) {
      for (const line of decoder.decode(bytes).split("\n")) lines.push(line);
      return;
    }
    for (let from = 0; from <= bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const end = newline < 0 ? bytes.length : newline;
      const long = end - from > this.maxBytes;
      if (long) cut.push({ index: lines.length, bytes: end - from - this.#headBytes });
      lines.push(decoder.decode(bytes.subarray(from, long ? from + this.#headBytes : end)));
      from = end + 1;
    }
  }

  #keep(bytes: Uint8Array): void {
    if (this.#dropped > 0) {
      this.#dropped += bytes.length;
      return;
    }
    if (bytes.length === 0) return;
    this.#pending.push(bytes.slice());
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes <= this.maxBytes) return;
    this.#dropped = this.#pendingBytes - this.#headBytes;
    this.#pending = [head(this.#pending, this.#headBytes)];
    this.#pendingBytes = this.#headBytes;
  }
}

interface Source {
  /** undefined at the end. */
  readonly read: () => Promise<Uint8Array | undefined>;
  readonly cancel: () => Promise<void>;
}

function source(stream: ReadableStream<Uint8Array>): Source {
  const reader = byteReader(stream);
  if (reader === undefined) {
    const plain = stream.getReader();
    return { read: async () => (await plain.read()).value, cancel: () => plain.cancel() };
  }
  let buffer = new ArrayBuffer(READ_BYTES);
  const read = async () => {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done || value === undefined) return undefined;
    buffer = value.buffer;
    return value;
  };
  return { read, cancel: () => reader.cancel() };
}

/** undefined for a stream that is not of bytes. */
function byteReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

/** A copy of the first `size` bytes, so that the rest can go. */
function head(parts: readonly Uint8Array[], size: number): Uint8Array {
  const copy = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    if (at === size) break;
    const piece = part.subarray(0, size - at);
    copy.set(piece, at);
    at += piece.length;
  }
  return copy;
}

function decode(parts: readonly Uint8Array[], bytes: number): string {
  if (parts.length === 1) return decoder.decode(parts[0]!);
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return decoder.decode(whole);
}
