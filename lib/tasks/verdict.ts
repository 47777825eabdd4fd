/** What an answer of the server means for a record: `control`'s verdict table, with what each kind makes of it. */
import {
  type DeliveryVerdict,
  deliveryVerdict,
  mayHaveArrived,
  type ReportKind,
  RequestError,
  type TaskStatus,
} from "../control/mod.ts";
import { errorText } from "../core/mod.ts";

/** A server's answer, or the lack of one, as facts. */
export type Answer =
  | { readonly ok: true; readonly status: TaskStatus }
  | Refusal;

/** An answer of 400 or more, or none. */
export interface Refusal {
  readonly ok: false;
  /** HTTP status; 0 for a transport error. */
  readonly http: number;
  readonly text: string;
  readonly body: string;
  readonly retryAfterMs: number | undefined;
  /** The request may have been carried out all the same. */
  readonly mayHaveArrived: boolean;
}

/** What becomes of a record. */
export type Verdict =
  | { readonly t: "delivered" }
  | { readonly t: "parked"; readonly reason: string }
  | { readonly t: "discarded"; readonly reason: string }
  | {
    readonly t: "retry";
    readonly reason: string;
    /** What the server asked for; wins over our pace. */
    readonly afterMs: number | undefined;
    /** 0 for a transport error. */
    readonly http: number;
    /** The request may have been carried out all the same. */
    readonly mayHaveArrived: boolean;
  }
  | { readonly t: "hold"; readonly reason: string }
  /** Read the task's status and ask again with it. */
  | { readonly t: "read status" }
  /** A `complete` that cannot be: report this instead. */
  | { readonly t: "fail instead"; readonly reason: string }
  /** The body is refused as it is: send it in smaller parts, or park it. */
  | { readonly t: "refused"; readonly reason: string };

/** The facts of a thrown error: `RequestError` has a status and a body, everything else is transport. */
export function answerOf(error: unknown): Refusal {
  const request = error instanceof RequestError ? error : undefined;
  return {
    ok: false,
    http: request?.status ?? 0,
    text: errorText(error),
    body: request?.body ?? "",
    retryAfterMs: request?.retryAfterMs,
    mayHaveArrived: mayHaveArrived(error),
  };
}

/** 404 whose body says that the task itself is gone (spec 01 §1.5). */
export function taskGone(answer: Answer): boolean {
  return !answer.ok && answer.http === 404 && answer.body.toLowerCase().includes("task not found");
}

/** Transcript: anything the server refuses for good is cut smaller, then parked. */
export function messagesVerdict(answer: Answer): Verdict {
  const verdict = verdictOf("messages", answer);
  return verdict.t === "parked" && !taskGone(answer) ? { t: "refused", reason: verdict.reason } : verdict;
}

/** Pins are hints: a refusal is no loss. */
export function pinVerdict(answer: Answer): Verdict {
  const verdict = verdictOf("session", answer);
  return verdict.t === "parked" ? { t: "discarded", reason: verdict.reason } : verdict;
}

/** Usage is money: a refusal is kept for somebody to see. */
export function usageVerdict(answer: Answer): Verdict {
  return verdictOf("usage", answer);
}

/** Servers that do not know the call answer 404 or 405 (spec 01 §11.5); no refusal is a loss. */
export function cancelAckVerdict(answer: Answer): Verdict {
  if (!answer.ok && (answer.http === 404 || answer.http === 405)) {
    return { t: "discarded", reason: "the server takes no acknowledgement" };
  }
  const verdict = verdictOf("cancel_ack", answer);
  return verdict.t === "parked" ? { t: "discarded", reason: verdict.reason } : verdict;
}

/** Reports of the end. `read` is the task's status, "gone" or "unknown", once it was asked for. */
export function terminalVerdict(kind: "complete" | "fail", answer: Answer, read?: string): Verdict {
  return verdictOf(kind, answer, read);
}

function verdictOf(kind: ReportKind, answer: Answer, taskStatus?: string): Verdict {
  const verdict = deliveryVerdict(
    answer.ok ? { kind, status: 200, body: "", rowStatus: answer.status, taskStatus } : {
      kind,
      status: answer.http,
      body: answer.body,
      rowStatus: undefined,
      taskStatus,
      retryAfterMs: answer.retryAfterMs,
    },
  );
  return mapped(verdict, answer);
}

function mapped({ verdict, reason, retryAfterMs }: DeliveryVerdict, answer: Answer): Verdict {
  switch (verdict) {
    case "delivered":
      return { t: "delivered" };
    case "parked":
      return { t: "parked", reason };
    case "hold":
      return { t: "hold", reason };
    case "report_fail":
      return { t: "fail instead", reason };
    case "read_status":
      return { t: "read status" };
    case "retry":
      return {
        t: "retry",
        reason: answer.ok ? reason : answer.text,
        afterMs: retryAfterMs,
        http: answer.ok ? 200 : answer.http,
        mayHaveArrived: !answer.ok && answer.mayHaveArrived,
      };
  }
}
