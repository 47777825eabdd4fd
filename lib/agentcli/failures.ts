/** What can go wrong in a command, the sentence the agent reads, and the exit code (spec 05 §17.3, §17.4; 03 §13). */
import { RequestError, TransportError } from "../control/mod.ts";
import { errorText, HostError } from "../core/mod.ts";
import { type ErrorClass, sentence } from "./sentences.ts";

/** The command line itself is wrong. Exit 1. */
export class UsageError extends HostError {
  constructor(message: string) {
    super(message, { code: "usage" });
  }
}

/** A check on this machine failed before, or instead of, a request. Exit 1. */
export class LocalError extends HostError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: "local", ...(cause === undefined ? {} : { cause }) });
  }
}

/** A message that says more than the general sentence; the exit code stays that of its cause. */
export class SaidError extends HostError {
  constructor(message: string, cause: unknown) {
    super(message, { code: "said", exitCode: exitCodeOf(cause), cause });
  }
}

/** `doing: cause`: says at which step a command failed; sentence and exit code stay those of the cause. */
export class StepError extends HostError {
  constructor(doing: string, cause: unknown) {
    super(`${doing}: ${errorText(cause)}`, { code: "step", exitCode: exitCodeOf(cause), cause });
  }
}

/** Runs a step; a failure names it. */
export async function step<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new StepError(doing, error);
  }
}

/** How an error is shown. */
export interface Presentation {
  readonly debug: boolean;
  readonly chinese: boolean;
}

/** The text for stderr, without final newline, and the exit code. */
export function presentFailure(error: unknown, { debug, chinese }: Presentation): {
  readonly text: string;
  readonly exitCode: number;
} {
  const cause = exchangeOf(error);
  const said = chain(error).find((one) => one instanceof SaidError);
  const text = said !== undefined
    ? errorText(said)
    : cause === undefined
    ? errorText(error)
    : sentence(classOf(cause), serverText(cause), chinese);
  const more = debug ? `\n\n${debugLines(error).join("\n")}` : "";
  return { text: text + more, exitCode: exitCodeOf(error) };
}

/** Exit code of the innermost exchange in the chain; 1 without one. */
export function exitCodeOf(error: unknown): number {
  return exchangeOf(error)?.exitCode ?? 1;
}

/** The answer's own readable words (spec 03 §13.3, §17.10): prose before machine codes; "" for none. */
export function serverText(error: RequestError | TransportError): string {
  if (!(error instanceof RequestError) || !error.body.startsWith("{")) return "";
  try {
    const fields = JSON.parse(error.body) as Record<string, unknown>;
    const words = ["error", "message", "detail", "title"].map((key) => fields[key])
      .filter((value): value is string => typeof value === "string" && value.trim() !== "");
    return (words.find((value) => !/^[a-z0-9_.-]+$/.test(value)) ?? words[0] ?? "").trim();
  } catch {
    // A body that only looks like JSON has no words for people; --debug shows it.
    return "";
  }
}

/** The locale's language: the first variable that is set decides (spec 05 §17.4). */
export function isChinese(env: Readonly<Record<string, string>>): boolean {
  const locale = [env["LC_ALL"], env["LC_MESSAGES"], env["LANG"]].find((value) => (value ?? "") !== "") ?? "";
  return locale.startsWith("zh");
}

/** True for `MULTICA_DEBUG` values that ask for it. */
export function asksDebug(value: string | undefined): boolean {
  return !["", "0", "false", "no", "off"].includes((value ?? "").trim().toLowerCase());
}

function chain(error: unknown): unknown[] {
  const all: unknown[] = [];
  for (let at = error; at !== undefined && all.length < 16; at = at instanceof Error ? at.cause : undefined) {
    all.push(at);
  }
  return all;
}

function exchangeOf(error: unknown): RequestError | TransportError | undefined {
  return chain(error).findLast((one): one is RequestError | TransportError =>
    one instanceof RequestError || one instanceof TransportError
  );
}

function classOf(error: RequestError | TransportError): ErrorClass {
  return error.code as ErrorClass;
}

function debugLines(error: unknown): string[] {
  const lines = chain(error).map((one) => `error: ${errorText(one)}`);
  const cause = exchangeOf(error);
  if (cause instanceof TransportError) {
    lines.push(`kind: ${cause.kind}`, `request: ${cause.method} ${cause.path}`);
  }
  if (cause instanceof RequestError) {
    lines.push(`request: ${cause.method} ${cause.path}`, `status: ${cause.status}`, `body: ${cause.body}`);
  }
  return lines.flatMap((line) => line.split("\n")).map((line) => `[debug] ${line}`);
}
