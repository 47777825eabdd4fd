import assert from "node:assert/strict";
import { RequestError, TransportError } from "../../../lib/control/mod.ts";
import { CancelWatch } from "../../../lib/tasks/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

function open(answers: (string | Error)[]) {
  const clock = new FakeClock();
  const interrupts: string[] = [];
  let asked = 0;
  const watch = new CancelWatch({
    clock,
    taskId: "t",
    control: {
      taskStatus: () => {
        const answer = answers[Math.min(asked++, answers.length - 1)]!;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    onInterrupt: (status) => interrupts.push(status),
  });
  return { clock, watch, interrupts, asked: () => asked };
}

function http(status: number, body: string): RequestError {
  return new RequestError({ method: "GET", path: "/status", status, body });
}

Deno.test("CancelWatch interrupts on final states and on a task that is gone, once [R39][HD-10]", async () => {
  for (const answer of ["completed", "failed", "cancelled", http(404, '{"error":"task not found"}')]) {
    const { clock, interrupts } = open([answer]);
    await clock.advance(4_999);
    assert.equal(interrupts.length, 0);
    await clock.advance(20_000);
    assert.deepEqual(interrupts, [answer instanceof Error ? "gone" : answer]);
    assert.equal(clock.pending, 0);
  }
});

Deno.test("CancelWatch goes on for everything else, every 5 s [R39][HD-10]", async () => {
  const answers = [
    "running",
    "dispatched",
    "waiting_local_directory",
    "",
    http(502, "<html>"),
    http(500, "task not found"),
  ];
  const { clock, watch, interrupts, asked } = open([
    ...answers,
    new TransportError("network_offline", "GET", "/", "x"),
    "running",
  ]);
  await clock.advance(50_000);
  assert.equal(asked(), 10);
  assert.deepEqual(interrupts, []);
  await watch.stop();
  assert.equal(clock.pending, 0);
});

Deno.test("CancelWatch takes three 404 in a row for a task out of reach", async () => {
  const { clock, interrupts } = open([http(404, "not found"), "running", http(404, "not found")]);
  await clock.advance(20_000);
  assert.deepEqual(interrupts, []);
  await clock.advance(5_000);
  assert.deepEqual(interrupts, ["gone"]);
});
