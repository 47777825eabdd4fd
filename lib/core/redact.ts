/** Masks secrets in text and nested values: known ones in every form they travel in, and what looks like one. */
import { MultiSearch, type SearchWord } from "./multi_search.ts";
import { FIXED_STARTS, patternBits, REDACT_PATTERNS } from "./redact_patterns.ts";
import { StreamRedactor } from "./redact_stream.ts";

export { secretValues, urlCredentials } from "./redact_patterns.ts";
export { MAX_HELD, StreamRedactor } from "./redact_stream.ts";

/** What stands where a known secret was. */
export const MASK = "[REDACTED]";

/** Shortest secret that is looked for: shorter ones would blank out ordinary words. */
export const MIN_SECRET_LENGTH = 4;

/** Deepest nesting that is walked (spec 06 §11.16). */
export const MAX_REDACT_DEPTH = 32;

/** What stands where the walk gave up. */
export const DEPTH_MASK = "[REDACTED DEPTH LIMIT]";

/** Options of {@link Redactor}. */
export interface RedactorOptions {
  /** Values that must not be seen. Blank and very short ones are ignored. */
  readonly secrets?: Iterable<string>;
  /** Home directory whose user name is hidden; "" or absent for none. */
  readonly home?: string;
}

/** A mask makes a word border, so a rule may match what it did not before: it is looked at again, a few times. */
const MAX_ROUNDS = 5;

/** What the one search over a text looks for. */
const FLAG = { literal: 1, home: 2, fixed: 4 } as const;
const ALL_FLAGS = 7;

const MASKS = /\[REDACTED[A-Z ]*\]/g;

/**
 * Replaces secrets in anything that leaves the host. Known values are found plain, JSON-escaped (once and twice),
 * URL-encoded and inside base64 at any alignment; then come the patterns of spec 06 §11.16 and the user's home
 * directory. Applying it twice changes nothing.
 */
export class Redactor {
  /** Every written form of every secret, longest first. */
  readonly literals: readonly string[];
  readonly #secrets: readonly string[];
  readonly #search: MultiSearch;
  readonly #home: RegExp | undefined;
  readonly #homeMask: string = "";
  readonly home: string;

  constructor(options: RedactorOptions = {}) {
    const forms = new Set<string>();
    this.#secrets = [...options.secrets ?? []];
    for (const secret of this.#secrets) for (const form of writtenForms(secret)) forms.add(form);
    this.literals = [...forms].sort((a, b) => b.length - a.length);
    this.home = usableHome(options.home ?? "");
    const words = this.literals.map((word): SearchWord => ({ word, flag: FLAG.literal }));
    words.push(...FIXED_STARTS.map((word) => ({ word, flag: FLAG.fixed })));
    if (this.home !== "") {
      words.push({ word: this.home, flag: FLAG.home });
      this.#home = new RegExp(`${escapeRegExp(this.home)}(?![A-Za-z0-9_.-])`, "g");
      this.#homeMask = maskHome(this.home);
    }
    this.#search = new MultiSearch(words);
  }

  /** `text` with every secret masked; the same string when there is none. */
  text(text: string): string {
    let out = text;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = out;
      out = this.#once(out);
      if (out === before) break;
    }
    return out;
  }

  #once(text: string): string {
    const found = this.#search.flags(text, ALL_FLAGS);
    let out = (found & FLAG.literal) === 0 ? text : this.#maskLiterals(text);
    for (let n = 0, bits = patternBits(out, (found & FLAG.fixed) !== 0); bits !== 0; n++, bits >>>= 1) {
      if ((bits & 1) === 0) continue;
      const rule = REDACT_PATTERNS[n]!;
      out = out.replace(rule.pattern, rule.replacement);
    }
    return (found & FLAG.home) === 0 ? out : out.replace(this.#home!, this.#homeMask);
  }

  /**
   * A copy of `value` with every string in it (keys too) masked; the very same value when nothing had to change.
   * At depth {@link MAX_REDACT_DEPTH} it gives up: what lies below is replaced.
   */
  value(value: unknown): unknown {
    return this.#walk(value, 0);
  }

