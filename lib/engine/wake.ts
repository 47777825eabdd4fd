/** What the socket brings, and where it goes (spec 02 §4, §8, §11, §17.4, §17.9). */
import type { HeartbeatAnswer } from "../control/mod.ts";
import { type Clock, getLog } from "../core/mod.ts";

const log = getLog("engine", "wake");

/** Two reconciles are at least this far apart, ms; exactly this far passes (spec 02 §17.9). */
const RECONCILE_GAP_MS = 1_000;

/** The loops that listen to the socket. */
export interface WakeTargets {
  /** "" = every poller. */
  readonly wakePollers: (runtimeId: string) => void;
  readonly answer: (runtimeId: string, answer: HeartbeatAnswer) => void;
  readonly gone: (runtimeId: string) => void;
  /** Extra HTTP heartbeats at once; undefined = all runtimes. */
  readonly beat: (runtimeIds?: readonly string[]) => void;
  readonly syncWorkspaces: (pushed: boolean) => void;
  readonly refreshProfiles: (workspaceId: string) => void;
  /** Every running task looks at its state at once. */
  readonly recheckTasks: () => void;
  /** Records in the journal can go out. */
  readonly kickOutbox: () => void;
  readonly unauthorized: () => void;
}

/** Routes events; keeps only the time of the last reconcile. */
export class WakeRouter {
  #lastReconcile = -Infinity;

  constructor(private readonly targets: WakeTargets, private readonly clock: Clock) {}

  /** A connection stands: everything that may have been missed is looked at. */
  connected(): void {
    this.targets.kickOutbox();
    this.targets.wakePollers("");
    this.reconcile();
  }

  /** Live tasks and workspaces are compared with the server; at most once a second. */
  reconcile(): void {
    const now = this.clock.monotonic();
    if (now - this.#lastReconcile < RECONCILE_GAP_MS) return;
    this.#lastReconcile = now;
    this.targets.recheckTasks();
    this.targets.syncWorkspaces(false);
  }

  ack(answer: HeartbeatAnswer): void {
    if (answer.runtime_id === "") return;
    if (answer.runtime_gone || answer.status === "runtime_gone") this.targets.gone(answer.runtime_id);
    else this.targets.answer(answer.runtime_id, answer);
  }

  taskAvailable(runtimeId: string): void {
    log.debug("task available", { runtime_id: runtimeId });
    this.targets.wakePollers(runtimeId);
  }

  profilesChanged(workspaceId: string): void {
    if (workspaceId !== "") this.targets.refreshProfiles(workspaceId);
  }

  workspacesChanged(): void {
    this.targets.syncWorkspaces(true);
  }

  pendingWork(runtimeId: string): void {
    if (runtimeId !== "") this.targets.beat([runtimeId]);
  }

  /** The upgrade was refused: 404 means that some runtime is gone, and heartbeats find out which. */
  refused(status: number): void {
    if (status === 401) this.targets.unauthorized();
    if (status === 404) this.targets.beat();
  }

  /** The machine slept: what was sent in the past is stale. */
  woke(): void {
    this.targets.beat();
    this.targets.kickOutbox();
    this.targets.wakePollers("");
    this.reconcile();
  }
}
