/** The kinds of settings: how each is read from text or JSON, and printed. */
import { isAbsolute } from "node:path";
import * as z from "zod";
import { formatDuration, parseDuration, splitWords } from "../core/mod.ts";

/** How values of one kind are read and shown. */
export interface Kind<T> {
  /** Takes a trimmed text (flag, environment) or a JSON value (file). `undefined` = value is to be ignored. */
  readonly schema: z.ZodType<T | undefined>;
  /** What would be right, after "use". */
  readonly want: string;
  readonly print: (value: T) => string;
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
    schema: z.string("invalid duration, it is not written as text").transform((text, ctx) => {
      let ms: number;
      try {
        ms = parseDuration(text);
      } catch (error) {
        return refuse(ctx, `invalid duration, ${(error as Error).message}`);
      }
      if (ms <= 0 && limits.ignoreNonPositive) return undefined;
      if (ms === 0 && limits.zero !== undefined) return 0;
      if (ms < limits.min) return refuse(ctx, "it is too short");
      if (limits.max !== undefined && ms > limits.max) return refuse(ctx, "it is too long");
      return ms;
    }),
  };
}

/** A whole number. `lenient`: what cannot be used is ignored (spec 03 §17.7). */
export function integer(limits: { min: number; max: number; lenient?: boolean }): Kind<number> {
  const schema = z.union([z.string(), z.number()], "invalid integer, it is no number").transform(
    (raw, ctx) => {
      const value = typeof raw === "number" ? raw : /^[+-]?\d+$/.test(raw) ? Number(raw) : NaN;
      const wrong = !Number.isSafeInteger(value)
        ? "invalid integer"
        : value < limits.min
        ? "it is too small"
        : value > limits.max
        ? "it is too large"
        : "";
      if (wrong === "") return value;
      return limits.lenient ? undefined : refuse(ctx, wrong);
    },
  );
  return { want: `a whole number from ${limits.min} to ${limits.max}`, print: String, schema };
}

/** On or off by exact words; other texts mean `other` (undefined = ignored). JSON booleans always count. */
export function toggle(
  words: { on: readonly string[]; off: readonly string[]; other?: boolean },
): Kind<boolean> {
  return {
    want: "true or false",
    print: (value) => value ? "on" : "off",
    schema: z.union([z.boolean(), z.string()], "it is neither true nor false").transform((raw) => {
      if (typeof raw === "boolean") return raw;
      if (words.on.includes(raw.toLowerCase())) return true;
      return words.off.includes(raw.toLowerCase()) ? false : words.other;
    }),
  };
}

/** Any text. */
export function text(want = "text"): Kind<string> {
  return { want, print: (value) => value, schema: z.string("it is no text") };
}

/** A text made into its normal form, or refused with the reason `normalise` throws. */
export function checked(want: string, normalise: (text: string) => string): Kind<string> {
  return {
    want,
    print: (value) => value,
    schema: z.string("it is no text").transform((raw, ctx) => {
      try {
        return normalise(raw.trim());
      } catch (error) {
        return refuse(ctx, (error as Error).message);
      }
    }),
  };
}

/** A comma list, or a JSON array of texts. Items are trimmed; empty ones and those `keep` refuses are dropped. */
export function list(want: string, keep: (item: string) => boolean = () => true): Kind<readonly string[]> {
  return {
    want,
    print: (items) => items.join(","),
    schema: z.union(
      [z.string().transform((raw) => raw.split(",")), z.array(z.string())],
      "it is no list of texts",
    )
      .transform((items) => items.map((item) => item.trim()).filter((item) => item !== "" && keep(item))),
  };
}

/** A comma list as {@link list} of which every item must be a command name, an absolute path or `*`. */
export function commands(): Kind<readonly string[]> {
  const { want, print, schema } = list("names or absolute paths, comma-separated");
  const checkedSchema = schema.superRefine((items, ctx) => {
    const wrong = items?.find((item) => /[/\\]/.test(item) && !isAbsolute(item));
    if (wrong !== undefined) refuse(ctx, `"${wrong}" is neither a command name nor an absolute path`);
  });
  return { want, print, schema: checkedSchema };
}

/** One line of arguments (spec 03 §5.5). */
export function words(): Kind<readonly string[]> {
  return {
    want: `arguments as in a shell, such as --max-turns 60 --note "two words"`,
    print: (items) =>
      items.map((item) => /^[\w./:=@%+-]+$/.test(item) ? item : JSON.stringify(item)).join(" "),
    schema: z.string("it is no text").transform((raw, ctx) => {
      try {
        return splitWords(raw);
      } catch (error) {
        return refuse(ctx, (error as Error).message);
      }
    }),
  };
}

/** One of a few words, any case; `other` is what unknown words mean. */
export function choice<T extends string>(map: Readonly<Record<string, T>>, other: T): Kind<T> {
  return {
    want: `one of ${Object.keys(map).join(", ")}`,
    print: (value) => value,
    schema: z.string("it is no text").transform((raw) => map[raw.toLowerCase()] ?? other),
  };
}

function refuse(ctx: z.RefinementCtx, message: string): never {
  ctx.addIssue({ code: "custom", message });
  return z.NEVER;
}

/** `1m0s` → `1m`, `24h0m0s` → `24h`: for people. */
function short(ms: number): string {
  return formatDuration(ms).replace(/(?<=[hm])0s$/, "").replace(/(?<=h)0m$/, "");
}
