/** Waits for a user's directory that another task works in, without keeping a slot (spec 04 §10.5). */
import type { ControlApi } from "../control/mod.ts";
import { errorText, getLog, shortId } from "../core/mod.ts";
import { TaskFailure, TaskInterrupted, TaskStopped } from "./errors.ts";
import type { LocalDirectory, TaskSlot, WorkdirPort } from "./ports.ts";

const log = getLog("tasks", "local");

/** What {@link takeLocalDirectory} needs. */
export interface LocalWaitDeps {
  readonly control: Pick<ControlApi, "waitLocalDirectory">;
  readonly workdir: Pick<WorkdirPort, "lock">;
  readonly slot: TaskSlot;
  readonly signal: AbortSignal;
  /** The wait begins. */
  readonly onWait: (sentence: string) => void;
}

/**
 * Takes the lock of a local directory. While it is held by another task the slot is lent back and the server is
 * told once; the slot is taken again before this returns.
 * @throws {TaskFailure} `local_directory wait cancelled: …`; interrupts pass through.
 */
export async function takeLocalDirectory(
  taskId: string,
  directory: LocalDirectory,
  deps: LocalWaitDeps,
): Promise<() => void> {
  const { signal, slot } = deps;
  let waited = false;
  const onBusy = (holder: string) => {
    waited = true;
    const held = holder === "" ? "" : ` (held by task ${shortId(holder)})`;
    deps.onWait(`waiting for ${directory.label}${held}`);
    slot.lend();
    tellServer(taskId, `local_directory ${directory.label}${held}`, deps);
  };
  let release: (() => void) | undefined;
  try {
    release = await deps.workdir.lock(directory, taskId, { signal, onBusy });
    if (waited) await slot.reclaim(signal);
    return release;
  } catch (error) {
    release?.();
    throw asFailure(error, signal);
  }
}

function tellServer(taskId: string, reason: string, deps: LocalWaitDeps): void {
  deps.control.waitLocalDirectory(taskId, reason, { signal: deps.signal }).catch((error: unknown) => {
    if (!deps.signal.aborted) log.warn("wait not reported", { task: taskId, error: errorText(error) });
  });
}

/** An end by the server is silent; a shutdown is `cancelled`; anything else is the directory's trouble. */
function asFailure(error: unknown, signal: AbortSignal): unknown {
  const cause = signal.aborted ? signal.reason : error;
  if (cause instanceof TaskInterrupted) return cause;
  const reason = cause instanceof TaskStopped ? "cancelled" : "local_directory_error";
  return new TaskFailure(`local_directory wait cancelled: ${errorText(cause)}`, reason, cause);
}
