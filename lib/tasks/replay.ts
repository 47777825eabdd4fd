/** What becomes of a claim whose host died before it was finished (reliability §3, rule 2). */
import { type ControlApi, type FailBody, type TaskStatus, TERMINAL_STATES } from "../control/mod.ts";
import { Backoff, type Clock, getLog, type Random, sleep } from "../core/mod.ts";
import type { Journal } from "./journal.ts";
import type { JournalClaim } from "./journal_types.ts";
import { answerOf, taskGone } from "./verdict.ts";

const log = getLog("tasks", "outbox");

/** The server's own words for it (spec 01 §4.8). */
export const RECOVERY_ERROR = "daemon restarted while task was in flight";

/** What {@link planReplay} decides. */
export type ReplayPlan = "report" | "await" | "close";

/**
 * The unfinished claim of an earlier process, by its status at the server: a started one is reported as
 * `runtime_recovery`; one that was not is reported too where the server then makes a new attempt, else left to be
 * handed out again; a settled one is closed.
 */
export function planReplay(claim: Pick<JournalClaim, "retryable">, status: TaskStatus): ReplayPlan {
  if (TERMINAL_STATES.has(status)) return "close";
  if (status === "queued") return "close";
  if (status === "dispatched" || status === "waiting_local_directory") {
    return claim.retryable ? "report" : "await";
  }
  return "report";
}

/** What {@link replayClaim} works with. */
export interface ReplayDeps {
  readonly journal: Journal;
  readonly control: Pick<ControlApi, "taskStatus">;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Reads the status, for as long as it takes, and writes what follows into the journal. Returns early on abort. */
export async function replayClaim(claim: JournalClaim, deps: ReplayDeps): Promise<void> {
  const status = await readStatus(claim, deps);
  if (status === undefined) return;
  if (deps.journal.get(claim.id)?.state !== "live") return;
  const plan = planReplay(claim, status);
  log.info("unfinished task of an earlier run", { task: claim.taskId, status, plan });
  if (plan === "await") return deps.journal.setState(claim.id, "awaiting");
  deps.journal.finish(claim.id, {
    batches: [],
    usage: "",
    terminal: plan === "close" ? undefined : { kind: "fail", body: JSON.stringify(recoveryBody(claim)) },
  });
}

function recoveryBody(claim: JournalClaim): FailBody {
  return {
    error: RECOVERY_ERROR,
    failure_reason: "runtime_recovery",
    ...(claim.sessionId === "" ? {} : { session_id: claim.sessionId }),
    ...(claim.workDir === "" ? {} : { work_dir: claim.workDir }),
  };
}

/** undefined = aborted. A task that is gone counts as settled. */
async function readStatus(claim: JournalClaim, deps: ReplayDeps): Promise<TaskStatus | undefined> {
  const backoff = new Backoff(1_000, 60_000, deps.random);
  while (!deps.signal.aborted) {
    try {
      return await deps.control.taskStatus(claim.taskId, { signal: deps.signal });
    } catch (error) {
      if (deps.signal.aborted) return undefined;
      const answer = answerOf(error);
      if (taskGone(answer)) return "cancelled";
      log.warn("cannot read the status of an unfinished task, trying again", {
        task: claim.taskId,
        error: answer.text,
      });
      await sleep(deps.clock, backoff.next(), deps.signal).catch(() => {});
    }
  }
  return undefined;
}
