/** Sends one stretch of transcript: read back first when in doubt, only what is missing, smaller when refused. */
import type { ControlApi, TaskMessage } from "../control/mod.ts";
import { getLog } from "../core/mod.ts";
import type { JournalRecord } from "./journal_types.ts";
import { type Answer, answerOf, messagesVerdict, type Verdict } from "./verdict.ts";

const log = getLog("tasks", "outbox");

/** What {@link deliverMessages} may do besides the record itself. */
export interface MessageDelivery {
  readonly control: Pick<ControlApi, "messagesEncoded" | "readMessages">;
  readonly taskId: string;
  /** An earlier try may have stored some of it. */
  readonly ambiguous: boolean;
  /** Send row by row: the server fails on the whole again and again. */
  readonly rowByRow: boolean;
  readonly signal: AbortSignal;
}

/** Verdict on the record; `rest` is the body of what must still be kept when it is parked or tried again. */
export interface MessageVerdict {
  readonly verdict: Verdict;
  /** Rows refused for good; [] unless parked. */
  readonly refused: readonly TaskMessage[];
}

/** Delivers a `messages` record (rules 9 and 10 of reliability §3). */
export async function deliverMessages(record: JournalRecord, how: MessageDelivery): Promise<MessageVerdict> {
  if (!how.ambiguous) {
    const verdict = await send(record.body, how);
    if (verdict.t !== "refused") return { verdict, refused: [] };
  }
  const rows = rowsOf(record);
  if (rows === undefined) return { verdict: { t: "parked", reason: "unreadable record" }, refused: [] };
  // A refusal may have come after some rows were stored: the baseline inserts one by one.
  const missing = await missingRows(record, rows, how);
  if ("t" in missing) return { verdict: missing, refused: [] };
  if (missing.length === 0) return { verdict: { t: "delivered" }, refused: [] };
  return await sendParts(record, missing, how);
}

async function missingRows(
  record: JournalRecord,
  rows: readonly TaskMessage[],
  how: MessageDelivery,
): Promise<readonly TaskMessage[] | Verdict> {
  try {
    const stored = await how.control.readMessages(how.taskId, record.firstSeq - 1, { signal: how.signal });
    const seen = new Set(stored.map((row) => row.seq));
    return rows.filter((row) => !seen.has(row.seq));
  } catch (error) {
    const verdict = messagesVerdict(answerOf(error));
    if (verdict.t !== "refused") return verdict;
    return { t: "parked", reason: `cannot tell what the server has: ${verdict.reason}` };
  }
}

/**
 * Sends all rows; what the server has not of a refused part is halved until single rows are left, which are refused
 * for good.
 */
async function sendParts(
  record: JournalRecord,
  rows: readonly TaskMessage[],
  how: MessageDelivery,
): Promise<MessageVerdict> {
  const refused: TaskMessage[] = [];
  let parked = "";
  const parts: (readonly TaskMessage[])[] = how.rowByRow ? rows.map((row) => [row]) : [rows];
  let failures = 0;
  let failed: Verdict | undefined;
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    const verdict = await send(encodeRows(part), how);
    if (verdict.t === "refused") {
      if (part.length === 1) {
        refused.push(part[0]!);
        parked = verdict.reason;
      } else {
        const left = await missingRows(record, part, how);
        if ("t" in left) return { verdict: left, refused: [] };
        const half = Math.ceil(left.length / 2);
        parts.unshift(...[left.slice(0, half), left.slice(half)].filter((piece) => piece.length > 0));
      }
    } else if (verdict.t !== "delivered") {
      failed = verdict;
      if (!how.rowByRow || verdict.t !== "retry" || verdict.http < 500 || ++failures >= 3) {
        return { verdict, refused: [] };
      }
    } else failures = 0;
  }
  if (failed !== undefined) return { verdict: failed, refused: [] };
  if (refused.length === 0) return { verdict: { t: "delivered" }, refused };
  await declareGap(refused, parked, how);
  return { verdict: { t: "parked", reason: parked }, refused };
}

/** One row in the place of what the server refused: a gap is declared, never silent. */
async function declareGap(
  refused: readonly TaskMessage[],
  reason: string,
  how: MessageDelivery,
): Promise<void> {
  const from = refused[0]!.seq;
  const to = refused.at(-1)!.seq;
  const content = `[transcript gap: ${refused.length} entries (${from}–${to}) were refused by the server]`;
  const verdict = await send(encodeRows([{ seq: from, type: "error", content }]), how);
  log.warn("transcript rows refused by the server", {
    task: how.taskId,
    rows: refused.length,
    reason,
    gap: verdict.t,
  });
}

async function send(body: string | JournalRecord["body"], how: MessageDelivery): Promise<Verdict> {
  let answer: Answer;
  try {
    await how.control.messagesEncoded(how.taskId, body, { signal: how.signal });
    answer = { ok: true, status: "" };
  } catch (error) {
    if (how.signal.aborted) throw error;
    answer = answerOf(error);
  }
  return messagesVerdict(answer);
}

function rowsOf(record: JournalRecord): readonly TaskMessage[] | undefined {
  try {
    const parsed = JSON.parse(new TextDecoder().decode(record.body)) as { messages?: readonly TaskMessage[] };
    return Array.isArray(parsed.messages) ? parsed.messages : undefined;
  } catch (error) {
    log.error("journalled transcript is no JSON", { record: record.id, error: String(error) });
    return undefined;
  }
}

/** The request body of some rows. */
export function encodeRows(rows: readonly TaskMessage[]): string {
  return JSON.stringify({ messages: rows });
}
