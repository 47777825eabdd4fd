/** Encodes transcript rows once and packs them into request bodies of bounded size. */
import type { MessageType } from "../control/mod.ts";
import { getLog } from "../core/mod.ts";
import type { EncodedBatch } from "./journal_types.ts";

const log = getLog("tasks", "transcript");

/** Most rows in one request. */
export const MAX_BATCH_ROWS = 500;
/** Most of one request, in UTF-16 units; a single longer row goes alone. 1 MiB encoded at two bytes a unit. */
export const MAX_BATCH_UNITS = 512 * 1024;
/** Kept while the journal takes nothing; beyond it the oldest rows become a declared gap. */
export const MAX_KEPT_UNITS = 4 * 1024 * 1024;

/** Rows that wait, encoded. */
export class BatchBuilder {
  #seq: number;
  #rows: string[] = [];
  #first = 0;
  #units = 0;
  #ready: EncodedBatch[] = [];
  #readyUnits = 0;
  #gap: Pick<EncodedBatch, "firstSeq" | "lastSeq"> | undefined;

  constructor(lastSeq: number) {
    this.#seq = lastSeq;
  }

  get lastSeq(): number {
    return this.#seq;
  }

  /** Size of what waits. */
  get units(): number {
    return this.#units + this.#readyUnits;
  }

  /** Numbers a row and keeps it. Empty fields are left out (spec 06 §8.3). */
  add(type: MessageType, fields: RowFields): void {
    const text = encodeRow(this.#seq + 1, type, fields);
    if (
      this.#rows.length >= MAX_BATCH_ROWS || this.#units > 0 && this.#units + text.length > MAX_BATCH_UNITS
    ) {
      this.#seal();
    }
    this.#seq++;
    if (this.#rows.length === 0) this.#first = this.#seq;
    this.#rows.push(text);
    this.#units += text.length;
  }

  /** All that waits, as request bodies; nothing waits then. */
  take(): readonly EncodedBatch[] {
    this.#seal();
    const batches = this.#gap === undefined ? this.#ready : [gapBatch(this.#gap), ...this.#ready];
    this.#gap = undefined;
    this.#ready = [];
    this.#readyUnits = 0;
    return batches;
  }

  /** Batches that could not be handed over: they go first the next time. Too many of them become a gap. */
  putBack(batches: readonly EncodedBatch[]): void {
    this.#ready.unshift(...batches);
    this.#readyUnits = this.#ready.reduce((sum, batch) => sum + batch.body.length, 0);
    while (this.#readyUnits > MAX_KEPT_UNITS && this.#ready.length > 1) {
      const lost = this.#ready.shift()!;
      this.#readyUnits -= lost.body.length;
      this.#gap = { firstSeq: this.#gap?.firstSeq ?? lost.firstSeq, lastSeq: lost.lastSeq };
      log.warn("transcript rows dropped, the journal takes none", { from: lost.firstSeq, to: lost.lastSeq });
    }
  }

  #seal(): void {
    if (this.#rows.length === 0) return;
    const body = `{"messages":[${this.#rows.join(",")}]}`;
    this.#ready.push({ body, firstSeq: this.#first, lastSeq: this.#seq });
    this.#readyUnits += body.length;
    this.#rows = [];
    this.#units = 0;
  }
}

/** What a row may say. */
export interface RowFields {
  readonly tool?: string;
  readonly content?: string;
  readonly input?: Readonly<Record<string, unknown>> | undefined;
  readonly output?: string;
}

/**
 * The hot path: once per row. NUL and lone surrogates cannot be stored (spec 01 §1.3): removed, and replaced by
 * U+FFFD.
 */
function encodeRow(seq: number, type: MessageType, { tool, content, input, output }: RowFields): string {
  let json = `{"seq":${seq},"type":"${type}"`;
  if (tool) json += `,"tool":${JSON.stringify(tool)}`;
  if (content) json += `,"content":${JSON.stringify(content)}`;
  if (input !== undefined) {
    const text = JSON.stringify(input);
    if (text !== "{}") json += `,"input":${text}`;
  }
  if (output) json += `,"output":${JSON.stringify(output)}`;
  json += "}";
  if (!json.includes("\\u")) return json;
  return json.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, dropNul)
    .replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "$1\ufffd");
}

function dropNul(_match: string, kept: string): string {
  return kept;
}

/** One row in the place of lost ones. */
function gapBatch({ firstSeq, lastSeq }: Pick<EncodedBatch, "firstSeq" | "lastSeq">): EncodedBatch {
  const content = `[transcript gap: the disk was full, entries ${firstSeq}–${lastSeq} are lost]`;
  return {
    body: JSON.stringify({ messages: [{ seq: firstSeq, type: "error", content }] }),
    firstSeq,
    lastSeq,
  };
}
