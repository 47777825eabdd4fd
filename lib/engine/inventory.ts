/** The agent CLIs this engine may launch, as discovery last told it. One owner. */
import type { DiscoveredAgent, ProfileSpec } from "../runtimes/mod.ts";

/** What a change of the inventory means. */
export interface InventoryChange {
  /** Workspaces must be registered again: a provider, its version or its usability changed. */
  readonly offersChanged: boolean;
  /** Usable programs outside this engine's rights: they wait for a reload. */
  readonly waiting: readonly string[];
  /** A program looks as if it could not be started any more: look again soon, before it is believed. */
  readonly doubtful: boolean;
}

/** A program that could be started is believed to be none any more when it was seen so twice, so far apart, ms (spec 01 §11.4). */
const CONFIRM_MS = 60_000;

/** Owner of the discovered agents. */
export class Inventory {
  /** As discovery said. */
  #found: readonly DiscoveredAgent[] = [];
  /** What counts: passing faults replaced by the last good record. */
  #agents: readonly DiscoveredAgent[] = [];
  readonly #executables: ReadonlySet<string>;
  /** Provider → when it was first seen as no program, monotonic ms. */
  readonly #doubted = new Map<string, number>();

  /** `executables`: the absolute paths in the engine's rights. */
  constructor(executables: readonly string[], agents: readonly DiscoveredAgent[]) {
    this.#executables = new Set(executables);
    this.#found = this.#agents = agents;
  }

  /** Everything looked for, as discovery said it, usable or not. */
  found(): readonly DiscoveredAgent[] {
    return this.#found;
  }

  /** What can be offered and launched by this engine. */
  usable(): readonly DiscoveredAgent[] {
    return this.#agents.filter((agent) =>
      agent.problem === "" && agent.path !== "" && this.#executables.has(agent.path)
    );
  }

  /** Launch specification of a built-in provider. */
  builtin(provider: string): ProfileSpec | undefined {
    const agent = this.usable().find((candidate) => candidate.provider === provider);
    return agent === undefined ? undefined : { path: agent.path, prefixArgs: [], version: agent.version };
  }

  /** Provider → what is wrong, for those that were found, or named by a setting, but are not offered. */
  skipped(): Readonly<Record<string, string>> {
    return problems(this.#agents.filter((agent) => agent.path !== "" || agent.misnamed === true));
  }

  /** Provider → what is wrong for the moment with those that are offered all the same. */
  ailing(): Readonly<Record<string, string>> {
    const offered = new Set(this.usable().map(({ provider }) => provider));
    return problems(this.#found.filter(({ provider }) => offered.has(provider)));
  }

  /** Discovery has news; `nowMs` is monotonic. */
  replace(agents: readonly DiscoveredAgent[], nowMs: number): InventoryChange {
    const before = fingerprint(this.usable());
    this.#found = agents;
    this.#agents = agents.map((agent) => this.#settled(agent, nowMs));
    const waiting = this.#agents
      .filter((agent) => agent.problem === "" && agent.path !== "" && !this.#executables.has(agent.path))
      .map((agent) => agent.provider);
    const doubtful = this.#doubted.size > 0;
    return { offersChanged: before !== fingerprint(this.usable()), waiting, doubtful };
  }

  /**
   * The record that counts: a probe that fails once takes nothing away from an agent that was probed well, and brings
   * nothing either.
   */
  #settled(agent: DiscoveredAgent, nowMs: number): DiscoveredAgent {
    const { provider, fault, path } = agent;
    const good = this.#agents.find((known) => known.provider === provider && known.problem === "");
    const passing = good !== undefined && good.probedAt > 0 && good.path === path &&
      (fault === "unavailable" || fault === "not_executable" && !this.#confirmed(provider, nowMs));
    if (!passing || fault !== "not_executable") this.#doubted.delete(provider);
    return passing ? good : agent;
  }

  #confirmed(provider: string, nowMs: number): boolean {
    const since = this.#doubted.get(provider) ?? nowMs;
    this.#doubted.set(provider, since);
    return nowMs - since >= CONFIRM_MS;
  }
}

function problems(agents: readonly DiscoveredAgent[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    agents.filter(({ problem }) => problem !== "").map(({ provider, problem }) => [provider, problem]),
  );
}

function fingerprint(agents: readonly DiscoveredAgent[]): string {
  return agents.map((agent) => `${agent.provider}\0${agent.path}\0${agent.version}`).sort().join("\n");
}
