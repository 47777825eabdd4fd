/** Turns an agent's events into transcript rows: numbered in true order, masked, cut, and handed on in batches. */
import type { AgentEvent } from "../agents/mod.ts";
import type { MessageType } from "../control/mod.ts";
import {
  type Clock,
  cutUtf8,
  errorText,
  getLog,
  MAX_HELD,
  type Redactor,
  type StreamRedactor,
  type Timer,
} from "../core/mod.ts";
import type { EncodedBatch } from "./journal_types.ts";
import { BatchBuilder, type RowFields } from "./transcript_batches.ts";

const log = getLog("tasks", "transcript");

/** Longest tool output on the wire, in bytes (spec 01 §4.15). */
export const MAX_OUTPUT_BYTES = 8_192;
/** First flush of a run, ms after its first row (reliability §4). */
export const FIRST_FLUSH_MS = 250;
/** Later flushes, ms after the first row that waits. */
export const FLUSH_MS = 500;
/** So much waiting is flushed at once, in bytes. */
export const MAX_PENDING = 256 * 1024;
/** So much text is masked and encoded at once, in UTF-16 units: little enough to die in the young generation. */
const STEP = 8 * 1024;
/** Of an output only this much is looked at, in UTF-16 units: 8 KiB are left of it also when its end is held back. */
const MAX_LOOK = MAX_HELD + 32 * 1024;

/** What {@link Transcript} needs. */
export interface TranscriptOptions {
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Number of the last row of an earlier claim of the task; 0 for none. */
  readonly lastSeq: number;
  /** Takes batches for the journal. May throw: the rows are kept and offered again. */
  readonly flush: (batches: readonly EncodedBatch[]) => void;
}

/** Text that may grow. */
interface OpenText {
  readonly type: "text" | "thinking";
  parts: string[];
  units: number;
  /** Something came since the last flush. */
  fresh: boolean;
}

/**
 * One task's transcript. Its numbers go on over a fresh retry (HD, 06 §11.13). Text and thinking grow until
 * another kind of row or a flush; what may be the beginning of a secret waits for the rest of it. What has been
 * flushed is forgotten here.
 */
export class Transcript {
  readonly #batches: BatchBuilder;
  readonly #tools = new Map<string, string>();
  #redactor: Redactor;
  #stream: StreamRedactor;
  #open: OpenText | undefined;
  #timer: Timer | undefined;
  #flushed = false;
  #toolCount = 0;
  #closed = false;

  constructor(private readonly options: TranscriptOptions) {
    this.#batches = new BatchBuilder(options.lastSeq);
    this.#redactor = options.redactor;
    this.#stream = this.#redactor.stream();
  }

  /** Tool calls since the last {@link resetTools}. */
  get toolCount(): number {
    return this.#toolCount;
  }

  /** Number of the last row. */
  get lastSeq(): number {
    return this.#batches.lastSeq;
  }

  /** Bytes that wait for the next flush; what is not yet encoded counts in UTF-16 units. */
  get pending(): number {
    return this.#batches.bytes + (this.#open?.units ?? 0) + this.#stream.held;
  }

  /** Takes an event; those without a row only pass. */
  push(event: AgentEvent): void {
    if (this.#closed) return;
    switch (event.type) {
      case "text":
      case "thinking":
        if (event.text === "") return;
        return this.#text(event.type, event.text);
      case "tool_use":
        this.#toolCount++;
        if (event.callId !== "") this.#tools.set(event.callId, event.tool);
        return this.#row("tool_use", { tool: event.tool, input: this.#input(event.input) });
      case "tool_result": {
        const tool = event.tool ?? this.#tools.get(event.callId) ?? "";
        this.#tools.delete(event.callId);
        return this.#row("tool_result", { tool, output: this.#output(event.output) });
      }
      case "error":
        return this.#row("error", { content: this.#redactor.text(event.text) });
      case "gap":
        return this.#row("error", {
          content: `[transcript gap: ${event.what}, ${event.bytes} bytes left out]`,
        });
    }
  }

  /** Rows are masked by this one from here on, text that has begun included. */
  maskWith(redactor: Redactor): void {
    this.#redactor = redactor;
    this.#stream = this.#stream.under(redactor);
  }

  /** A fresh attempt begins: open text is closed, tools are counted anew, numbers go on. */
  resetTools(): void {
    this.#closeText();
    this.#tools.clear();
    this.#toolCount = 0;
  }

  /** Hands everything that can be said over; keeps it when the taker throws. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#cutText();
    this.#hand();
    if (this.#open !== undefined || this.#batches.bytes > 0) this.#arm(FLUSH_MS);
  }

  /** Ends the transcript and gives what was not flushed, for the commit that ends the task. */
  close(): readonly EncodedBatch[] {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#closeText();
    return this.#batches.take();
  }

  #text(type: "text" | "thinking", text: string): void {
    if (this.#open !== undefined && this.#open.type !== type) this.#closeText();
    this.#open ??= { type, parts: [], units: 0, fresh: true };
    this.#open.parts.push(text);
    this.#open.units += text.length;
    this.#open.fresh = true;
    if (this.#open.units >= STEP) this.#mask(this.#open);
    this.#arm();
  }

  #row(type: MessageType, fields: RowFields): void {
    this.#closeText();
    this.#batches.add(type, fields);
    this.#arm();
  }

  /** Makes a row of the open text as far as it is safe; without news since the last cut, of all of it. */
  #cutText(): void {
    const open = this.#open;
    if (open === undefined) return;
    if (!open.fresh) return this.#closeText();
    this.#mask(open);
    open.fresh = false;
    this.#batches.endText();
    if (this.#stream.held === 0) this.#open = undefined;
  }

  /** Masks and encodes the open text as far as it is safe. */
  #mask(open: OpenText): void {
    const text = open.parts.join("");
    open.parts = [];
    open.units = 0;
    this.#batches.say(open.type, this.#stream.push(text));
  }

  /** The open text ends here. */
  #closeText(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#mask(open);
    this.#batches.say(open.type, this.#stream.end());
    this.#batches.endText();
  }

  #input(input: Readonly<Record<string, unknown>> | undefined): RowFields["input"] {
    return input === undefined ? undefined : this.#redactor.value(input) as RowFields["input"];
  }

  /** Masked first, then cut: a secret at the edge would lose its shape. */
  #output(output: string): string {
    if (output.length <= MAX_LOOK) return cutUtf8(this.#redactor.text(output), MAX_OUTPUT_BYTES);
    return cutUtf8(this.#redactor.stream().push(output.slice(0, MAX_LOOK)), MAX_OUTPUT_BYTES);
  }

  #arm(delayMs = this.#flushed ? FLUSH_MS : FIRST_FLUSH_MS): void {
    if (this.#closed) return;
    if (this.#batches.bytes >= MAX_PENDING) return this.#hand();
    this.#timer ??= this.options.clock.timer(delayMs, () => {
      this.#timer = undefined;
      this.flush();
    });
  }

  #hand(): void {
    if (this.#batches.bytes === 0) return;
    this.#flushed = true;
    const batches = this.#batches.take();
    try {
      this.options.flush(batches);
    } catch (error) {
      log.warn("journal takes no transcript, rows are kept in memory", { error: errorText(error) });
      this.#batches.putBack(batches);
    }
  }
}
