/** Registration of workspaces: joining, drift, convergence, and recovery of what was lost (spec 01 §7.3–7.6). */
import type { HostConfig } from "../config/mod.ts";
import {
  type ControlApi,
  profileSetSignature,
  type RegisterResponse,
  type RuntimeProfile,
  type WorkspaceRef,
} from "../control/mod.ts";
import { type Clock, errorText, getLog, isAbort, Mutex } from "../core/mod.ts";
import { GoneGate } from "./gone_gate.ts";
import { OfferMemory } from "./offer_memory.ts";
import { offlineReason } from "./offline_reasons.ts";
import { collectOffers, type OfferPorts } from "./offers.ts";
import { NothingToRegister, refusedProfile } from "./register_refusals.ts";
import type { KnownRuntime, RuntimeRegistry, TrackedWorkspace } from "./registry.ts";
import type { DiscoveredAgent } from "./types.ts";

const log = getLog("runtimes");

/** What the registrar stands on. */
export interface RegistrarPorts extends OfferPorts {
  readonly control: ControlApi;
  readonly registry: RuntimeRegistry;
  readonly config: Pick<HostConfig, "daemonId" | "legacyDaemonIds" | "deviceName" | "version" | "launchedBy">;
  readonly clock: Clock;
  /** Every agent discovery looked for, usable or not: why one is not offered. */
  readonly found: () => readonly DiscoveredAgent[];
  /**
   * True when a task of the runtime runs here or has a record in the journal: recover-orphans is then never
   * called for it (guides: outbox rule 2).
   */
  readonly hasLive: (runtimeId: string) => boolean;
  /** Waits until the journal holds no undelivered result of these runtimes; rejects when the signal aborts. */
  readonly settled: (runtimeIds: readonly string[], signal: AbortSignal) => Promise<void>;
}

interface Attempt {
  readonly response: RegisterResponse;
  readonly signature: string;
}

/** The procedures around `register`. One lock and one profile fetch per workspace and attempt (decisions). */
export class Registrar {
  readonly #locks = new Map<string, Mutex>();
  readonly #gate = new GoneGate();
  readonly #handling = new Set<string>();
  readonly #memory: OfferMemory;

  constructor(private readonly ports: RegistrarPorts) {
    this.#memory = new OfferMemory(ports);
  }

