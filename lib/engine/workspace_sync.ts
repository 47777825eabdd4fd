/** Workspace sync: who am I a member of, what changed, what is owed (spec 01 §7.3, 11.3; 02 §17.9). */
import { type ControlApi, isUnauthorized, type WorkspaceRef } from "../control/mod.ts";
import {
  Backoff,
  type Clock,
  errorText,
  getLog,
  HostError,
  isAbort,
  jitter,
  Notice,
  type Random,
  Semaphore,
  waitAtMost,
} from "../core/mod.ts";
import { NothingToRegister, type Registrar, type RuntimeRegistry } from "../runtimes/mod.ts";
import type { StatusBoard } from "./status_board.ts";

const log = getLog("engine", "sync");

/** Period while something is registered, against a server that pushes changes. */
const PUSHED_MS = 30 * 60_000;
/** Longest back-off after failures; shorter while nothing is registered. */
const MAX_BACKOFF_MS = 30 * 60_000;
const MAX_BOOT_BACKOFF_MS = 5 * 60_000;

/**
 * Repositories and settings are read anew wherever they are used (spec 01 §7.14, 11.3); this is only how old those of a
 * workspace nobody works in may become, ms.
 */
const REPOS_MS = 5 * 60_000;

/** Workspaces looked at side by side: one that hangs does not keep the others waiting. */
const LANES = 4;

export interface SyncPorts {
  readonly control: ControlApi;
  readonly registry: RuntimeRegistry;
  readonly registrar: Registrar;
  readonly clock: Clock;
  readonly random: Random;
  readonly status: StatusBoard;
  /** A workspace is not watched any more. */
  readonly onLeft: (workspaceId: string) => void;
  /** Period against servers that do not push, ms (30 s). */
  readonly intervalMs: number;
}

/** No runtime could be registered in any workspace: at start-up a failure, later a log line. */
export class NoRuntimeRegistered extends HostError {
  constructor(count: number, why: string) {
    super(`failed to register runtimes for any of the ${count} workspace(s)${why === "" ? "" : `: ${why}`}`, {
      code: "no_runtime_registered",
      hint: "multica-host agents",
    });
  }
}

/** One pass at a time; events during a pass cause one more. */
export class WorkspaceSync {
  readonly #dirty = new Notice();
  /** Listed workspaces that could not be joined → why: hints do not reach us from there. */
  readonly #unjoined = new Map<string, string>();
  /** When the repositories of a workspace were last read, monotonic ms. */
  readonly #reposAt = new Map<string, number>();
  #pushes = false;

  constructor(private readonly ports: SyncPorts) {}

  /** Asks for a pass soon: an event, a reconnect, a wake. Bursts collapse. */
  request(): void {
    this.#dirty.notify();
  }

  /** The server showed that it announces workspace changes. */
  sawPush(): void {
    this.#pushes = true;
  }

