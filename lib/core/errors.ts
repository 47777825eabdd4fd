/** The one error family of the house: a stable code, an exit code, a hint, and the facts. */

/** Options of every {@link HostError}. */
export interface HostErrorOptions {
  /** Stable machine name, `snake_case`. */
  readonly code: string;
  /** Process exit code when the error ends a command (spec 03 §13.2). Default 1. */
  readonly exitCode?: number;
  /** What the user should do next; often a command line. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Facts for the log (`status`, `path`, …); never secrets. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** An error people or callers act on. The message says what happened to what. */
export class HostError extends Error {
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(message: string, options: HostErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.exitCode = options.exitCode ?? 1;
    this.hint = options.hint;
    this.facts = options.facts ?? {};
  }
}

/** The text of any thrown value, with the causes it carries, for logs and reports. */
export function errorText(error: unknown): string {
  if (error instanceof Error) {
    return error.message !== "" ? error.message : error.name;
  }
  return String(error);
}

/** True for the error an aborted signal throws, whatever its reason was wrapped in. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError" ||
    error instanceof Error && error.name === "AbortError" ||
    error instanceof ScopeClosed;
}

/** The reason with which a {@link Scope} aborts its signal. */
export class ScopeClosed extends Error {
  override readonly name = "ScopeClosed";
}

/** A reason for aborting what nobody asks why it ended: an `abort()` without one makes an error with a stack each time. */
export const OVER: ScopeClosed = new ScopeClosed("over");
