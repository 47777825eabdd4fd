/** The managed block in a brief file, byte for byte (spec 05 §4, 04 §6.5). Pure text. */

/** First line of the block. Files on disk carry it: never change it. */
export const BRIEF_BEGIN = "<!-- BEGIN MULTICA-RUNTIME (auto-managed; do not edit) -->";
/** Last line of the block. */
export const BRIEF_END = "<!-- END MULTICA-RUNTIME -->";

const SEPARATOR = "\n\n";

/** Where a block stands in a text. */
export interface BlockPlace {
  readonly start: number;
  readonly end: number;
}

/** The block around a brief. */
export function briefBlock(brief: string): string {
  return `${BRIEF_BEGIN}\n${brief.replace(/\n+$/, "")}\n${BRIEF_END}\n`;
}

/** Finds the first block; one without an end marker reaches to the end of the text. */
export function findBlock(text: string): BlockPlace | undefined {
  const start = text.indexOf(BRIEF_BEGIN);
  if (start < 0) return undefined;
  const marker = text.indexOf(BRIEF_END, start + BRIEF_BEGIN.length);
  if (marker < 0) return { start, end: text.length };
  const end = marker + BRIEF_END.length;
  return { start, end: text[end] === "\n" ? end + 1 : end };
}

/** The file with the block of `brief`; `undefined` = there is no file yet. What is not ours stays as it is. */
export function withBlock(existing: string | undefined, brief: string): string {
  const block = briefBlock(brief);
  if (existing === undefined) return block;
  const place = findBlock(existing);
  return place === undefined
    ? existing + SEPARATOR + block
    : existing.slice(0, place.start) + block + existing.slice(place.end);
}

/**
 * The file without its block: its text, `undefined` to delete it, or "unchanged" when it has none.
 * `preexisted` says whether the file was there before the block was first written; where nobody remembers, a blank line
 * before the block is taken for the sign that it was.
 */
export function withoutBlock(existing: string, preexisted?: boolean): string | undefined | "unchanged" {
  const place = findBlock(existing);
  if (place === undefined) return "unchanged";
  const before = existing.slice(0, place.start);
  const separated = before.endsWith(SEPARATOR);
  const was = preexisted ?? separated;
  const rest = (was && separated ? before.slice(0, -SEPARATOR.length) : before) + existing.slice(place.end);
  return rest === "" && !was ? undefined : rest;
}
