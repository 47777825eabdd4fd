/** The engine's end of the broker: typed calls to the supervisor, and power over process trees through them. */
import { errorFromFailure, HostError, type ProcessControl, type ProcessGroup } from "../core/mod.ts";
import type { BrokerCalls, BrokerName, EngineFailure, FromEngine } from "../supervisor/mod.ts";

/** One typed request to the supervisor. @throws {HostError} when it is refused or fails; the reason is the message. */
export type BrokerCall = <N extends BrokerName>(
  name: N,
  arg: BrokerCalls[N]["arg"],
) => Promise<BrokerCalls[N]["answer"]>;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: HostError) => void;
}

/** Owner of the calls in flight. */
export class BrokerClient {
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();

  constructor(private readonly post: (message: FromEngine) => void) {}

  readonly call: BrokerCall = <N extends BrokerName>(name: N, arg: BrokerCalls[N]["arg"]) => {
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.post({ t: "call", id, name, arg });
    return answer.promise as Promise<BrokerCalls[N]["answer"]>;
  };

  /** An answer came. An id nobody waits for is ignored. */
  answered(id: number, outcome: { ok: true; value: unknown } | { ok: false; error: EngineFailure }): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    if (outcome.ok) waiting.resolve(outcome.value);
    else waiting.reject(errorFromFailure(outcome.error));
  }

  /** Nobody will answer any more. */
  close(): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new HostError("the supervisor is gone", { code: "broker_closed" }));
    }
    this.#waiting.clear();
  }
}

/** {@link ProcessControl} by broker: a narrowed Worker may not signal anything itself (guides/deno.md §4). */
export function brokeredProcesses(client: BrokerClient, post: (message: FromEngine) => void): ProcessControl {
  return {
    started: (group: ProcessGroup) => post({ t: "group", group }),
    end: (group, options) => client.call("process.end", { group, options }),
    groupEmpty: (group) => client.call("process.groupEmpty", group),
    cpuTime: (group) => client.call("process.cpuTime", group),
  };
}
