/** Closed usage windows: "session limit · resets 12:50am (Asia/Shanghai)" and its kin (decisions: usage window). */
import type { UsageWindow } from "./contract.ts";

const CLOSED =
  /\b(?:(?:session|weekly|daily|monthly|hourly|\d+[- ]?hours?|usage|opus|sonnet|message)\s+limit|you[’']ve hit your (?:\S+ ){0,2}limit|limit reached)/i;
const REOPENS = /\b(?:resets?|try again|available again|renews?)\b|\|\s*\d{10}\b/i;

/** True for a text that says a usage window is closed until a later time. Rate limits of a minute are none. */
export function isUsageWindowClosed(text: string): boolean {
  return CLOSED.test(text) && REOPENS.test(text) && !/\brate limit/i.test(text);
}

/**
 * Reads when a closed usage window opens again.
 * @param now wall clock, ms since the epoch
 * @param zone IANA zone for times without one, e.g. `Europe/Berlin`
 * @returns undefined when the text speaks of no window; `resetsAt` "" when it names no time that can be resolved
 */
export function parseUsageWindow(text: string, now: number, zone: string): UsageWindow | undefined {
  if (!isUsageWindowClosed(text)) return undefined;
  const words = clip(text);
  const at = epochStamp(text) ?? relative(text, now) ?? isoStamp(text) ?? clockTime(text, now, zone);
  return { resetsAt: at === undefined ? "" : new Date(at).toISOString(), text: words };
}

/** The line that speaks of the limit, at most 300 characters. */
function clip(text: string): string {
  const line = text.split("\n").find((candidate) => CLOSED.test(candidate)) ?? text;
  return line.trim().slice(0, 300);
}

/** `usage limit reached|1751342400`, seconds since the epoch. */
function epochStamp(text: string): number | undefined {
  const match = /\|\s*(\d{10})\b/.exec(text);
  return match === null ? undefined : Number(match[1]) * 1000;
}

function isoStamp(text: string): number | undefined {
  const match = /\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)/.exec(text);
  const at = match === null ? NaN : Date.parse(match[0]);
  return Number.isNaN(at) ? undefined : at;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/** `try again in 3 days 4 hours 12 minutes`, `resets in 2h 5m`. */
function relative(text: string, now: number): number | undefined {
  const match =
    /\b(?:try again|resets?|available again)\s+in\s+((?:(?:about|and|less than a|an?|\d+)[\s,]*)?(?:\d*\s*(?:days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b[\s,]*(?:and\s+)?)+)/i
      .exec(text);
  if (match === null) return undefined;
  let total = 0;
  for (
    const part of match[1]!.matchAll(
      /(\d+|\ban?\b)\s*(days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b/gi,
    )
  ) {
    const count = /^an?$/i.test(part[1]!) ? 1 : Number(part[1]);
    total += count * (UNIT_MS[part[2]!.charAt(0).toLowerCase()] ?? 0);
  }
  return total === 0 ? undefined : now + total;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Date and time words as they stand in a notice; undefined parts were not said. */
interface Said {
  readonly year: number | undefined;
  readonly month: number | undefined;
  readonly day: number | undefined;
  readonly weekday: number | undefined;
  readonly tomorrow: boolean;
  readonly hour: number;
  readonly minute: number;
}

/** `resets 12:50am (Asia/Shanghai)`, `try again at Nov 28th, 2026 5:42 PM`, `resets Oct 13, 10am`, `resets Mon 9am`. */
function clockTime(text: string, now: number, zone: string): number | undefined {
  const tail = /\b(?:try again|resets?|available again|renews?)\b([\s\S]{0,80})/i.exec(text)?.[1];
  if (tail === undefined) return undefined;
  const said = readWords(tail);
  if (said === undefined) return undefined;
  const named = /\(([A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)*)\)/.exec(tail)?.[1];
  const inZone = named !== undefined && isZone(named) ? named : zone;
  return isZone(inZone) ? nextInstant(said, now, inZone) : undefined;
}

function readWords(tail: string): Said | undefined {
  const time = /\b(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*([ap])\.?m\b|\b(\d{1,2}):(\d\d)\b/i.exec(tail);
  const date =
    /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?/i
      .exec(tail);
  const weekday = /\b(sun|mon|tue|wed|thu|fri|sat)[a-z]*\b/i.exec(tail);
  if (time === null && date === null) return undefined;
  const half = time?.[3]?.toLowerCase();
  const rawHour = Number(time?.[1] ?? time?.[4] ?? 0);
  const hour = half === undefined ? rawHour : rawHour % 12 + (half === "p" ? 12 : 0);
  const minute = Number(time?.[2] ?? time?.[5] ?? 0);
  if (hour > 23 || minute > 59 || (half !== undefined && rawHour > 12)) return undefined;
  return {
    year: date?.[3] === undefined ? undefined : Number(date[3]),
    month: date === null ? undefined : MONTHS.indexOf(date[1]!.toLowerCase()) + 1,
    day: date === null ? undefined : Number(date[2]),
    weekday: weekday === null ? undefined : WEEKDAYS.indexOf(weekday[1]!.toLowerCase()),
    tomorrow: /\btomorrow\b/i.test(tail),
    hour,
    minute,
  };
}

/** The first instant after `now` that reads like `said` on a clock in `zone`. */
function nextInstant(said: Said, now: number, zone: string): number | undefined {
  const today = localDate(now, zone);
  if (said.month !== undefined && said.day !== undefined) {
    const year = said.year ?? today.year;
    const at = instantOf(year, said.month, said.day, said, zone);
    const passed = said.year === undefined && at < now - 86_400_000;
    return passed ? instantOf(year + 1, said.month, said.day, said, zone) : at;
  }
  for (let ahead = said.tomorrow ? 1 : 0; ahead <= 8; ahead++) {
    const day = new Date(Date.UTC(today.year, today.month - 1, today.day + ahead));
    if (said.weekday !== undefined && day.getUTCDay() !== said.weekday) continue;
    const at = instantOf(day.getUTCFullYear(), day.getUTCMonth() + 1, day.getUTCDate(), said, zone);
    if (at > now) return at;
  }
  return undefined;
}

/** Milliseconds since the epoch of a wall-clock reading in `zone`; a reading a clock change skips moves forward. */
function instantOf(year: number, month: number, day: number, time: Said, zone: string): number {
  const asUtc = Date.UTC(year, month - 1, day, time.hour, time.minute);
  const first = asUtc - offsetMs(asUtc, zone);
  return asUtc - offsetMs(first, zone);
}

function offsetMs(at: number, zone: string): number {
  const local = localParts(at, zone);
  const asUtc = Date.UTC(
    local["year"]!,
    local["month"]! - 1,
    local["day"]!,
    local["hour"]! % 24,
    local["minute"]!,
    local["second"]!,
  );
  return asUtc - Math.trunc(at / 1000) * 1000;
}

function localDate(at: number, zone: string): { year: number; month: number; day: number } {
  const local = localParts(at, zone);
  return { year: local["year"]!, month: local["month"]!, day: local["day"]! };
}

function localParts(at: number, zone: string): Record<string, number> {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return Object.fromEntries(format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
