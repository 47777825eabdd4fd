/** Encodes transcript rows once, to the bytes that are stored and sent, and packs them into bodies of bounded size. */
import type { MessageType } from "../control/mod.ts";
import { getLog } from "../core/mod.ts";
import type { EncodedBatch } from "./journal_types.ts";

const log = getLog("tasks", "transcript");

/** Most rows in one request. */
export const MAX_BATCH_ROWS = 500;
/** Most of one request, in bytes; a single longer row goes alone. */
export const MAX_BATCH_BYTES = 512 * 1024;
/** Kept while the journal takes nothing, in bytes; beyond it the oldest rows become a declared gap. */
export const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** Longest text row, in UTF-16 units; longer text becomes several. */
export const MAX_TEXT = 128 * 1024;

/** The buffer grows by so much, in bytes. */
const GROWTH = 32 * 1024;
const HEAD = '{"messages":[';
const encoder = new TextEncoder();

/**
 * Rows that wait, as bytes outside the JavaScript heap: as strings they would outlive the young generation, and
 * all that agents say would become garbage of the old one.
 */
export class BatchBuilder {
  #seq: number;
  #buffer = new Uint8Array(0);
  #size = 0;
  #rows = 0;
  #first = 0;
  /** The text row that {@link say} goes on with. */
  #open: { readonly type: MessageType; units: number } | undefined;
  #ready: EncodedBatch[] = [];
  #readyBytes = 0;
  #gap: Pick<EncodedBatch, "firstSeq" | "lastSeq"> | undefined;

  constructor(lastSeq: number) {
    this.#seq = lastSeq;
  }

  get lastSeq(): number {
    return this.#seq;
  }

  /** Size of what waits. */
  get bytes(): number {
    return this.#size + this.#readyBytes;
  }

  /** Numbers a row and keeps it. Empty fields are left out (spec 06 §8.3). */
  add(type: MessageType, fields: RowFields): void {
    const text = encodeFields(fields);
    this.#begin(type, text.length);
    this.#write(text + "}");
  }

  /** Numbers a text row, or goes on with the one before unless {@link endText} was called. */
  say(type: "text" | "thinking", text: string): void {
    for (let at = 0; at < text.length;) {
      const open = this.#open;
      const goesOn = open?.type === type && open.units < MAX_TEXT && this.#size < MAX_BATCH_BYTES;
      const piece = wholeUnits(text, at, goesOn ? MAX_TEXT - open.units : MAX_TEXT);
      at += piece.length;
      const json = clean(JSON.stringify(piece)).slice(1, -1);
      if (!goesOn || piece === "") {
        this.#begin(type, json.length);
        this.#write(',"content":"');
        this.#open = { type, units: 0 };
      }
      this.#write(json);
      this.#open!.units += piece.length;
    }
  }

  /** The next {@link say} begins a row. */
  endText(): void {
    if (this.#open === undefined) return;
    this.#open = undefined;
    this.#write('"}');
  }

  /** All that waits, as request bodies; nothing waits then. */
  take(): readonly EncodedBatch[] {
    this.#seal();
    const batches = this.#gap === undefined ? this.#ready : [gapBatch(this.#gap), ...this.#ready];
    this.#gap = undefined;
    this.#ready = [];
    this.#readyBytes = 0;
    return batches;
  }

  /** Batches that could not be handed over: they go first the next time. Too many of them become a gap. */
  putBack(batches: readonly EncodedBatch[]): void {
    this.#ready.unshift(...batches);
    this.#readyBytes = this.#ready.reduce((sum, batch) => sum + batch.body.length, 0);
    while (this.#readyBytes > MAX_KEPT_BYTES && this.#ready.length > 1) {
      const lost = this.#ready.shift()!;
      this.#readyBytes -= lost.body.length;
      this.#gap = { firstSeq: this.#gap?.firstSeq ?? lost.firstSeq, lastSeq: lost.lastSeq };
      log.warn("transcript rows dropped, the journal takes none", { from: lost.firstSeq, to: lost.lastSeq });
    }
  }

  #begin(type: MessageType, length: number): void {
    this.endText();
    if (this.#rows >= MAX_BATCH_ROWS || this.#rows > 0 && this.#size + length > MAX_BATCH_BYTES) this.#seal();
    this.#seq++;
    if (this.#rows === 0) this.#first = this.#seq;
    this.#write(`${this.#rows === 0 ? HEAD : ","}{"seq":${this.#seq},"type":"${type}"`);
    this.#rows++;
  }

  #seal(): void {
    this.endText();
    if (this.#rows === 0) return;
    this.#write("]}");
    const body = new Uint8Array(this.#buffer.buffer.transfer(this.#size));
    this.#ready.push({ body, firstSeq: this.#first, lastSeq: this.#seq });
    this.#readyBytes += body.length;
    this.#buffer = new Uint8Array(0);
    this.#size = 0;
    this.#rows = 0;
  }

  #write(text: string): void {
    for (let rest = text;;) {
      const { read, written } = encoder.encodeInto(rest, this.#buffer.subarray(this.#size));
      this.#size += written;
      if (read === rest.length) return;
      rest = rest.slice(read);
      const capacity = Math.ceil((this.#size + rest.length) / GROWTH) * GROWTH;
      // Frees the old one at once, which garbage collection would do much later.
      this.#buffer = new Uint8Array(this.#buffer.buffer.transfer(capacity));
    }
  }
}

/** What a row may say. */
export interface RowFields {
  readonly tool?: string;
  readonly content?: string;
  readonly input?: Readonly<Record<string, unknown>> | undefined;
  readonly output?: string;
}

function encodeFields({ tool, content, input, output }: RowFields): string {
  let json = "";
  if (tool) json += `,"tool":${JSON.stringify(tool)}`;
  if (content) json += `,"content":${JSON.stringify(content)}`;
  if (input !== undefined) {
    const text = JSON.stringify(input);
    if (text !== "{}") json += `,"input":${text}`;
  }
  if (output) json += `,"output":${JSON.stringify(output)}`;
  return clean(json);
}

/** NUL and lone surrogates cannot be stored (spec 01 §1.3): removed, and replaced by U+FFFD. */
function clean(json: string): string {
  if (!json.includes("\\u")) return json;
  return json.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, dropNul)
    .replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "$1\ufffd");
}

function dropNul(_match: string, kept: string): string {
  return kept;
}

/** At most `max` units of `text` from `at` on, no surrogate pair torn. */
function wholeUnits(text: string, at: number, max: number): string {
  let end = Math.min(text.length, at + max);
  if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end--;
  return text.slice(at, end);
}

/** One row in the place of lost ones. */
function gapBatch({ firstSeq, lastSeq }: Pick<EncodedBatch, "firstSeq" | "lastSeq">): EncodedBatch {
  const content = `[transcript gap: the disk was full, entries ${firstSeq}–${lastSeq} are lost]`;
  return {
    body: encoder.encode(JSON.stringify({ messages: [{ seq: firstSeq, type: "error", content }] })),
    firstSeq,
    lastSeq,
  };
}
