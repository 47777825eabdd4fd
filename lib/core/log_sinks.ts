/** Where log records go: file and terminal, masked. */
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
  const out = new Outlet(options.stream);
  const write = (record: PlainRecord) => {
    const safe = masked(record, options.mask);
    if (file === undefined && early.push(safe) > KEPT_BEFORE_FILE) early.shift();
    out.add(safe, file);
  };
  configureSink((record) => write(plainRecord(record)), options.level);
  return {
    attachFile(target) {
      out.flush();
      file?.close();
      const opened = file = openFile(target);
      inOneWrite(() => early.forEach((record) => out.add(record, opened, false)));
      early = [];
    },
    close() {
      resetSync();
      out.flush();
      file?.close();
    },
  };
}

/** Outlets with something to write, while {@link inOneWrite} runs. */
let held: Set<Outlet> | undefined;

/** Runs `work`; all that it logs is written in one piece at its end. */
export function inOneWrite(work: () => void): void {
  if (held !== undefined) return work();
  held = new Set();
  try {
    work();
  } finally {
    const outlets = held;
    held = undefined;
    for (const outlet of outlets) outlet.flush();
  }
}

/** Lines on their way to file and stream. */
class Outlet {
  #file: RotatingFile | undefined;
  #toFile = "";
  #toStream = "";
  #lines = 0;
  #at = 0;

  constructor(private readonly stream: LogsOptions["stream"]) {}

  /** Adds one record, already masked; written at once outside {@link inOneWrite}. */
  add(record: PlainRecord, file: RotatingFile | undefined, streamed = true): void {
    const { stream } = this;
    const plain = plainLine(record);
    if (file !== undefined) {
      this.#file = file;
      this.#toFile += plain;
      this.#lines++;
      this.#at = record.timestamp;
    }
    if (stream !== undefined && streamed) {
      this.#toStream += stream.pretty ? prettyLine(record, stream.colour) : plain;
    }
    if (held === undefined) this.flush();
    else held.add(this);
  }

  flush(): void {
    const at = this.#at;
    const [toFile, toStream, lines] = [this.#toFile, this.#toStream, this.#lines];
    this.#toFile = this.#toStream = "";
    this.#lines = 0;
    if (toFile !== "") this.#file?.write(toFile, (lost) => plainLine(lostRecord(at, lost)), lines);
    if (toStream !== "") this.stream?.write(toStream);
  }
}

/** A logger's record as a plain value. */
function plainRecord(record: LogRecord): PlainRecord {
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
  // One look at all of it: nearly every record has nothing to mask.
  const whole = [record.message, ...Object.values(record.fields)].join("\n");
  if (mask(whole) === whole) return record;
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
