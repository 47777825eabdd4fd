/** Byte-exact text helpers. */

const encoder = new TextEncoder();

/** UTF-8 length of `text` in bytes. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLow(text.charCodeAt(i + 1))) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** The longest prefix of whole characters with at most `maxBytes` UTF-8 bytes. */
export function cutUtf8(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const { read } = encoder.encodeInto(text, new Uint8Array(maxBytes));
  const end = read > 0 && read < text.length && isLow(text.charCodeAt(read)) ? read - 1 : read;
  return read === text.length ? text : text.slice(0, end);
}

/** What the wire takes: NUL removed, lone surrogates replaced (spec 01 §1.3). */
export function wireText(text: string): string {
  const clean = text.includes("\0") ? text.replaceAll("\0", "") : text;
  return clean.isWellFormed() ? clean : clean.toWellFormed();
}
