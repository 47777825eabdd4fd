/** Splits a byte stream into lines with a bound on memory. */

/** Longest line kept whole, in bytes (spec 06 §11.4). */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** One read's worth of complete lines. */
export interface LineBatch {
  /** Lines without their newline, as they came, empty ones included. Invalid UTF-8 becomes U+FFFD. */
  readonly lines: readonly string[];
  /** Lines of this batch that were longer than the limit: index, and how many bytes were left out at its end. */
  readonly cut: readonly { readonly index: number; readonly bytes: number }[];
}

/** Options of {@link lineBatches}. */
export interface LineOptions {
  /** Longest line kept whole, in bytes. Default {@link MAX_LINE_BYTES}. */
  readonly maxBytes?: number;
  /** Hears how many bytes arrived with each read. */
  readonly onBytes?: (count: number) => void;
}

const NEWLINE = 0x0a;

/**
 * Reads `stream` to its end and yields the complete lines of every chunk; a last line without newline counts.
 * The part of a line beyond the limit is dropped and declared in `cut`, so memory stays bounded.
 * The consumer's pace is the reader's pace: nothing is read while a batch is being handled.
 */
export async function* lineBatches(
  stream: ReadableStream<Uint8Array>,
  options: LineOptions = {},
): AsyncGenerator<LineBatch> {
  const maxBytes = options.maxBytes ?? MAX_LINE_BYTES;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let dropped = 0;

  const keep = (bytes: Uint8Array) => {
    const room = maxBytes - pendingBytes;
    const kept = bytes.length <= room ? bytes : bytes.subarray(0, Math.max(0, room));
    dropped += bytes.length - kept.length;
    if (kept.length === 0) return;
    pending.push(kept);
    pendingBytes += kept.length;
  };

  for await (const chunk of stream) {
    options.onBytes?.(chunk.length);
    const first = chunk.indexOf(NEWLINE);
    if (first < 0) {
      keep(chunk);
      continue;
    }
    const cut: { index: number; bytes: number }[] = [];
    const lines: string[] = [];
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
      if (whole.length <= maxBytes) { for (const line of split(whole)) lines.push(line); }
      else cutLines(whole, maxBytes, lines, cut);
    }
    if (last + 1 < chunk.length) keep(chunk.subarray(last + 1));
    yield { lines, cut };
  }
  if (pendingBytes > 0 || dropped > 0) {
    yield { lines: [decode(pending, pendingBytes)], cut: dropped > 0 ? [{ index: 0, bytes: dropped }] : [] };
  }
}

function split(bytes: Uint8Array): readonly string[] {
  return new TextDecoder().decode(bytes).split("\n");
}

/** Lines of one chunk that may hold more than a line's limit: each is looked at. */
function cutLines(
  bytes: Uint8Array,
  maxBytes: number,
  lines: string[],
  cut: { index: number; bytes: number }[],
): void {
  for (let from = 0; from <= bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline < 0 ? bytes.length : newline;
    if (end - from > maxBytes) cut.push({ index: lines.length, bytes: end - from - maxBytes });
    lines.push(new TextDecoder().decode(bytes.subarray(from, Math.min(end, from + maxBytes))));
    from = end + 1;
  }
}

function decode(parts: readonly Uint8Array[], bytes: number): string {
  if (parts.length === 1) return new TextDecoder().decode(parts[0]!);
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(whole);
}