  /** Why workspaces could not be joined, "" when all were. */
  get unjoined(): string {
    return [...this.#unjoined.values()].join("; ");
  }

  /** One pass. @throws when the list could not be read, or nothing at all could be registered. */
  async pass(signal: AbortSignal): Promise<void> {
    const { registry } = this.ports;
    const answer = await this.ports.control.listWorkspaces({ signal });
    if (answer.push) this.#pushes = true;
    const tracked = registry.workspaces();
    const listed = answer.workspaces === "unchanged"
      ? tracked.map(({ id, name }) => ({ id, name }))
      : answer.workspaces;
    let registered = 0;
    const lanes = new Semaphore(LANES);
    await Promise.all(listed.map(async (workspace) => {
      await lanes.acquire(signal);
      try {
        const known = registry.workspace(workspace.id) !== undefined;
        if (await (known ? this.#update(workspace, signal) : this.#join(workspace, signal))) registered++;
      } finally {
        lanes.release();
      }
    }));
    const ids = new Set(listed.map((workspace) => workspace.id));
    for (const id of this.#unjoined.keys()) if (!ids.has(id)) this.#unjoined.delete(id);
    for (const workspace of tracked) {
      if (ids.has(workspace.id)) continue;
      registry.untrack(workspace.id);
      this.ports.onLeft(workspace.id);
      this.#reposAt.delete(workspace.id);
      log.info("workspace no longer watched", { workspace_id: workspace.id, name: workspace.name });
    }
    registry.announce();
    this.#say(listed.length);
    const converged = registry.workspaces().some((workspace) => workspace.converged);
    if (listed.length > 0 && registered === 0 && registry.runtimeIds().length === 0 && !converged) {
      throw new NoRuntimeRegistered(listed.length, this.unjoined);
    }
  }

  /** Passes until the signal ends it: on request, or when the period is over. */
  async loop(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.ports.intervalMs, MAX_BACKOFF_MS, this.ports.random);
    let waitMs = this.#period();
    for (;;) {
      await this.#rest(waitMs, signal);
      try {
        await this.pass(signal);
        backoff.reset();
        waitMs = this.#period();
      } catch (error) {
        if (isAbort(error) && signal.aborted) throw error;
        log.debug("workspace sync failed", { error: errorText(error) });
        this.ports.status.set("sync", `failing: ${errorText(error)}`);
        const cap = this.ports.registry.runtimeIds().length === 0 ? MAX_BOOT_BACKOFF_MS : MAX_BACKOFF_MS;
        waitMs = this.#pushes ? Math.min(backoff.next(), cap) : this.#period();
      }
    }
  }

  /** Waits for the period's end or a request; a registration that is owed cuts the period to the short one. */
  async #rest(waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, registrar } = this.ports;
    const until = clock.monotonic() + waitMs;
    for (;;) {
      const left = until - clock.monotonic();
      if (await waitAtMost(clock, this.#dirty, Math.min(left, intervalMs), signal)) return;
      if (clock.monotonic() >= until || registrar.owes() || this.#unjoined.size > 0) return;
    }
  }

  /** A known workspace: settings, drift, and what is owed. */
  async #update(workspace: WorkspaceRef, signal: AbortSignal): Promise<boolean> {
    const tracked = this.ports.registry.workspace(workspace.id);
    if (tracked) tracked.name = workspace.name;
    await this.#quietly("repos", workspace, signal, () => this.#refreshRepos(workspace.id, signal));
    await this.#quietly(
      "profiles",
      workspace,
      signal,
      () => this.ports.registrar.refresh(workspace.id, signal),
    );
    try {
      return await this.ports.registrar.retryOwed(workspace.id, signal);
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      log.warn("registration failed", { workspace_id: workspace.id, error: errorText(error) });
      return false;
    }
  }

  async #refreshRepos(id: string, signal: AbortSignal): Promise<void> {
    const now = this.ports.clock.monotonic();
    if (now - (this.#reposAt.get(id) ?? -Infinity) < REPOS_MS) return;
    const answer = await this.ports.control.workspaceRepos(id, { signal });
    this.ports.registry.applyRepos(id, answer);
    this.#reposAt.set(id, now);
  }

  async #join(workspace: WorkspaceRef, signal: AbortSignal): Promise<boolean> {
    try {
      await this.ports.registrar.join(workspace, signal);
      // The answer to the registration brought them.
      this.#reposAt.set(workspace.id, this.ports.clock.monotonic());
      this.#unjoined.delete(workspace.id);
      return true;
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      const reason = error instanceof NothingToRegister
        ? "no agent CLI is usable on this machine"
        : errorText(error);
      const fields = { workspace_id: workspace.id, name: workspace.name, error: reason };
      if (this.#unjoined.has(workspace.id)) log.debug("registration of a workspace still fails", fields);
      else log.error("first registration of a workspace failed", fields);
      this.#unjoined.set(workspace.id, `${workspace.name}: ${reason}`);
      return false;
    }
  }

  async #quietly(what: string, workspace: WorkspaceRef, signal: AbortSignal, work: () => Promise<void>) {
    try {
      await work();
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      log.debug("refresh failed", { what, workspace_id: workspace.id, error: errorText(error) });
    }
  }

  #period(): number {
    const quiet = this.#pushes && this.ports.registry.runtimeIds().length > 0;
    return jitter(quiet ? PUSHED_MS : this.ports.intervalMs, this.ports.random);
  }

  #say(listed: number): void {
    const { status, registry, intervalMs } = this.ports;
    const [workspaces, runtimes] = [listed - this.#unjoined.size, registry.runtimeIds().length];
    const watched = `watching ${count(workspaces, "workspace")} with ${count(runtimes, "runtime")}`;
    const how = this.#pushes ? "changes are pushed" : `asking every ${Math.round(intervalMs / 1000)} s`;
    const missing = this.unjoined === "" ? "" : `; could not join ${this.unjoined}`;
    status.set("sync", `${watched}, ${how}${missing}`);
  }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** True when a failed first pass is worth waiting for: anything but a refused token. */
export function worthRetrying(error: unknown): boolean {
  return !isUnauthorized(error) && !(error instanceof NoRuntimeRegistered);
}
