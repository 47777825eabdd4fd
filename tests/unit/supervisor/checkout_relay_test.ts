import assert from "node:assert/strict";
import type { CheckoutRequest } from "../../../lib/api/mod.ts";
import { CheckoutRelay } from "../../../lib/supervisor/checkout_relay.ts";
import type { ToEngine } from "../../../lib/supervisor/protocol.ts";

const request = { url: "u" } as CheckoutRequest;

Deno.test("CheckoutRelay passes requests on, and answers as busy when the engine is or goes away", async () => {
  const sent: ToEngine[] = [];
  let there = true;
  const relay = new CheckoutRelay((message) => there && sent.push(message) > 0);
  const signal = new AbortController().signal;
  const first = relay.handler(request, signal);
  const second = relay.handler(request, signal);
  relay.answered(1, { status: 200, body: "fine" });
  assert.deepEqual(await first, { status: 200, body: "fine" });
  relay.reset();
  assert.equal((await second).headers?.["X-Multica-Retryable"], "repo-busy");
  there = false;
  assert.equal((await relay.handler(request, signal)).status, 503);
});

Deno.test("CheckoutRelay tells the engine when the caller has gone", async () => {
  const sent: string[] = [];
  const relay = new CheckoutRelay((message) => sent.push(message.t) > 0);
  const abort = new AbortController();
  const answer = relay.handler(request, abort.signal);
  abort.abort();
  await answer;
  assert.deepEqual(sent, ["checkout", "checkout.abort"]);
});