  /** True when one of the patterns may match `text`: a first look, without false denials. */
  mayMatch(text: string): boolean {
    return patternBits(text, (this.#search.flags(text, FLAG.fixed) & FLAG.fixed) !== 0) !== 0;
  }

  /** The form for text that comes in pieces. */
  stream(): StreamRedactor {
    return new StreamRedactor(this);
  }

  /** This one, with more secrets. */
  with(secrets: Iterable<string>): Redactor {
    return new Redactor({ secrets: [...this.#secrets, ...secrets], home: this.home });
  }

  /** Union of all occurrences, so that overlapping secrets leave nothing of either. */
  #maskLiterals(text: string): string {
    const spans = this.literalSpans(text);
    if (spans.length === 0) return text;
    const out: string[] = [];
    let from = 0;
    for (const [start, end] of spans) {
      out.push(text.slice(from, start), MASK);
      from = end;
    }
    out.push(text.slice(from));
    return out.join("");
  }

  /** Where known secrets stand in `text`, merged where they overlap; masks already there are left alone. */
  literalSpans(text: string): readonly (readonly [number, number])[] {
    const spans: [number, number][] = [];
    for (const literal of this.literals) {
      for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + 1)) {
        spans.push([at, at + literal.length]);
      }
    }
    if (spans.length === 0) return spans;
    const masks = [...text.matchAll(MASKS)].map((
      match,
    ): [number, number] => [match.index, match.index + match[0].length]);
    const open = spans.filter(([start, end]) => !masks.some(([from, to]) => start >= from && end <= to));
    return mergeSpans(open);
  }

  #walk(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return value;
    if (depth >= MAX_REDACT_DEPTH) return Array.isArray(value) ? DEPTH_MASK : { _: DEPTH_MASK };
    if (Array.isArray(value)) {
      let copy: unknown[] | undefined;
      for (let i = 0; i < value.length; i++) {
        const clean = this.#walk(value[i], depth + 1);
        if (clean !== value[i]) (copy ??= [...value])[i] = clean;
      }
      return copy ?? value;
    }
    return this.#walkRecord(value as Record<string, unknown>, depth);
  }

  #walkRecord(record: Record<string, unknown>, depth: number): unknown {
    let changed = false;
    const entries: [string, unknown][] = [];
    for (const key of Object.keys(record)) {
      const cleanKey = this.text(key);
      const clean = this.#walk(record[key], depth + 1);
      if (cleanKey !== key || clean !== record[key]) changed = true;
      entries.push([cleanKey, clean]);
    }
    return changed ? Object.fromEntries(entries) : record;
  }
}

function mergeSpans(spans: [number, number][]): [number, number][] {
  spans.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const merged: [number, number][] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last !== undefined && span[0] < last[1]) last[1] = Math.max(last[1], span[1]);
    else merged.push(span);
  }
  return merged;
}

/** All forms in which `secret` may be written; none for blank or very short ones. */
function writtenForms(secret: string): string[] {
  const forms = new Set<string>();
  const trimmed = secret.trim();
  if (trimmed.length < MIN_SECRET_LENGTH) return [];
  const once = JSON.stringify(trimmed).slice(1, -1);
  const escapedSlash = once.replaceAll("/", "\\/");
  const ascii = once.replace(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const html = once.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  for (const form of [trimmed, once, escapedSlash, html, ascii, JSON.stringify(once).slice(1, -1)]) {
    forms.add(form);
  }
  const url = encodeUrl(trimmed);
  for (
    const form of [
      url,
      url.replaceAll("%20", "+"),
      url.replace(/%[0-9A-F]{2}/g, (c) => c.toLowerCase()),
    ]
  ) {
    forms.add(form);
  }
  for (const form of base64Cores(trimmed)) {
    forms.add(form);
    forms.add(form.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return [...forms].filter((form) => form.length >= MIN_SECRET_LENGTH);
}

/** `encodeURIComponent` that takes lone surrogates. */
function encodeUrl(text: string): string {
  return encodeURIComponent(text.isWellFormed() ? text : text.toWellFormed());
}

/** The base64 characters that depend on `secret` alone, for each of the three places it can start in a group. */
function base64Cores(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].map((lead) => {
    const padded = new Uint8Array(lead + bytes.length);
    padded.set(bytes, lead);
    const first = Math.ceil(lead * 8 / 6);
    return base64(padded).slice(first, Math.floor(padded.length * 8 / 6));
  }).filter((core) => core.length >= 6);
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** A home directory is hidden only when it names a user below a parent (`/home/ann`, `/Users/ann`, `/root`). */
function usableHome(home: string): string {
  const clean = home.replace(/[/\\]+$/, "");
  return clean.length >= 4 && lastSegment(clean) !== "" ? clean : "";
}

function maskHome(home: string): string {
  const user = lastSegment(home);
  const at = home.indexOf(user);
  return `${home.slice(0, at)}****${home.slice(at + user.length)}`.replaceAll("$", "$$$$");
}

function lastSegment(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
