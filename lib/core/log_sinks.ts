/** Where log records go: the supervisor writes file and terminal, the engine posts to the supervisor. */
import { configureSync, type LogRecord, resetSync, type Sink } from "@logtape/logtape";
import { dirname } from "node:path";
import { HostError } from "./errors.ts";
import { LOG_ROOT } from "./log.ts";
import { fieldText, plainLine, type PlainRecord, prettyLine } from "./log_format.ts";
import { RotatingFile, type RotatingFileOptions } from "./rotating_file.ts";

/** Level below which nothing is written. */
export type LogLevel = PlainRecord["level"];

/** Options of {@link openLogs}. */
export interface LogsOptions {
  readonly level: LogLevel;
  /** Replaces secrets in any text that is about to be written. */
  readonly mask: (text: string) => string;
  /** The profile's log file; none = no file yet, see {@link Logs.attachFile}. One writer per file. */
  readonly file?: RotatingFileOptions;
  /** Stream for people or a service manager; none = nothing there. */
  readonly stream?: {
    readonly write: (text: string) => void;
    /** Pretty lines for a terminal, plain ones otherwise. */
    readonly pretty: boolean;
    readonly colour: boolean;
  };
}

/** The open logs of a process. */
export interface Logs {
  /** Writes a record that came from another thread; what is no record is dropped. */
  writeRecord(record: unknown): void;
  /**
   * Opens the log file now, once it is certain that nobody else writes it; it gets what was logged so far (the last
   * {@link KEPT_BEFORE_FILE} records).
   * @throws {LogFileTrouble}
   */
  attachFile(file: RotatingFileOptions): void;
  /** Stops logging and closes the file. */
  close(): void;
}

/** Records kept for a file that is attached later. */
const KEPT_BEFORE_FILE = 500;

/** The log file cannot be opened. */
export class LogFileTrouble extends HostError {
  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message.replace(/ \(os error.*$/, "") : String(cause);
    super(`Cannot write the log "${path}": ${reason}`, {
      code: "log_file_failed",
      hint: `check the free space and the rights of "${dirname(path)}"`,
      cause,
      facts: { path },
    });
  }
}

/**
 * Opens the process's logs; every logger of the house writes there from now on.
 * @throws {LogFileTrouble} when the file cannot be opened.
 */
export function openLogs(options: LogsOptions): Logs {
  let file = options.file === undefined ? undefined : openFile(options.file);
  let early: PlainRecord[] = [];
  const toFile = (target: RotatingFile, record: PlainRecord) =>
    target.write(plainLine(record), (lost) => plainLine(lostRecord(record.timestamp, lost)));
  const write = (record: PlainRecord) => {
    const safe = masked(record, options.mask);
    if (file !== undefined) toFile(file, safe);
    else if (early.push(safe) > KEPT_BEFORE_FILE) early.shift();
    const { stream } = options;
    if (stream !== undefined) stream.write(stream.pretty ? prettyLine(safe, stream.colour) : plainLine(safe));
  };
  configureSink((record) => write(plainRecord(record)), options.level);
  return {
    writeRecord(record) {
      if (isPlainRecord(record) && RANK[record.level] >= RANK[options.level]) write(record);
    },
    attachFile(target) {
      file?.close();
      const opened = file = openFile(target);
      for (const record of early) toFile(opened, record);
      early = [];
    },
    close() {
      resetSync();
      file?.close();
    },
  };
}

/** Sends the records of this thread elsewhere, as plain values (the engine's side). Returns what stops it. */
export function engineSink(post: (record: PlainRecord) => void, level: LogLevel): () => void {
  configureSink((record) => post(plainRecord(record)), level);
  return resetSync;
}

/** A logger's record as a plain value. */
export function plainRecord(record: LogRecord): PlainRecord {
  const [root, ...rooms] = record.category;
  const fields: Record<string, string> = {};
  for (const [key, value] of Object.entries(record.properties)) {
    if (value !== undefined) fields[key] = fieldText(value);
  }
  return {
    timestamp: record.timestamp,
    level: LEVELS[record.level] ?? "info",
    component: (root === LOG_ROOT ? rooms : record.category).join("/"),
    message: record.message.map((part) => typeof part === "string" ? part : fieldText(part)).join(""),
    fields,
  };
}

const RANK = { debug: 0, info: 1, warning: 2, error: 3 } as const;

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warning: "warning",
  error: "error",
  fatal: "error",
};

function configureSink(sink: Sink, level: LogLevel): void {
  configureSync({
    reset: true,
    sinks: { house: sink },
    loggers: [
      { category: LOG_ROOT, sinks: ["house"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: ["house"], lowestLevel: "error" },
    ],
  });
}

function openFile(options: RotatingFileOptions): RotatingFile {
  try {
    Deno.mkdirSync(dirname(options.path), { recursive: true, mode: 0o755 });
    return new RotatingFile(options);
  } catch (error) {
    throw new LogFileTrouble(options.path, error);
  }
}

function masked(record: PlainRecord, mask: (text: string) => string): PlainRecord {
  const fields: Record<string, string> = {};
  for (const [key, value] of Object.entries(record.fields)) fields[key] = mask(value);
  return { ...record, message: mask(record.message), fields };
}

function lostRecord(timestamp: number, lost: number): PlainRecord {
  return {
    timestamp,
    level: "warning",
    component: "log",
    message: "log lines could not be written",
    fields: { lost: String(lost) },
  };
}

function isPlainRecord(value: unknown): value is PlainRecord {
  if (value === null || typeof value !== "object") return false;
  const record = value as Partial<PlainRecord>;
  return typeof record.timestamp === "number" && typeof record.message === "string" &&
    typeof record.component === "string" && record.level !== undefined && record.level in RANK &&
    record.fields !== null && typeof record.fields === "object";
}
