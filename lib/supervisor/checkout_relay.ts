/** Checkout requests of the local API, passed to the engine and answered from there. */
import type { CheckoutAnswer, CheckoutHandler, CheckoutRequest } from "../api/mod.ts";
import type { ToEngine } from "./protocol.ts";

/** Told when there is no engine to ask, as a busy repository would be: the agent's command tries again by itself. */
const UNAVAILABLE: CheckoutAnswer = {
  status: 503,
  body: "the host is restarting its engine, try again",
  headers: { "X-Multica-Retryable": "repo-busy", "Retry-After": "2" },
};

/** Owner of the requests in flight. */
export class CheckoutRelay {
  #nextId = 1;
  readonly #waiting = new Map<number, (answer: CheckoutAnswer) => void>();

  /** `send` returns false when no engine is there to hear. */
  constructor(private readonly send: (message: ToEngine) => boolean) {}

  readonly handler: CheckoutHandler = (request: CheckoutRequest, signal: AbortSignal) => {
    const id = this.#nextId++;
    return new Promise<CheckoutAnswer>((resolve) => {
      const onAbort = () => {
        this.send({ t: "checkout.abort", id });
        settle({ status: 499, body: "caller has gone" });
      };
      const settle = (answer: CheckoutAnswer) => {
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(id);
        resolve(answer);
      };
      this.#waiting.set(id, settle);
      signal.addEventListener("abort", onAbort, { once: true });
      if (!this.send({ t: "checkout", id, request })) settle(UNAVAILABLE);
    });
  };

  answered(id: number, answer: CheckoutAnswer): void {
    this.#waiting.get(id)?.(answer);
  }

  /** The engine is gone: what it had not answered is to be asked again. */
  reset(): void {
    for (const settle of [...this.#waiting.values()]) settle(UNAVAILABLE);
  }
}
