/** What the broker answers to a request that policy forbids. */
import { HostError } from "../core/mod.ts";

/** A request of the engine that was refused; the message is the reason. */
export class BrokerRefused extends HostError {
  constructor(call: string, reason: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(reason, { code: "broker_refused", facts: { call, ...facts } });
  }
}
