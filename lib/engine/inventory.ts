/** The agent CLIs this engine may launch, as discovery last told it. One owner. */
import type { DiscoveredAgent, ProfileSpec } from "../runtimes/mod.ts";

/** What a change of the inventory means. */
export interface InventoryChange {
  /** Workspaces must be registered again: a provider, its version or its usability changed. */
  readonly offersChanged: boolean;
  /** Usable programs outside this engine's rights: they wait for a reload. */
  readonly waiting: readonly string[];
}

/** Owner of the discovered agents. */
export class Inventory {
  #agents: readonly DiscoveredAgent[] = [];
  readonly #executables: ReadonlySet<string>;

  /** `executables`: the absolute paths in the engine's rights. */
  constructor(executables: readonly string[], agents: readonly DiscoveredAgent[]) {
    this.#executables = new Set(executables);
    this.#agents = agents;
  }

  /** Everything found, usable or not. */
  all(): readonly DiscoveredAgent[] {
    return this.#agents;
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
    return Object.fromEntries(
      this.#agents.filter((agent) => agent.problem !== "" && (agent.path !== "" || agent.misnamed === true))
        .map((agent) => [agent.provider, agent.problem]),
    );
  }

  /** Discovery has news. */
  replace(agents: readonly DiscoveredAgent[]): InventoryChange {
    const before = fingerprint(this.usable());
    this.#agents = agents;
    const waiting = agents
      .filter((agent) => agent.problem === "" && agent.path !== "" && !this.#executables.has(agent.path))
      .map((agent) => agent.provider);
    return { offersChanged: before !== fingerprint(this.usable()), waiting };
  }
}

function fingerprint(agents: readonly DiscoveredAgent[]): string {
  return agents.map((agent) => `${agent.provider}\0${agent.path}\0${agent.version}`).sort().join("\n");
}