  /** First registration of a listed workspace. @throws what register threw, or {@link NothingToRegister}. */
  join(ref: WorkspaceRef, signal: AbortSignal): Promise<void> {
    return this.#lock(ref.id).run(async () => {
      if (this.ports.registry.workspace(ref.id) !== undefined) return;
      this.#memory.forget(ref.id);
      const attempt = await this.#register(ref.id, await this.#profiles(ref.id, signal), signal);
      const workspace = this.ports.registry.track(ref.id, ref.name);
      this.ports.registry.applyRegister(ref.id, attempt.response, attempt.signature);
      log.info("workspace watched", {
        name: ref.name,
        workspace_id: ref.id,
        runtimes: workspace.runtimeIds.length,
        repos: workspace.repos.length,
      });
      this.#logRegistered(workspace);
      await this.#recover(workspace.runtimeIds, signal);
    }, signal);
  }

  /**
   * Compares the profile set, and what this machine can launch, with what was registered, and registers again when
   * one of them changed (spec 01 §7.5). Never recovers orphans. A refresh that fails is owed: see {@link owes}.
   */
  refresh(workspaceId: string, signal: AbortSignal): Promise<void> {
    return this.#lock(workspaceId).run(async () => {
      const workspace = this.ports.registry.workspace(workspaceId);
      if (workspace === undefined) return;
      try {
        workspace.profilesStale = !await this.#refresh(workspace, signal);
      } catch (error) {
        if (isAbort(error) && signal.aborted) throw error;
        const fields = { workspace_id: workspaceId, error: errorText(error) };
        if (workspace.profilesStale) log.debug("runtimes still not registered anew", fields);
        else log.warn("runtimes not registered anew, trying again soon", fields);
        workspace.profilesStale = true;
      }
    }, signal);
  }

  /** False when the profiles could not be read although this server has them. */
  async #refresh(workspace: TrackedWorkspace, signal: AbortSignal): Promise<boolean> {
    const { id, profileSignature } = workspace;
    const profiles = await this.#profiles(id, signal);
    const isRead = profiles !== undefined || profileSignature === "";
    const unchanged = profiles === undefined || profileSetSignature(profiles) === profileSignature;
    if (unchanged && !await this.#memory.changedHere(id)) return isRead;
    if (this.ports.registry.workspace(id) !== workspace) return isRead;
    if (profiles !== undefined && !unchanged) {
      const now = profileSetSignature(profiles);
      log.info("profile set changed", {
        workspace_id: id,
        old: profileSignature,
        new: now,
        count: profiles.length,
      });
    }
    await this.#reregister(workspace, profiles, signal);
    return isRead;
  }

  /** A registration that is owed since a loss, or a workspace without runtimes; false when none was needed. */
  async retryOwed(workspaceId: string, signal: AbortSignal): Promise<boolean> {
    const needed = (workspace: TrackedWorkspace | undefined) =>
      workspace !== undefined && !workspace.converged &&
      (workspace.registerOwed || workspace.runtimeIds.length === 0);
    if (!needed(this.ports.registry.workspace(workspaceId))) return false;
    return await this.#lock(workspaceId).run(async () => {
      if (!needed(this.ports.registry.workspace(workspaceId))) return false;
      try {
        await this.#restore(workspaceId, signal);
        return true;
      } catch (error) {
        if (!(error instanceof NothingToRegister) || error.signature === "") throw error;
        // Known for sure, so nothing is owed: the next change of profiles or agents registers again.
        this.ports.registry.converge(workspaceId, error.signature);
        log.info("nothing to offer in workspace", { workspace_id: workspaceId });
        return false;
      }
    }, signal);
  }

  /** True while a registration or refresh is owed to a workspace, or one has no runtimes (its hints do not reach us). */
  owes(): boolean {
    return this.ports.registry.workspaces().some(({ registerOwed, profilesStale, runtimeIds }) =>
      registerOwed || profilesStale || runtimeIds.length === 0
    );
  }

  /**
   * A runtime row is gone on the server (spec 01 §7.6): prune, then one registration per workspace for all that
   * went together. Runs under the host's own lifetime; errors end in a log line and an owed registration.
   */
  async gone(runtimeId: string, signal: AbortSignal): Promise<void> {
    const { registry, clock } = this.ports;
    const enteredAt = clock.monotonic();
    const runtime = registry.runtime(runtimeId);
    if (runtimeId === "" || runtime === undefined || this.#handling.has(runtimeId)) return;
    this.#handling.add(runtimeId);
    try {
      registry.prune(runtimeId);
      const workspace = registry.workspace(runtime.workspaceId);
      if (workspace) workspace.registerOwed = true;
      log.info("runtime deleted on the server", {
        runtime_id: runtimeId,
        workspace_id: runtime.workspaceId,
        provider: runtime.provider,
      });
      registry.announce();
      if (!this.#gate.enter(runtime.workspaceId, enteredAt, clock.monotonic())) return;
      await this.#recoverWorkspace(runtime.workspaceId, signal);
    } finally {
      this.#handling.delete(runtimeId);
    }
  }

  async #recoverWorkspace(workspaceId: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    try {
      await this.#lock(workspaceId).run(() => this.#restore(workspaceId, signal), signal);
      this.#gate.succeeded(workspaceId, clock.monotonic());
    } catch (error) {
      this.#gate.failed(workspaceId, clock.monotonic());
      if (isAbort(error) && signal.aborted) throw error;
      log.warn("registration after a lost runtime failed", {
        workspace_id: workspaceId,
        error: errorText(error),
      });
    }
  }

  /** Register, apply, recover, then announce: a poller must not claim before recover-orphans was answered. */
  async #restore(workspaceId: string, signal: AbortSignal): Promise<void> {
    const attempt = await this.#register(workspaceId, await this.#profiles(workspaceId, signal), signal);
    const before = new Set(this.ports.registry.announcedIds());
    this.ports.registry.applyRegister(workspaceId, attempt.response, attempt.signature);
    const workspace = this.ports.registry.workspace(workspaceId)!;
    this.#logRegistered(workspace);
    await this.#recover(workspace.runtimeIds.filter((id) => !before.has(id)), signal);
    this.ports.registry.announce();
  }

  async #reregister(
    workspace: TrackedWorkspace,
    profiles: readonly RuntimeProfile[] | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { registry } = this.ports;
    const before = new Map(workspace.runtimeIds.map((id) => [id, registry.runtime(id)]));
    let left: readonly string[];
    try {
      const attempt = await this.#register(workspace.id, profiles, signal);
      left = registry.applyRegister(workspace.id, attempt.response, attempt.signature);
      this.#logRegistered(workspace);
    } catch (error) {
      if (!(error instanceof NothingToRegister)) throw error;
      this.#memory.remember(workspace.id, { profiles: profiles ?? this.#memory.profiles(workspace.id) });
      left = registry.converge(workspace.id, error.signature);
      log.info("nothing left to offer in workspace", { workspace_id: workspace.id, ids: left });
    }
    registry.announce();
    await this.#deregister(workspace.id, left.flatMap((id) => before.get(id) ?? []), signal);
  }

  /** Tells the server at once that these are not served any more, and why; best effort (the sweep is the backstop). */
  async #deregister(
    workspaceId: string,
    left: readonly KnownRuntime[],
    signal: AbortSignal,
  ): Promise<void> {
    const lost = left.filter(({ id }) => this.ports.registry.runtime(id) === undefined);
    if (lost.length === 0) return;
    const gone = lost.map(({ id }) => id);
    const facts = { found: this.ports.found(), profiles: this.#memory.failures(workspaceId) };
    const reasons = Object.fromEntries(lost.map((runtime) => [runtime.id, offlineReason(runtime, facts)]));
    log.info("runtimes taken offline", { workspace_id: workspaceId, reasons });
    try {
      await this.ports.control.deregister(gone, { signal, reasons });
    } catch (error) {
      log.warn("deregistration failed", { ids: gone, error: errorText(error) });
    }
  }

  /** undefined = the profiles are unknown (older server, or a failed fetch). */
  async #profiles(workspaceId: string, signal: AbortSignal): Promise<readonly RuntimeProfile[] | undefined> {
    try {
      return await this.ports.control.runtimeProfiles(workspaceId, { signal });
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      log.debug("profiles not fetched, going on with built-ins", {
        workspace_id: workspaceId,
        error: errorText(error),
      });
      return undefined;
    }
  }

  /** Unknown profiles: those of the last registration are taken, so that a failed read takes no runtime away. */
  async #register(
    workspaceId: string,
    read: readonly RuntimeProfile[] | undefined,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const profiles = read ?? this.#memory.profiles(workspaceId);
    const signature = profiles === undefined ? "" : profileSetSignature(profiles);
    try {
      return { response: await this.#send(workspaceId, profiles, signature, signal), signature };
    } catch (error) {
      const named = refusedProfile(error);
      if (named === undefined || !(profiles ?? []).some((profile) => profile.id === named)) throw error;
      // Disabled or deleted between fetch and register: ask again, once, and go without the named one.
      const again = (await this.#profiles(workspaceId, signal) ?? profiles ?? [])
        .filter((profile) => profile.id !== named);
      log.info("profile refused by the server, registering without it", {
        workspace_id: workspaceId,
        profile_id: named,
      });
      const fresh = profileSetSignature(again);
      return { response: await this.#send(workspaceId, again, fresh, signal), signature: fresh };
    }
  }

  async #send(
    workspaceId: string,
    profiles: readonly RuntimeProfile[] | undefined,
    signature: string,
    signal: AbortSignal,
  ): Promise<RegisterResponse> {
    const { config } = this.ports;
    const kept = this.#memory.kept(workspaceId);
    const offers = await collectOffers(this.ports, profiles ?? [], kept);
    if (offers.runtimes.length === 0 && offers.failed.length === 0) throw new NothingToRegister(signature);
    const response = await this.ports.control.register({
      workspace_id: workspaceId,
      daemon_id: config.daemonId,
      legacy_daemon_ids: config.legacyDaemonIds,
      device_name: config.deviceName,
      cli_version: config.version,
      launched_by: config.launchedBy,
      runtimes: offers.runtimes,
      failed_profiles: offers.failed,
    }, { signal });
    this.#memory.remember(workspaceId, { profiles, failed: offers.failed, kept });
    return response;
  }

  /**
   * recover-orphans for runtimes without live or journalled tasks, after the journal had its say. Until it is done
   * nobody hears of these runtimes: what a poller claimed meanwhile would be failed as an orphan (spec 01 §7.6).
   */
  async #recover(runtimeIds: readonly string[], signal: AbortSignal): Promise<void> {
    const release = this.ports.registry.hold(runtimeIds);
    try {
      await this.#recoverHeld(runtimeIds, signal);
    } finally {
      release();
    }
  }

  async #recoverHeld(runtimeIds: readonly string[], signal: AbortSignal): Promise<void> {
    await this.ports.settled(runtimeIds, signal);
    await Promise.all(runtimeIds.map(async (id) => {
      if (this.ports.hasLive(id)) return;
      try {
        const { orphaned } = await this.ports.control.recoverOrphans(id, { signal });
        if (orphaned > 0) log.info("orphaned tasks handed back to the server", { runtime_id: id, orphaned });
      } catch (error) {
        if (isAbort(error) && signal.aborted) throw error;
        log.warn("recover-orphans failed", { runtime_id: id, error: errorText(error) });
      }
    }));
  }

  #logRegistered(workspace: TrackedWorkspace): void {
    for (const id of workspace.runtimeIds) {
      const provider = this.ports.registry.runtime(id)?.provider;
      log.info("runtime registered", { workspace_id: workspace.id, runtime_id: id, provider });
    }
  }

  #lock(workspaceId: string): Mutex {
    let lock = this.#locks.get(workspaceId);
    if (lock === undefined) this.#locks.set(workspaceId, lock = new Mutex());
    return lock;
  }
}
