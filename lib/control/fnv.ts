/** FNV-1a 64, the hash behind profile signatures and poll offsets (spec 01 §8.1, 8.2). */

const encoder = new TextEncoder();

/** A running FNV-1a 64 in two 32-bit halves. */
export class Fnv64 {
  #high = 0xcbf29ce4;
  #low = 0x84222325;

  /** Feeds the UTF-8 bytes of `text`. */
  text(text: string): this {
    for (const byte of encoder.encode(text)) this.byte(byte);
    return this;
  }

  byte(byte: number): this {
    const low = (this.#low ^ byte) >>> 0;
    // times 2^40 + 0x1b3
    const product = low * 0x1b3;
    this.#high = (this.#high * 0x1b3 + Math.floor(product / 0x1_0000_0000) + (low << 8 >>> 0)) >>> 0;
    this.#low = product >>> 0;
    return this;
  }

  /** The hash so far, unsigned. */
  get value(): bigint {
    return BigInt(this.#high) << 32n | BigInt(this.#low);
  }

  /** Lower-case hexadecimal without leading zeros. */
  get hex(): string {
    return this.value.toString(16);
  }
}

/** The hash of one text. */
export function fnv1a64(text: string): bigint {
  return new Fnv64().text(text).value;
}
