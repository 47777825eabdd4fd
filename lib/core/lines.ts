/** Splits a byte stream into lines with a bound on memory. */

/** Longest line kept whole, in bytes (spec 06 §11.4). */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** What is kept of a longer one, in bytes: its head says what it was, and the rest is of no use to anybody. */
const CUT_HEAD_BYTES = 16 * 1024;

/** One read's worth of complete lines. Its arrays are empty again when the next one is asked for. */
export interface LineBatch {
  /** Lines without their newline, as they came, empty ones included. Invalid UTF-8 becomes U+FFFD. */
  readonly lines: readonly string[];
  /** Lines of this batch that were longer than the limit, of which only the head is kept: index, and bytes left out. */
  readonly cut: readonly { readonly index: number; readonly bytes: number }[];
}

/** Options of {@link lineBatches}. */
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
 * Reads `stream` to its end and yields the complete lines of every chunk; a last line without newline counts.
 * Of a line beyond the limit only the head is kept and the rest declared in `cut`, so memory stays bounded.
 * The consumer's pace is the reader's pace: nothing is read while a batch is being handled.
 */
export async function* lineBatches(
  stream: ReadableStream<Uint8Array>,
  options: LineOptions = {},
): AsyncGenerator<LineBatch> {
  const maxBytes = options.maxBytes ?? MAX_LINE_BYTES;
  const headBytes = Math.min(maxBytes, CUT_HEAD_BYTES);
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let dropped = 0;

  const keep = (bytes: Uint8Array) => {
    if (dropped > 0) {
      dropped += bytes.length;
      return;
    }
    if (bytes.length === 0) return;
    pending.push(bytes.slice());
    pendingBytes += bytes.length;
    if (pendingBytes <= maxBytes) return;
    dropped = pendingBytes - headBytes;
    pending = [head(pending, headBytes)];
    pendingBytes = headBytes;
  };

  for await (const chunk of chunks(stream, options.signal)) {
    options.onBytes?.(chunk.length);
    const first = chunk.indexOf(NEWLINE);
    if (first < 0) {
      keep(chunk);
      continue;
    }
    const cut: { index: number; bytes: number }[] = [];
    let lines: string[] = [];
    let from = 0;
    if (pendingBytes > 0 || dropped > 0) {
      keep(chunk.subarray(0, first));
      if (dropped > 0) cut.push({ index: 0, bytes: dropped });
      lines.push(decode(pending, pendingBytes));
      pending = [];
      pendingBytes = 0;
      dropped = 0;
      from = first + 1;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (from <= last) {
      const whole = chunk.subarray(from, last);
      if (whole.length <= maxBytes) lines = [...lines, ...decoder.decode(whole).split("\n")];
      else cutLines(whole, { maxBytes, headBytes }, lines, cut);
    }
    if (last + 1 < chunk.length) keep(chunk.subarray(last + 1));
    yield { lines, cut };
    // A reader that waits for more would keep the text of all these lines alive, once for each agent.
    lines.length = 0;
  }
  if (pendingBytes > 0 || dropped > 0) {
    yield { lines: [decode(pending, pendingBytes)], cut: dropped > 0 ? [{ index: 0, bytes: dropped }] : [] };
  }
}

/** The bytes of each read, in one buffer that the next read overwrites where the stream allows that. */
async function* chunks(stream: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { read, cancel } = source(stream);
  const stop = () => void cancel().catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (let chunk = await read(); chunk !== undefined; chunk = await read()) {
      if (signal?.aborted) return;
      yield chunk;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    stop();
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

/** Lines of one chunk that may hold more than a line's limit: each is looked at. */
function cutLines(
  bytes: Uint8Array,
  { maxBytes, headBytes }: { readonly maxBytes: number; readonly headBytes: number },
  lines: string[],
  cut: { index: number; bytes: number }[],
): void {
  for (let from = 0; from <= bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline < 0 ? bytes.length : newline;
    const long = end - from > maxBytes;
    if (long) cut.push({ index: lines.length, bytes: end - from - headBytes });
    lines.push(decoder.decode(bytes.subarray(from, long ? from + headBytes : end)));
    from = end + 1;
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
