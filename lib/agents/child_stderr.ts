/** The last words of a child: a bounded tail of its stderr (spec 06 §2.6). */
import { errorText, getLog } from "../core/mod.ts";

const log = getLog("agents");

/** Bytes kept. */
export const STDERR_TAIL_BYTES = 2048;

/** Reads stderr to its end and keeps the last {@link STDERR_TAIL_BYTES}. */
export class StderrTail {
  #kept = new Uint8Array(0);
  #bytes = 0;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Settles at the end of stderr. Never rejects. */
  readonly done: Promise<void>;

  constructor(stderr: ReadableStream<Uint8Array>) {
    this.#reader = stderr.getReader();
    this.done = this.#read();
  }

  /** Bytes seen so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The tail as text: whole characters, trimmed. Sample it after the exit only. */
  text(): string {
    let from = 0;
    while (from < this.#kept.length && from < 4 && (this.#kept[from]! & 0xc0) === 0x80) from++;
    return new TextDecoder().decode(this.#kept.subarray(from)).replaceAll("\0", "").trim();
  }

  /** Stops reading; the pipe closes. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #read(): Promise<void> {
    try {
      for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
        this.#keep(read.value);
      }
    } catch (error) {
      log.debug("agent stderr ended with an error", { error: errorText(error) });
    }
  }

  #keep(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (chunk.length >= STDERR_TAIL_BYTES) {
      this.#kept = chunk.slice(chunk.length - STDERR_TAIL_BYTES);
      return;
    }
    const old = this.#kept.subarray(Math.max(0, this.#kept.length + chunk.length - STDERR_TAIL_BYTES));
    const next = new Uint8Array(old.length + chunk.length);
    next.set(old);
    next.set(chunk, old.length);
    this.#kept = next;
  }
}
