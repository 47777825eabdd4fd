/** The kinds of settings: how each is read from text or JSON, and printed. */
import { isAbsolute } from "node:path";
import { formatDuration, parseDuration, splitWords } from "../core/mod.ts";

/** How values of one kind are read and shown. */
export interface Kind<T> {
  /** Takes a trimmed text (flag, environment) or a JSON value (file). `undefined` = it is to be ignored. @throws {Refused} */
  readonly read: (raw: unknown) => T | undefined;
  /** What would be right, after "use". */
  readonly want: string;
  readonly print: (value: T) => string;
}

/** A value that cannot be used; the message is the reason, for people. */
export class Refused extends Error {}

/** The value of a kind, or why it is refused. Plain code: every start reads all settings before anything else. */
export function readKind<T>(
  kind: Kind<T>,
  raw: unknown,
): { readonly value: T | undefined; readonly refused?: never } | { readonly refused: string } {
  try {
    return { value: kind.read(raw) };
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
}

/** Limits of a duration, in ms. */
export interface DurationLimits {
  readonly min: number;
  readonly max?: number;
  /** What zero means, for those that may be zero: "no limit", "off". */
  readonly zero?: string;
  /** Values ≤ 0 are ignored, as older versions did. */
  readonly ignoreNonPositive?: boolean;
  readonly example: string;
}

/** A duration in ms. */
export function duration(limits: DurationLimits): Kind<number> {
  const range = limits.zero !== undefined
    ? `, or 0 for ${limits.zero}`
    : limits.max !== undefined
    ? ` from ${short(limits.min)} to ${short(limits.max)}`
    : ` of at least ${short(limits.min)}`;
  return {
    want: `a duration${range}, such as ${limits.example}`,
    print: (ms) => ms === 0 && limits.zero !== undefined ? `0 (${limits.zero})` : short(ms),
    read: (raw) => {
      const text = asText(raw, "invalid duration, it is not written as text");
      const ms = or("invalid duration, ", () => parseDuration(text));
      if (ms <= 0 && limits.ignoreNonPositive) return undefined;
      if (ms === 0 && limits.zero !== undefined) return 0;
      if (ms < limits.min) throw new Refused("it is too short");
      if (limits.max !== undefined && ms > limits.max) throw new Refused("it is too long");
      return ms;
    },
  };
}

/** A whole number. `lenient`: what cannot be used is ignored (spec 03 §17.7). */
export function integer(limits: { min: number; max: number; lenient?: boolean }): Kind<number> {
  return {
    want: `a whole number from ${limits.min} to ${limits.max}`,
    print: String,
    read: (raw) => {
      if (typeof raw !== "number" && typeof raw !== "string") {
        throw new Refused("invalid integer, it is no number");
      }
      const value = typeof raw === "number" ? raw : /^[+-]?\d+$/.test(raw) ? Number(raw) : NaN;
      const wrong = !Number.isSafeInteger(value)
        ? "invalid integer"
        : value < limits.min
        ? "it is too small"
        : value > limits.max
        ? "it is too large"
        : "";
      if (wrong === "") return value;
      if (limits.lenient) return undefined;
      throw new Refused(wrong);
    },
  };
}

/** On or off by exact words; other texts mean `other` (undefined = ignored). JSON booleans always count. */
export function toggle(
  words: { on: readonly string[]; off: readonly string[]; other?: boolean },
): Kind<boolean> {
  return {
    want: "true or false",
    print: (value) => value ? "on" : "off",
    read: (raw) => {
      if (typeof raw === "boolean") return raw;
      const word = asText(raw, "it is neither true nor false").toLowerCase();
      if (words.on.includes(word)) return true;
      return words.off.includes(word) ? false : words.other;
    },
  };
}

/** Any text. */
export function text(want = "text"): Kind<string> {
  return { want, print: (value) => value, read: (raw) => asText(raw) };
}

/** A text made into its normal form, or refused with the reason `normalise` throws. */
export function checked(want: string, normalise: (text: string) => string): Kind<string> {
  return {
    want,
    print: (value) => value,
    read: (raw) => {
      const text = asText(raw).trim();
      return or("", () => normalise(text));
    },
  };
}

/** A comma list, or a JSON array of texts. Items are trimmed; empty ones and those `keep` refuses are dropped. */
export function list(want: string, keep: (item: string) => boolean = () => true): Kind<readonly string[]> {
  return {
    want,
    print: (items) => items.join(","),
    read: (raw) => {
      const items: unknown[] | undefined = typeof raw === "string"
        ? raw.split(",")
        : Array.isArray(raw)
        ? raw
        : undefined;
      if (!items?.every((item) => typeof item === "string")) throw new Refused("it is no list of texts");
      return items.map((item) => item.trim()).filter((item) => item !== "" && keep(item));
    },
  };
}

/** A comma list as {@link list} of which every item must be a command name, an absolute path or `*`. */
export function commands(): Kind<readonly string[]> {
  const { want, print, read } = list("names or absolute paths, comma-separated");
  return {
    want,
    print,
    read: (raw) => {
      const items = read(raw);
      const wrong = items?.find((item) => /[/\\]/.test(item) && !isAbsolute(item));
      if (wrong !== undefined) {
        throw new Refused(`"${wrong}" is neither a command name nor an absolute path`);
      }
      return items;
    },
  };
}

/** One line of arguments (spec 03 §5.5). */
export function words(): Kind<readonly string[]> {
  return {
    want: `arguments as in a shell, such as --max-turns 60 --note "two words"`,
    print: (items) =>
      items.map((item) => /^[\w./:=@%+-]+$/.test(item) ? item : JSON.stringify(item)).join(" "),
    read: (raw) => {
      const line = asText(raw);
      return or("", () => splitWords(line));
    },
  };
}

/** One of a few words, any case; `other` is what unknown words mean. */
export function choice<T extends string>(map: Readonly<Record<string, T>>, other: T): Kind<T> {
  return {
    want: `one of ${Object.keys(map).join(", ")}`,
    print: (value) => value,
    read: (raw) => map[asText(raw).toLowerCase()] ?? other,
  };
}

function asText(raw: unknown, reason = "it is no text"): string {
  if (typeof raw !== "string") throw new Refused(reason);
  return raw;
}

/** What `work` gives, or its complaint as the reason. */
function or<T>(lead: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refused(lead + (error as Error).message);
  }
}

/** `1m0s` → `1m`, `24h0m0s` → `24h`: for people. */
function short(ms: number): string {
  return formatDuration(ms).replace(/(?<=[hm])0s$/, "").replace(/(?<=h)0m$/, "");
}
