/** What the supervisor knows of agents and programs, and what the running engine was given of it. */
import type { WindowsLaunch } from "../agents/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import { errorText, getLog } from "../core/mod.ts";
import {
  type AgentDiscovery,
  type DiscoverableAgent,
  type DiscoveredAgent,
  executableAt,
  findCommand,
  type LocateContext,
} from "../runtimes/finding/mod.ts";
import { agentHomes } from "./agent_homes.ts";
import { standingExecutables } from "./executable_policy.ts";
import type { Launchers } from "./launchers.ts";
import { type EngineRights, engineRights } from "./rights.ts";
import { windowsPrograms } from "./windows_programs.ts";

const log = getLog("supervisor", "agents");

export interface AgentsPorts {
  readonly config: HostConfig;
  readonly catalog: readonly DiscoverableAgent[];
  readonly discovery: AgentDiscovery;
  readonly context: LocateContext;
  readonly tempBase: string;
  /** Undefined where agents are started directly. */
  readonly launchers: () => Launchers | undefined;
  /** Hears what changed, to be passed to the engine. */
  readonly onChange: (agents: readonly DiscoveredAgent[]) => void;
}

/** Owner of the agents found and of the programs allowed. */
export class AgentsState {
  #agents: readonly DiscoveredAgent[];
  readonly #adopted = new Set<string>();
  /** Path the engine was given → where that agent is now. */
  readonly #moved = new Map<string, string>();
  #granted: ReadonlySet<string> = new Set();
  #running: Promise<readonly DiscoveredAgent[]> | undefined;
  #telling = false;

  constructor(private readonly ports: AgentsPorts) {
    this.#agents = ports.discovery.locate();
    const facts = {
      ...ports.context,
      overrides: ports.config.profileCommandOverrides,
      allowCommands: ports.config.allowCommands,
    };
    for (const path of standingExecutables(facts)) this.#adopted.add(path);
  }

  get agents(): readonly DiscoveredAgent[] {
    return this.#agents;
  }

  /** Those that are on this machine, usable or not. */
  get found(): readonly DiscoveredAgent[] {
    return this.#agents.filter((agent) => agent.path !== "");
  }

  /** Homes of the agents found. */
  get homes(): readonly string[] {
    const providers = new Set(this.found.map((agent) => agent.provider));
    const rows = this.ports.catalog.filter((row) => providers.has(row.provider));
    return agentHomes(rows, this.ports.context.home, this.ports.context.env);
  }

  get git(): string {
    return findCommand("git", this.ports.context) ?? "";
  }

  /** Programs the engine with the newest rights may start. */
  get granted(): readonly string[] {
    return [...this.#granted];
  }

  /** Rights for the next engine, from what is known now; remembered as what it was given. */
  grant(): EngineRights {
    this.#agents = this.#agents.map((agent) => ({
      ...agent,
      path: this.#moved.get(agent.path) ?? agent.path,
    }));
    this.#moved.clear();
    const rights = this.rights();
    this.#granted = new Set(rights.run);
    return rights;
  }

  /** Rights as they would be granted now. */
  rights(): EngineRights {
    const found = this.found;
    const { config, tempBase } = this.ports;
    const executables = [...found.map((agent) => agent.path), ...this.#adopted];
    return engineRights({
      config,
      executables,
      launchers: [
        ...Object.values(this.launchers()),
        ...Object.values(this.shims()).map((launch) => launch.executable),
      ],
      git: this.git,
      agentHomes: this.homes,
      tempBase,
    });
  }

  /** Start programs of everything that may be launched, by executable. */
  launchers(): Readonly<Record<string, string>> {
    return this.ports.launchers()?.for([...this.found.map((agent) => agent.path), ...this.#adopted]) ?? {};
  }

  /** What is started instead of the agents that are batch shims. */
  shims(): Readonly<Record<string, WindowsLaunch>> {
    return windowsPrograms(this.found, this.ports.context);
  }

  /** Whether an agent's program can be started by the path an engine knows; one that vanished is looked for again. */
  async present(path: string, signal?: AbortSignal): Promise<{ version: string } | { problem: string }> {
    if (this.#startable(path)) return { version: this.#owner(path)?.version ?? "" };
    await this.rediscover(signal);
    const owner = this.#owner(path);
    if (this.#startable(path)) return { version: owner?.version ?? "" };
    return { problem: owner?.problem || `executable not found at "${path}"` };
  }

  #startable(path: string): boolean {
    const { context, launchers } = this.ports;
    return executableAt(launchers()?.target(path) ?? path, context) !== undefined;
  }

  #owner(path: string): DiscoveredAgent | undefined {
    return this.#agents.find((agent) => agent.path === path);
  }

  /** Notes an allowed program; true when the running engine may start it already. */
  adopt(path: string): boolean {
    this.#adopted.add(path);
    return this.#granted.has(path);
  }

  /** Runs discovery again; a second caller shares the run under way. Never rejects. */
  rediscover(signal?: AbortSignal): Promise<readonly DiscoveredAgent[]> {
    this.#running ??= this.#discover(signal).finally(() => this.#running = undefined);
    return this.#running;
  }

  async #discover(signal?: AbortSignal): Promise<readonly DiscoveredAgent[]> {
    try {
      const agents = await this.ports.discovery.discover({
        onAgent: (agent) => this.#learned(agent),
        ...(signal === undefined ? {} : { signal }),
      });
      log.info("discovery finished", {
        found: agents.filter((agent) => agent.path !== "" && agent.problem === "").map((agent) =>
          agent.provider
        ),
      });
    } catch (error) {
      log.error("discovery failed", { error: errorText(error) });
    }
    return this.#agents;
  }

  /** Adopts one result; news are passed on once a turn, so that a burst becomes one message. */
  #learned(found: DiscoveredAgent): void {
    const before = this.#agents.find((known) => known.provider === found.provider);
    const agent = before === undefined ? found : this.#followed(before, found);
    this.#agents = this.#agents.map((known) => known.provider === agent.provider ? agent : known);
    if (
      before && before.path === agent.path && before.version === agent.version &&
      before.problem === agent.problem
    ) {
      return;
    }
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      this.ports.onChange(this.#agents);
    });
  }

  /**
   * A program that has moved (a version manager's upgrade) and passed the gate again keeps the path the running engine may
   * start: that path's start program starts it where it is now. One that is back is started there again.
   */
  #followed(before: DiscoveredAgent, found: DiscoveredAgent): DiscoveredAgent {
    const { context, launchers } = this.ports;
    if (found.path === before.path && this.#moved.delete(found.path)) {
      launchers()?.repoint(found.path, found.path);
    }
    const moved = found.problem === "" && found.path !== "" && found.path !== before.path &&
      this.#granted.has(before.path) && executableAt(before.path, context) === undefined;
    if (!moved || launchers()?.repoint(before.path, found.path) !== true) return found;
    if (this.#moved.get(before.path) !== found.path) {
      log.info("agent program has moved", { provider: found.provider, from: before.path, to: found.path });
    }
    this.#moved.set(before.path, found.path);
    return { ...found, path: before.path };
  }
}
