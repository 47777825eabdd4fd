import assert from "node:assert/strict";
import {
  isReportRetryable,
  isTransient,
  REPORT_DELAYS_MS,
  RequestError,
  TERMINAL_DELAYS_MS,
  withSchedule,
} from "../../../lib/control/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const fault = (status: number, retryAfterMs?: number) =>
  new RequestError({ method: "POST", path: "/x", status, body: "", retryAfterMs });

/** Runs a schedule whose attempts fail with `statuses` in turn, then succeed; time is moved as far as it goes. */
async function play(statuses: number[], delaysMs: readonly number[], retryable = isTransient) {
  const clock = new FakeClock();
  const at: number[] = [];
  const outcome = withSchedule({ clock, delaysMs, retryable }, () => {
    at.push(clock.monotonic());
    const status = statuses[at.length - 1];
    return status === undefined ? Promise.resolve("done") : Promise.reject(fault(status));
  }).then((value) => ({ value, error: undefined }), (error: unknown) => ({ value: undefined, error }));
  await clock.advance(1_000_000);
  return { at, ...await outcome };
}

Deno.test("withSchedule() [R2] two transient failures, then success: three attempts", async () => {
  const { at, value } = await play([503, 429], TERMINAL_DELAYS_MS);
  assert.equal(value, "done");
  assert.deepEqual(at, [0, 4_000, 12_000]);
});

Deno.test("withSchedule() [R3, R6] exhaustion is one attempt more than sleeps of 4, 8, 16, 32, 64 s", async () => {
  const { at, error } = await play([500, 501, 502, 503, 504, 599], TERMINAL_DELAYS_MS);
  assert.deepEqual(at, [0, 4_000, 12_000, 28_000, 60_000, 124_000]);
  assert.ok(error instanceof RequestError && error.status === 599 && isTransient(error));
});

Deno.test("withSchedule() [R4] a permanent error is one attempt without a sleep", async () => {
  const { at, error } = await play([404], TERMINAL_DELAYS_MS);
  assert.deepEqual(at, [0]);
  assert.equal((error as RequestError).status, 404);
});

Deno.test("withSchedule() [R5] a cancel in a sleep gives the server's error", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  let attempts = 0;
  const job = withSchedule({ clock, delaysMs: TERMINAL_DELAYS_MS, signal: abort.signal }, () => {
    attempts++;
    return Promise.reject(fault(503));
  });
  const settled = assert.rejects(job, { status: 503 });
  await clock.advance(1_000);
  abort.abort(new Error("stop"));
  await settled;
  assert.equal(attempts, 1);
  assert.equal(clock.pending, 0);
});

Deno.test("withSchedule() [R5] a cancel before the first attempt gives the cancel", async () => {
  const reason = new Error("stop");
  const signal = AbortSignal.abort(reason);
  const job = withSchedule({ clock: new FakeClock(), delaysMs: [1], signal }, () => Promise.resolve());
  await assert.rejects(job, (error) => error === reason);
});

Deno.test("withSchedule() waits as long as the server asks", async () => {
  const clock = new FakeClock();
  const at: number[] = [];
  const job = withSchedule({ clock, delaysMs: [500, 500] }, () => {
    at.push(clock.monotonic());
    return at.length === 1 ? Promise.reject(fault(429, 9_000)) : Promise.resolve();
  });
  await clock.advance(20_000);
  await job;
  assert.deepEqual(at, [0, 9_000]);
});

Deno.test("REPORT_DELAYS_MS [R49] is 0, +0.5, +2, +4 s and any 4xx ends it", async () => {
  const given = await play([500, 502, 503, 504], REPORT_DELAYS_MS, isReportRetryable);
  assert.deepEqual(given.at, [0, 500, 2_500, 6_500]);
  for (const status of [400, 404, 408, 429]) {
    assert.deepEqual((await play([status], REPORT_DELAYS_MS, isReportRetryable)).at, [0]);
  }
});
