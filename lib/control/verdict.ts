/** What becomes of a journalled report after an answer: one pure function (guides/reliability.md §3, spec 01 §4.19). */
import { routeMissing, transientStatus } from "./predicates.ts";
import { TERMINAL_STATES } from "./types.ts";

/** What a journalled record reports. */
export type ReportKind = "start" | "messages" | "session" | "usage" | "complete" | "fail" | "cancel_ack";

/** What is known after an attempt. */
export interface DeliveryFacts {
  readonly kind: ReportKind;
  /** HTTP status; 0 = no usable answer. */
  readonly status: number;
  /** Body of an error answer. */
  readonly body: string;
  /** `status` of the row a 2xx answer carried; undefined where the call returns none. */
  readonly rowStatus: string | undefined;
  /**
   * The task's status as read after a `read_status` verdict: a state, "gone" for 404 `task not found`, "unknown"
   * when it could not be read. undefined = not asked yet.
   */
  readonly taskStatus?: string | undefined;
  /** `Retry-After`, ms. */
  readonly retryAfterMs?: number | undefined;
}

export type DeliveryOutcome = "delivered" | "parked" | "retry" | "hold" | "report_fail" | "read_status";

/** The decision and why. */
export interface DeliveryVerdict {
  /**
   * delivered: the record may go. parked: keep it aside, it will never be accepted. retry: again later. hold: the
   * whole queue waits for a login. report_fail: close this record and report the task as failed instead.
   * read_status: read the task's status and ask again.
   */
  readonly verdict: DeliveryOutcome;
  readonly reason: string;
  /** The server's own pace; wins over ours. */
  readonly retryAfterMs?: number;
}

/** States of a task that has not been started. */
const NOT_STARTED: ReadonlySet<string> = new Set(["queued", "dispatched", "waiting_local_directory"]);

/** The state each report wants the row to be in; the others carry no row. */
const WANTED: Readonly<Partial<Record<ReportKind, string>>> = {
  start: "running",
  complete: "completed",
  fail: "failed",
};

/** The verdict on one attempt. */
export function deliveryVerdict(facts: DeliveryFacts): DeliveryVerdict {
  const { kind, status, body, retryAfterMs } = facts;
  if (status >= 200 && status < 300) return accepted(facts);
  if (status === 401) return { verdict: "hold", reason: "the server refuses the token" };
  if (status === 403) return { verdict: "hold", reason: "the server forbids it" };
  if (kind === "cancel_ack" && (status === 405 || status === 404 && routeMissing(body))) {
    return { verdict: "delivered", reason: "the server takes no cancel acknowledgement" };
  }
  if (status === 404) {
    return body.toLowerCase().includes("task not found")
      ? { verdict: "parked", reason: "task gone" }
      : retry(`not found: ${body}`, retryAfterMs);
  }
  if (status === 0) return retry("no answer", retryAfterMs);
  if (transientStatus(status)) return retry(`the server answered ${status}`, retryAfterMs);
  if (WANTED[kind] === undefined) {
    return { verdict: "parked", reason: `refused with ${status}: ${body}` };
  }
  return refused(facts);
}

/** A permanent refusal of start, complete or fail: only the task's own state tells what it means. */
function refused(facts: DeliveryFacts): DeliveryVerdict {
  const { kind, status, body, taskStatus, retryAfterMs } = facts;
  if (taskStatus === undefined) return { verdict: "read_status", reason: `refused with ${status}: ${body}` };
  if (taskStatus === "unknown") return retry("the task's status cannot be read", retryAfterMs);
  if (kind === "complete" && taskStatus === "running" && status !== 400) {
    return { verdict: "report_fail", reason: `complete task failed: returned ${status}: ${body}` };
  }
  return settled(kind, taskStatus, `refused with ${status}: ${body}`);
}

/** A 2xx proves nothing by itself: the row does. */
function accepted(facts: DeliveryFacts): DeliveryVerdict {
  const { kind, rowStatus, taskStatus } = facts;
  if (WANTED[kind] === undefined) return { verdict: "delivered", reason: "accepted" };
  const state = rowStatus === undefined || rowStatus === "" ? taskStatus : rowStatus;
  if (state === undefined) return { verdict: "read_status", reason: "the answer names no state" };
  if (state === "unknown") return retry("the task's status cannot be read", facts.retryAfterMs);
  return settled(kind, state, `answered 2xx, task still ${state}`);
}

function settled(kind: ReportKind, state: string, otherwise: string): DeliveryVerdict {
  if (state === WANTED[kind]) return { verdict: "delivered", reason: `task is ${state}` };
  if (TERMINAL_STATES.has(state)) return { verdict: "parked", reason: `already settled as ${state}` };
  if (state === "gone") return { verdict: "parked", reason: "task gone" };
  if (kind === "complete" && NOT_STARTED.has(state)) {
    return { verdict: "report_fail", reason: `the server never saw the task start: it is ${state}` };
  }
  if (kind === "fail" && state === "queued") {
    return { verdict: "parked", reason: "the task is queued again" };
  }
  return retry(otherwise);
}

function retry(reason: string, retryAfterMs?: number): DeliveryVerdict {
  return { verdict: "retry", reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
