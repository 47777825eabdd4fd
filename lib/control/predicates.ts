/** What an error of the control client means. The only place that reads English bodies (spec 01 §1.5). */
import { RequestError, TransportError } from "./errors.ts";

/** An HTTP status was answered. */
export function isRequestError(error: unknown): error is RequestError {
  return error instanceof RequestError;
}

/** 401. No proof of revocation: warn and go on (spec 01 §2.2). */
export function isUnauthorized(error: unknown): error is RequestError {
  return error instanceof RequestError && error.status === 401;
}

/** 404 that names the task: it is deleted, or never was. */
export function isTaskGone(error: unknown): error is RequestError {
  return isGone(error, "task not found");
}

/** 404 that names the runtime: its row is deleted. */
export function isRuntimeGone(error: unknown): error is RequestError {
  return isGone(error, "runtime not found");
}

/** 404 that names the workspace. */
export function isWorkspaceGone(error: unknown): error is RequestError {
  return isGone(error, "workspace not found");
}

/** 404 of any text: no such thing, no such route, or no access. */
export function isNotFound(error: unknown): error is RequestError {
  return error instanceof RequestError && error.status === 404;
}

/** The server does not know the route at all: a plain 404 of its router or a 405. */
export function isRouteMissing(error: unknown): error is RequestError {
  return error instanceof RequestError &&
    (error.status === 405 || error.status === 404 && routeMissing(error.body));
}

/** Worth another try: 5xx, 408, 429, and everything without a status. An abort is the caller's own and is neither. */
export function isTransient(error: unknown): boolean {
  if (error instanceof RequestError) return transientStatus(error.status);
  return error instanceof TransportError;
}

/** Every other status of 400 or more. */
export function isPermanent(error: unknown): error is RequestError {
  return error instanceof RequestError && !transientStatus(error.status);
}

/** True when the request may have been carried out although it failed: read back before sending again. */
export function mayHaveArrived(error: unknown): boolean {
  if (error instanceof RequestError) return error.status >= 500 || error.status === 408;
  if (!(error instanceof TransportError)) return true;
  return error.kind !== "network_dns" && error.kind !== "network_refused" && error.kind !== "network_tls";
}

/** Statuses that are worth another try. */
export function transientStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

/** True for the body a router answers for a path it does not have. */
export function routeMissing(body: string): boolean {
  return body.trim().toLowerCase() === "404 page not found";
}

function isGone(error: unknown, text: string): boolean {
  return error instanceof RequestError && error.status === 404 && error.body.toLowerCase().includes(text);
}
