/** Durations as people write them (`90s`, `1h30m`, `2d`) and as the protocol prints them (`1h0m0s`). */

/** Nanoseconds of each unit. */
const UNIT_NS: Readonly<Record<string, bigint>> = {
  "ns": 1n,
  "us": 1000n,
  "µs": 1000n,
  "μs": 1000n,
  "ms": 1_000_000n,
  "s": 1_000_000_000n,
  "m": 60_000_000_000n,
  "h": 3_600_000_000_000n,
  "d": 86_400_000_000_000n,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/y;

/** The protocol counts in 64-bit nanoseconds (about 292 years). */
const MAX_NS = 2n ** 63n - 1n;

/** What {@link parseDuration} throws; the text is the reason alone, without the value's name. */
export class InvalidDuration extends SyntaxError {
  override readonly name = "InvalidDuration";
  constructor(readonly text: string, reason: string) {
    super(reason);
  }
}

/**
 * Reads a duration: a sequence of `<decimal><unit>` with units `ns us µs ms s m h d` and an optional sign, or
 * plain `0` (spec 03 §5.4, 01 §1.7).
 * @returns milliseconds, exact to the nanosecond.
 * @throws {InvalidDuration}
 */
export function parseDuration(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  if (body === "") throw new InvalidDuration(text, "it is empty");
  if (/^(\d+\.?\d*|\.\d+)$/.test(body)) throw new InvalidDuration(text, "it has no unit");
  let total = 0n;
  PART.lastIndex = 0;
  for (let at = 0; at < body.length; at = PART.lastIndex) {
    const part = PART.exec(body);
    if (part === null) throw new InvalidDuration(text, `cannot read "${body.slice(at, at + 20)}"`);
    total += scaled(part[1]!, UNIT_NS[part[2]!]!);
  }
  if (total > MAX_NS) throw new InvalidDuration(text, "it is too long");
  return sign * (Number(total / 1_000_000n) + Number(total % 1_000_000n) / 1e6);
}

/** `decimal` × `unit` in whole nanoseconds, without rounding through floating point. */
function scaled(decimal: string, unit: bigint): bigint {
  const [whole = "", fraction = ""] = decimal.split(".");
  return BigInt(whole) * unit + BigInt(fraction) * unit / 10n ** BigInt(fraction.length);
}

/** Prints `ms` in the protocol's form: `0s`, `250ms`, `1.5s`, `1m30s`, `24h0m0s` (spec 03 §5.4). */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? "-" : "";
  const abs = Math.abs(ms);
  if (abs === 0) return "0s";
  if (abs < 1e-3) return `${sign}${decimal(abs * 1e6)}ns`;
  if (abs < 1) return `${sign}${decimal(abs * 1e3)}µs`;
  if (abs < 1000) return `${sign}${decimal(abs)}ms`;
  const hours = Math.floor(abs / 3_600_000);
  const minutes = Math.floor(abs / 60_000) % 60;
  const seconds = `${decimal((abs % 60_000) / 1000, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** `value` with at most `digits` decimals and no trailing zeros. */
function decimal(value: number, digits = 6): string {
  const fixed = value.toFixed(digits);
  return fixed.replace(/\.?0+$/, "");
}
