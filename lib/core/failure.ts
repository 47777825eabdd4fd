/** Errors as plain values, for crossing from one thread to another. */
import { errorText, HostError } from "./errors.ts";

/** What survives of an error between threads. */
export interface Failure {
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string;
}

/** Any thrown value as a plain one. What is no {@link HostError} gets the code `internal`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof HostError) {
    return { message: error.message, code: error.code, exitCode: error.exitCode, hint: error.hint ?? "" };
  }
  return { message: errorText(error), code: "internal", exitCode: 1, hint: "" };
}

/** The error again, on the other side. */
export function errorFromFailure(failure: Failure): HostError {
  return new HostError(failure.message, {
    code: failure.code,
    exitCode: failure.exitCode,
    ...(failure.hint === "" ? {} : { hint: failure.hint }),
  });
}
