/** What each workspace was last registered with, and whether this machine has changed since (spec 01 §7.4, 11.4). */
import type { FailedProfile, RuntimeProfile } from "../control/mod.ts";
import { builtinOffers, nowResolves, type OfferPorts } from "./offers.ts";

interface Registered {
  /** undefined = the profiles have never been read. */
  readonly profiles: readonly RuntimeProfile[] | undefined;
  /** Built-in offers, as text. */
  readonly builtins: string;
  /** Profile id → why its command cannot be launched here. */
  readonly failed: ReadonlyMap<string, string>;
}

/** What {@link OfferMemory} looks at. */
export interface MemoryPorts extends OfferPorts {
  /** True while a task of the runtime runs here or waits in the journal. */
  readonly hasLive: (runtimeId: string) => boolean;
}

/** One entry a workspace; replaced at each registration. */
export class OfferMemory {
  readonly #last = new Map<string, Registered>();

  constructor(private readonly ports: MemoryPorts) {}

  /** The profiles of the last registration; undefined when they were never read. */
  profiles(workspaceId: string): readonly RuntimeProfile[] | undefined {
    return this.#last.get(workspaceId)?.profiles;
  }

  /** Enabled profiles of the last registration → why they cannot be launched here, "" for those that can. */
  failures(workspaceId: string): ReadonlyMap<string, string> {
    const last = this.#last.get(workspaceId);
    return new Map((last?.profiles ?? []).map(({ id }) => [id, last?.failed.get(id) ?? ""]));
  }

  /** A registration was accepted, or there was nothing to register. */
  remember(
    workspaceId: string,
    registered: {
      readonly profiles: readonly RuntimeProfile[] | undefined;
      readonly failed?: readonly FailedProfile[];
      readonly kept?: ReadonlySet<string>;
    },
  ): void {
    this.#last.set(workspaceId, {
      profiles: registered.profiles,
      failed: new Map((registered.failed ?? []).map(({ profile_id, reason }) => [profile_id, reason])),
      builtins: this.#builtins(registered.kept ?? new Set()),
    });
  }

  forget(workspaceId: string): void {
    this.#last.delete(workspaceId);
  }

  /**
   * Did agents of this machine come, go or change, or can a profile that failed be launched by now? The set of
   * profiles on the server says nothing of that.
   */
  async changedHere(workspaceId: string): Promise<boolean> {
    const last = this.#last.get(workspaceId);
    if (last === undefined) return false;
    if (last.builtins !== this.#builtins(this.kept(workspaceId))) return true;
    for (const profile of last.profiles ?? []) {
      if (last.failed.has(profile.id) && await nowResolves(this.ports, profile)) return true;
    }
    return false;
  }

  /** Built-in providers that are not usable now but have a task here: never taken away under it. */
  kept(workspaceId: string): ReadonlySet<string> {
    const { registry, hasLive } = this.ports;
    const usable = new Set(builtinOffers(this.ports).map((offer) => offer.type));
    const live = (registry.workspace(workspaceId)?.runtimeIds ?? []).filter(hasLive)
      .flatMap((id) => registry.runtime(id) ?? []);
    return new Set(
      live.filter(({ profileId, provider }) => profileId === "" && !usable.has(provider))
        .map((runtime) => runtime.provider),
    );
  }

  #builtins(kept: ReadonlySet<string>): string {
    const usable = builtinOffers(this.ports).map(({ type, version }) => `${type} ${version}`);
    return [...usable, ...[...kept].map((provider) => `${provider} kept`)].sort().join("\n");
  }
}
