/** The broker: what the engine may not do itself, done for it after policy has looked at each request. */
import {
  type DirectProcessControl,
  errorText,
  type Failure,
  failureOf,
  getLog,
  HostError,
} from "../core/mod.ts";
import type { AgentDiscovery, DiscoveredAgent } from "../runtimes/finding/mod.ts";
import type { DirectoryLocks } from "./directory_locks.ts";
import { decideExecutable, type ExecutableFacts } from "./executable_policy.ts";
import { checkGroup } from "./group_check.ts";
import { type LinkRoots, makeLink } from "./link_policy.ts";
import { runLocalOps } from "./local_files.ts";
import { checkLocalDirectory, type LocalFacts } from "./local_policy.ts";
import type { BrokerCalls, BrokerName, ExecutableAnswer, ExecutableRequest } from "./protocol.ts";
import { BrokerRefused } from "./refusal.ts";

const log = getLog("supervisor", "broker");

/** What the broker decides and acts with. */
export interface BrokerPorts {
  readonly processes: DirectProcessControl;
  readonly discovery: Pick<AgentDiscovery, "version">;
  /** Runs discovery again and adopts the result. */
  readonly rediscover: () => Promise<readonly DiscoveredAgent[]>;
  /** Looks for an agent's program, and finds it again if it has moved. */
  readonly present: (path: string) => Promise<BrokerCalls["agent.present"]["answer"]>;
  /** Facts of this moment. */
  readonly executables: () => Omit<ExecutableFacts, "agentPaths">;
  readonly agents: () => readonly DiscoveredAgent[];
  readonly links: () => LinkRoots;
  readonly local: LocalFacts;
  /** User directories in use by the hosts of this machine. */
  readonly directories: Pick<DirectoryLocks, "take" | "release" | "reset">;
  /** Notes an allowed program; true when the running engine may start it already. */
  readonly adopt: (path: string) => boolean;
}

/** The answer to one call, ready for the port. */
export type BrokerOutcome = { readonly ok: true; readonly value: unknown } | {
  readonly ok: false;
  readonly error: Failure;
};

type Handlers = {
  readonly [N in BrokerName]: (arg: BrokerCalls[N]["arg"]) => Promise<BrokerCalls[N]["answer"]>;
};

/** Serves the calls of one engine after another; opened local directories are forgotten with each. */
export class Broker {
  readonly #opened = new Set<string>();
  readonly #handlers: Handlers;

  constructor(private readonly ports: BrokerPorts) {
    const { processes } = ports;
    this.#handlers = {
      "process.end": ({ group, options }) => processes.end(group, options),
      "process.groupEmpty": (group) => processes.groupEmpty(group),
      "process.cpuTime": (group) => processes.cpuTime(group),
      "link": ({ path, target }) => makeLink(path, target, this.#linkRoots()),
      "executable.add": (request) => this.#addExecutable(request),
      "agents.discover": () => ports.rediscover(),
      "agent.present": ({ path }) => ports.present(path),
      "local.open": ({ path }) => this.#openLocal(path),
      "local.lock": ({ path, task }) => {
        this.#requireOpened("local.lock", path);
        return Promise.resolve(ports.directories.take(path, task));
      },
      "local.unlock": ({ path, task }) => Promise.resolve(ports.directories.release(path, task)),
      "local": ({ root, ops }) => {
        this.#requireOpened("local", root);
        return runLocalOps(root, ops);
      },
    };
  }

  /** A new engine starts with nothing opened and nothing claimed. */
  reset(): void {
    this.#opened.clear();
    this.ports.directories.reset();
  }

  /** Registers a process group the engine has started. One that does not fit is logged and refused (false). */
  announced(value: unknown): boolean {
    const { group, refused } = checkGroup(value);
    if (group === undefined || group.pid === Deno.pid) {
      log.error("process group refused", { reason: refused ?? "it is this process" });
      return false;
    }
    this.ports.processes.started(group);
    return true;
  }

  /** Answers one call. Never rejects: refusals and failures come back as such, each logged. */
  async answer(name: string, arg: unknown): Promise<BrokerOutcome> {
    try {
      return { ok: true, value: await this.#dispatch(name, arg) };
    } catch (error) {
      const facts = error instanceof HostError ? error.facts : {};
      if (error instanceof BrokerRefused) {
        log.warn("broker refused", { call: name, reason: error.message, ...facts });
      } else log.error("broker call failed", { call: name, error: errorText(error), ...facts });
      return { ok: false, error: failureOf(named(error)) };
    }
  }

  async #dispatch(name: string, arg: unknown): Promise<unknown> {
    const { brokerSchemas } = await import("./broker_schemas.ts");
    if (!Object.hasOwn(brokerSchemas, name)) throw new BrokerRefused(name, `there is no call "${name}"`);
    const call = name as BrokerName;
    const parsed = brokerSchemas[call].safeParse(arg);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new BrokerRefused(name, `malformed request: ${issue?.path.join(".")} ${issue?.message}`);
    }
    const handler = this.#handlers[call] as (arg: unknown) => Promise<unknown>;
    return await handler(parsed.data);
  }

  #requireOpened(call: string, root: string): void {
    if (!this.#opened.has(root)) throw new BrokerRefused(call, `${root} is not opened`, { root });
  }

  #linkRoots(): LinkRoots {
    const { places, targets } = this.ports.links();
    return { places, targets: [...targets, ...this.#opened] };
  }

  async #addExecutable(request: ExecutableRequest): Promise<ExecutableAnswer> {
    const agentPaths = this.ports.agents().map((agent) => agent.path).filter((path) => path !== "");
    const verdict = decideExecutable(request, { ...this.ports.executables(), agentPaths });
    const { command, profileId } = request;
    if (!verdict.allowed) {
      log.warn("broker refused", { call: "executable.add", command, profileId, reason: verdict.reason });
      return { allowed: false, path: "", version: "", reason: verdict.reason, effective: false };
    }
    const version = await this.#versionOf(verdict.path, request.prefixArgs);
    const effective = this.ports.adopt(verdict.path);
    log.info("program allowed", { command, profileId, path: verdict.path, why: verdict.why, effective });
    return { allowed: true, path: verdict.path, version, reason: "", effective };
  }

  /** Best effort: a custom program need not know `--version` (spec 03 §6.5). */
  async #versionOf(path: string, prefixArgs: readonly string[]): Promise<string> {
    try {
      return await this.ports.discovery.version(path, prefixArgs);
    } catch (error) {
      log.info("no version from a custom program", { path, error: errorText(error) });
      return "";
    }
  }

  async #openLocal(path: string): Promise<BrokerCalls["local.open"]["answer"]> {
    const verdict = await checkLocalDirectory(path, this.ports.local);
    if (verdict.ok) this.#opened.add(verdict.path);
    else log.warn("broker refused", { call: "local.open", path, reason: verdict.reason });
    return verdict;
  }
}

/** File system errors keep their name as code: callers branch on `AlreadyExists` and the like. */
function named(error: unknown): unknown {
  if (error instanceof HostError || !(error instanceof Error)) return error;
  return new HostError(error.message, { code: error.name, cause: error });
}
