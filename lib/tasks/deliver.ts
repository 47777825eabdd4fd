/** Sends one record of the journal and says what became of it. */
import type { CancelAckBody, CompleteBody, ControlApi, FailBody, UsageEntry } from "../control/mod.ts";
import type { JournalClaim, JournalRecord } from "./journal_types.ts";
import { deliverMessages } from "./deliver_messages.ts";
import {
  type Answer,
  answerOf,
  cancelAckVerdict,
  pinVerdict,
  taskGone,
  terminalVerdict,
  usageVerdict,
  type Verdict,
} from "./verdict.ts";

const decoder = new TextDecoder();

/** The calls a delivery makes. */
export type DeliveryApi = Pick<
  ControlApi,
  | "messagesEncoded"
  | "readMessages"
  | "pinSession"
  | "usage"
  | "complete"
  | "fail"
  | "cancelAck"
  | "taskStatus"
>;

/** Circumstances of a delivery. */
export interface DeliverOptions {
  readonly ambiguous: boolean;
  readonly rowByRow: boolean;
  readonly signal: AbortSignal;
}

/** One try. Rejects only when the signal aborted. */
export async function deliverRecord(
  control: DeliveryApi,
  claim: Pick<JournalClaim, "taskId">,
  record: JournalRecord,
  options: DeliverOptions,
): Promise<Verdict> {
  const { taskId } = claim;
  const { signal } = options;
  switch (record.kind) {
    case "messages": {
      const how = { control, taskId, ambiguous: options.ambiguous, rowByRow: options.rowByRow, signal };
      return (await deliverMessages(record, how)).verdict;
    }
    case "pin": {
      const body = bodyOf(record) as { session_id?: string; work_dir?: string };
      return pinVerdict(await ask(() => control.pinSession(taskId, body, { signal }), signal));
    }
    case "usage": {
      const { usage } = bodyOf(record) as { usage: readonly UsageEntry[] };
      return usageVerdict(await ask(() => control.usage(taskId, usage, { signal }), signal));
    }
    case "cancel_ack": {
      const body = bodyOf(record) as CancelAckBody;
      return cancelAckVerdict(await ask(() => control.cancelAck(taskId, body, { signal }), signal));
    }
    case "complete":
    case "fail":
      return await deliverTerminal(control, taskId, record, record.kind, signal);
  }
}

async function deliverTerminal(
  control: DeliveryApi,
  taskId: string,
  record: JournalRecord,
  kind: "complete" | "fail",
  signal: AbortSignal,
): Promise<Verdict> {
  const answer = await ask(
    () =>
      kind === "complete"
        ? control.complete(taskId, bodyOf(record) as CompleteBody, { signal })
        : control.fail(taskId, bodyOf(record) as FailBody, { signal }),
    signal,
  );
  const verdict = terminalVerdict(kind, answer);
  if (verdict.t !== "read status") return verdict;
  return terminalVerdict(kind, answer, await readStatus(control, taskId, signal));
}

/** A state, "gone", or "unknown" when it cannot be read now. */
async function readStatus(control: DeliveryApi, taskId: string, signal: AbortSignal): Promise<string> {
  try {
    return await control.taskStatus(taskId, { signal }) || "unknown";
  } catch (error) {
    if (signal.aborted) throw error;
    return taskGone(answerOf(error)) ? "gone" : "unknown";
  }
}

/** The answer of a call as facts; the row's status where the call gives one. */
async function ask(call: () => Promise<unknown>, signal: AbortSignal): Promise<Answer> {
  try {
    const row = await call() as { status?: unknown } | undefined;
    return { ok: true, status: typeof row?.status === "string" ? row.status : "" };
  } catch (error) {
    if (signal.aborted) throw error;
    return answerOf(error);
  }
}

/** The JSON value a record carries. @throws SyntaxError when it is none */
export function bodyOf(record: JournalRecord): unknown {
  return JSON.parse(decoder.decode(record.body));
}

/** The `fail` that stands in for a `complete` the server does not take; session and work directory go along. */
export function failInstead(
  complete: JournalRecord,
  reason: string,
  classify: (text: string) => string,
): string {
  const { output: _output, ...kept } = bodyOf(complete) as CompleteBody;
  const error = reason.startsWith("complete task failed: ") ? reason : `complete task failed: ${reason}`;
  const body: FailBody = { ...kept, error, failure_reason: classify(error) };
  return JSON.stringify(body);
}
