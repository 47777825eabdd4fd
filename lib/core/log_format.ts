/** How a log record looks: one plain line for files, one coloured line for people. */

/** A log record, ready to be written. */
export interface PlainRecord {
  /** Wall clock, ms. */
  readonly timestamp: number;
  readonly level: "debug" | "info" | "warning" | "error";
  /** Room and what is below it, without the root: `engine`, `tasks/outbox`. */
  readonly component: string;
  readonly message: string;
  /** Values already made printable. */
  readonly fields: Readonly<Record<string, string>>;
}

const WORDS = { debug: "DBG", info: "INF", warning: "WRN", error: "ERR" } as const;

/**
 * `HH:MM:SS.mmm LVL message component=… key=value … ts=…` in local time (spec 03 §8). The desktop application reads
 * this form; the date it has no place for is in `ts`, at the end.
 */
export function plainLine(record: PlainRecord): string {
  const fields = Object.entries({ component: record.component, ...record.fields })
    .map(([key, value]) => ` ${key}=${quoted(value)}`).join("");
  return `${clockText(record.timestamp)} ${WORDS[record.level]} ${oneLine(record.message)}${fields}` +
    ` ts=${new Date(record.timestamp).toISOString()}\n`;
}

const ESC = "\x1b[";
const dim = (text: string) => `${ESC}2m${text}${ESC}0m`;
const COLOURS = { debug: "2", info: "36", warning: "33", error: "31" } as const;

/** The same for a terminal: time dimmed, level coloured, fields after the message. */
export function prettyLine(record: PlainRecord, colour: boolean): string {
  const paint = colour ? dim : (text: string) => text;
  const level = colour
    ? `${ESC}${COLOURS[record.level]}m${WORDS[record.level]}${ESC}0m`
    : WORDS[record.level];
  const fields = Object.entries(record.fields).map(([key, value]) => ` ${paint(`${key}=`)}${quoted(value)}`)
    .join("");
  return `${paint(clockText(record.timestamp))} ${level} ${oneLine(record.message)}${fields}` +
    ` ${paint(record.component)}\n`;
}

/** Makes any field value printable. */
export function fieldText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.message !== "" ? value.message : value.name;
  if (value === undefined || value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(",");
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Circular or otherwise not JSON: a log line must never fail.
    return String(value);
  }
}

function clockText(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const millis = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
}

/** Quoted when it has blanks, quotes, `=` or control characters, or is empty. */
function quoted(value: string): string {
  // deno-lint-ignore no-control-regex
  return /^[^\s"=\x00-\x1f\x7f]+$/.test(value) ? value : JSON.stringify(value);
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f]+/g, " ");
}
