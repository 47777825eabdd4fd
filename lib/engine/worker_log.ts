/** The engine's log sink: records go to the supervisor, which owns the files and the terminal. */
import { configureSync, type LogRecord } from "@logtape/logtape";
import { type Clock, errorText, LOG_ROOT, type Timer } from "../core/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import type { PostedRecord } from "../supervisor/mod.ts";

/** Sends every record of the house's loggers through `post`, as a plain value. */
export function postLogs(level: HostConfig["logLevel"], post: (record: PostedRecord) => void): void {
  configureSync({
    reset: true,
    sinks: { supervisor: (record: LogRecord) => post(plainRecord(record)) },
    loggers: [
      { category: [LOG_ROOT], lowestLevel: level, sinks: ["supervisor"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["supervisor"] },
    ],
  });
}

/** Longest time a record waits for others that can go with it, ms. */
const GATHER_MS = 20;
const MAX_GATHERED = 64;

/** Gathers records into few messages: each crossing of threads costs as much as ten lines. Warnings go at once. */
export class LogPost {
  #waiting: PostedRecord[] = [];
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly post: (records: readonly PostedRecord[]) => void,
  ) {}

  put(record: PostedRecord): void {
    this.#waiting.push(record);
    if (record.level !== "info" && record.level !== "debug" || this.#waiting.length >= MAX_GATHERED) {
      return this.flush();
    }
    this.#timer ??= this.clock.timer(GATHER_MS, () => this.flush());
  }

  /** Posts what waits. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const records = this.#waiting;
    this.#waiting = [];
    this.post(records);
  }
}

/** A record that survives structured cloning whatever its fields hold. */
export function plainRecord(record: LogRecord): PostedRecord {
  const text = typeof record.rawMessage === "string"
    ? record.rawMessage
    : record.message.map(String).join("");
  return {
    category: [...record.category],
    level: record.level,
    timestamp: record.timestamp,
    message: text,
    properties: Object.fromEntries(
      Object.entries(record.properties).map(([key, value]) => [key, plain(value)]),
    ),
  };
}

function plain(value: unknown): unknown {
  if (value === null || ["string", "number", "boolean", "undefined"].includes(typeof value)) return value;
  if (value instanceof Error) return errorText(value);
  if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") {
    return String(value);
  }
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    return String(value); // circular or with a throwing getter: the log line matters more than the field
  }
}
