/** One writer for a child's stdin: ordered, never blocking the caller, tolerant of a child that is gone. */
import { errorText, OVER } from "../core/mod.ts";

const encoder = new TextEncoder();

/** Bytes that may wait before {@link StdinWriter.drained} makes a reader pause. */
const HIGH_WATER_BYTES = 8 * 1024 * 1024;

/** Serialises writes (spec 06 §3.2 rule 5, I-4): each waits for the one before, none follows the close. */
export class StdinWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #queue: string[] = [];
  #queuedBytes = 0;
  #closing = false;
  #error = "";
  #pump: Promise<void> | undefined;

  constructor(stdin: WritableStream<Uint8Array> | undefined) {
    this.#writer = stdin?.getWriter();
    // The writer's own closed promise rejects with the pipe; writes report it.
    this.#writer?.closed.catch(() => {});
  }

  /** Why a write failed, "" when none did. The text of a broken pipe is the platform's. */
  get error(): string {
    return this.#error;
  }

  /** True once nothing can be written any more. */
  get closed(): boolean {
    return this.#writer === undefined || this.#closing || this.#error !== "";
  }

  /** Queues `text`. Does nothing after the close or a failure. */
  write(text: string): void {
    if (this.closed) return;
    this.#queue.push(text);
    this.#queuedBytes += text.length;
    this.#pump ??= this.#run();
  }

  /** Closes once everything queued is written. Idempotent. */
  close(): void {
    if (this.#writer === undefined || this.#closing) return;
    this.#closing = true;
    this.#pump ??= this.#run();
  }

  /** Gives up what is queued and closes. Idempotent. */
  abort(): void {
    this.#queue = [];
    this.close();
    this.#writer?.abort(OVER).catch(() => {});
  }

  /** A promise to wait for when too much is queued, else undefined. */
  get pressure(): Promise<void> | undefined {
    return this.#queuedBytes > HIGH_WATER_BYTES ? this.#pump : undefined;
  }

  /** Settles when all writing has ended. Never rejects. */
  async settled(): Promise<void> {
    while (this.#pump !== undefined) await this.#pump;
  }

  async #run(): Promise<void> {
    const writer = this.#writer!;
    try {
      await undefined; // lets the caller queue a burst first
      while (this.#queue.length > 0) {
        const text = this.#queue.join("");
        this.#queue = [];
        await writer.write(encoder.encode(text));
        this.#queuedBytes = 0;
        for (const waiting of this.#queue) this.#queuedBytes += waiting.length;
      }
      if (this.#closing) await writer.close();
    } catch (error) {
      if (this.#error === "" && !this.#closing) this.#error = errorText(error);
      this.#queue = [];
      this.#queuedBytes = 0;
      // Deno keeps the pipe open after a failed write: close it for real.
      await writer.abort().catch(() => {});
    } finally {
      this.#pump = undefined;
    }
  }
}
