/** Masks secrets in text that comes in pieces: whatever the cut, the joined output is that of the whole text. */
import { OPEN_AT_END, WORD_STARTS } from "./redact_patterns.ts";
import type { Redactor } from "./redact.ts";

/** Longest text held back, in UTF-16 units: beyond it something goes out, with known secrets still kept whole. */
export const MAX_HELD = 64 * 1024;

const WHITE = /\s/;
const WORD = /[A-Za-z0-9_]/;
const KEY_BEGIN = "-----BEGIN";
const KEY_BLOCK = /-----BEGIN[A-Z\s]*PRIVATE KEY-----.*?-----END[A-Z\s]*PRIVATE KEY-----/gs;
const KEY_OPEN = /^-----BEGIN[A-Z\s]*(?:-{0,5}$|PRIVATE KEY-----)/;

/** Holds back only a tail that may be the beginning of something to mask. */
export class StreamRedactor {
  #held = "";
  /** Known secrets that can reach over white space. */
  readonly #wide: readonly string[];

  constructor(private readonly redactor: Redactor) {
    const all = redactor.home === "" ? redactor.literals : [...redactor.literals, redactor.home];
    this.#wide = all.filter((literal) => WHITE.test(literal));
  }

  /** The same text so far, looked at by another redactor from here on. */
  under(redactor: Redactor): StreamRedactor {
    const next = new StreamRedactor(redactor);
    next.#held = this.#held;
    return next;
  }

  /** Units held back right now. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes a piece and gives what can be said safely of all so far; may be "". */
  push(piece: string): string {
    // Joined, not added: one flat string, because it is read character by character.
    const text = this.#held === "" ? piece : [this.#held, piece].join("");
    let safe = this.#safeEnd(text);
    if (text.length - safe > MAX_HELD) safe = Math.max(safe, this.#forcedEnd(text));
    if (safe > 0 && (text.charCodeAt(safe - 1) & 0xfc00) === 0xd800) safe--; // its other half is to come
    this.#held = text.slice(safe);
    return safe === 0 ? "" : this.redactor.text(safe === text.length ? text : text.slice(0, safe));
  }

  /** Ends the text: the rest of it. */
  end(): string {
    const rest = this.#held;
    this.#held = "";
    return rest === "" ? "" : this.redactor.text(rest);
  }

  /** The longest prefix that no match can leave, however the text goes on. */
  #safeEnd(text: string): number {
    let end = wordStart(text, text.length);
    if (end < text.length && this.#standsAlone(text, end) && this.#isClean(text.slice(end))) {
      end = text.length;
    }
    for (let before = -1; before !== end && end > 0;) {
      before = end;
      if (opens(text, end)) end = openStart(text, end);
      end = this.#outsideKeyBlock(text, end);
      end = this.#outsideWide(text, end);
    }
    return end;
  }

  /** True when the word at `start` is neither a value to come nor joined to what stands before it. */
  #standsAlone(text: string, start: number): boolean {
    return !opens(text, start) && this.#outsideWide(text, start) === start;
  }

  /** True when nothing to mask can begin in `word` and go on after it. */
  #isClean(word: string): boolean {
    if (WORD.test(word.at(-1)!)) return false;
    const low = word.toLowerCase();
    if (WORD_STARTS.some((start) => low.includes(start)) || this.redactor.mayMatch(word)) return false;
    if (WORD_STARTS.some((start) => endsInside(low, start))) return false;
    const { home, literals } = this.redactor;
    if (home !== "" && (word.includes(home) || endsInside(word, home))) return false;
    return !literals.some((literal) => endsInside(word, literal));
  }

  #outsideKeyBlock(text: string, end: number): number {
    if (!text.includes(KEY_BEGIN)) return end;
    const blocks = [...text.matchAll(KEY_BLOCK)].map((match) =>
      [match.index, match.index + match[0].length] as const
    );
    for (let at = text.indexOf(KEY_BEGIN); at >= 0 && at < end; at = text.indexOf(KEY_BEGIN, at + 1)) {
      const block = blocks.find(([from, to]) => at >= from && at < to);
      if (block === undefined ? KEY_OPEN.test(text.slice(at)) : block[1] > end) return wordStart(text, at);
    }
    return end;
  }

  #outsideWide(text: string, end: number): number {
    let first = end;
    for (const literal of this.#wide) {
      const at = text.indexOf(literal, Math.max(0, end - literal.length + 1));
      if (at >= 0 && at < end) first = Math.min(first, at);
      const partial = partialAt(text, literal);
      if (partial < end) first = Math.min(first, partial);
    }
    return first === end ? end : wordStart(text, first);
  }

  /** Where to cut a text that has held back too much: never through a known secret or a match. */
  #forcedEnd(text: string): number {
    const wish = text.length - MAX_HELD / 8;
    const from = Math.max(0, wish - MAX_HELD / 8);
    const spans = this.redactor.literalSpans(text.slice(from));
    const span = spans.find(([start, stop]) => from + start < wish && from + stop > wish);
    return span === undefined ? wish : from + span[0];
  }
}

/** Start of the word that reaches up to `end`; `end` itself after white space. */
function wordStart(text: string, end: number): number {
  let at = end;
  while (at > 0 && !isWhite(text.charCodeAt(at - 1))) at--;
  return at;
}

/** As `\s`. */
function isWhite(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || unit >= 0x09 && unit <= 0x0d;
  return unit >= 0xa0 && WHITE.test(String.fromCharCode(unit));
}

/** End of the last word before `end`, white space skipped. */
function lastWordEnd(text: string, end: number): number {
  let at = end;
  while (at > 0 && isWhite(text.charCodeAt(at - 1))) at--;
  return at;
}

/** True when a name before `end` still waits for its value. */
function opens(text: string, end: number): boolean {
  const stop = lastWordEnd(text, end);
  return OPEN_AT_END.test(openTail(text, stop));
}

/** The last words before `stop`, enough for a name and its sign. */
function openTail(text: string, stop: number): string {
  const sign = wordStart(text, stop);
  const name = wordStart(text, lastWordEnd(text, sign));
  return text.slice(Math.max(name, stop - 4096), stop).replace(/\s+/g, " ");
}

function openStart(text: string, end: number): number {
  const stop = lastWordEnd(text, end);
  const sign = wordStart(text, stop);
  return OPEN_AT_END.test(text.slice(Math.max(sign, stop - 4096), stop))
    ? sign
    : wordStart(text, lastWordEnd(text, sign));
}

/** True when some end of `text` is a proper beginning of `word`. */
function endsInside(text: string, word: string): boolean {
  for (let length = Math.min(word.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(word.slice(0, length))) return true;
  }
  return false;
}

/** Where the longest end of `text` that is a proper beginning of `word` starts; the length of `text` for none. */
function partialAt(text: string, word: string): number {
  for (let length = Math.min(word.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(word.slice(0, length))) return text.length - length;
  }
  return text.length;
}
