import assert from "node:assert/strict";
import type { ClaimedTask } from "../../../lib/control/mod.ts";
import { lockedAmongHosts } from "../../../lib/engine/directory_lock.ts";
import type { BrokerCall } from "../../../lib/engine/broker_client.ts";
import type { WorkdirPort } from "../../../lib/tasks/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claimed } from "../../helpers/workdir_world.ts";

const DIRECTORY = { path: "/w/p", label: "p" };

/** The port over a broker that gives `answers` in turn, then always the last. */
function setup(answers: readonly ({ held: true } | { held: false; holder: string })[]) {
  const clock = new FakeClock();
  const calls: string[] = [];
  let inner = 0;
  const call = ((name: string) => {
    calls.push(name);
    return Promise.resolve(
      name === "local.lock" ? answers[Math.min(calls.length, answers.length) - 1] : undefined,
    );
  }) as BrokerCall;
  const workdir = {
    localDirectory: () => Promise.resolve(DIRECTORY),
    lock: () => (inner++, Promise.resolve(() => inner--)),
  } as unknown as WorkdirPort;
  const port = lockedAmongHosts(workdir, { call, clock, random: () => 0 });
  const abort = new AbortController();
  const heard: string[] = [];
  const take = () =>
    port.lock(DIRECTORY, "t1", { signal: abort.signal, onBusy: (holder) => heard.push(holder) });
  return { clock, calls, abort, heard, port, take, inner: () => inner };
}

Deno.test("lockedAmongHosts() waits while another host has the directory and says so once [04.10]", async () => {
  const { clock, calls, heard, take, inner } = setup([
    { held: false, holder: "other" },
    { held: false, holder: "other" },
    { held: true },
  ]);
  const taking = take();
  await clock.advance(999);
  assert.deepEqual([heard, calls.length, inner()], [["other"], 1, 1]);
  await clock.advance(1_001);
  const release = await taking;
  release();
  release();
  assert.deepEqual(heard, ["other"]);
  assert.deepEqual(calls, ["local.lock", "local.lock", "local.lock", "local.unlock"]);
  assert.equal(inner(), 0);
});

Deno.test("lockedAmongHosts() gives up with its signal and holds nothing then", async () => {
  const { clock, abort, take, inner } = setup([{ held: false, holder: "other" }]);
  const taking = take();
  await clock.advance(0);
  abort.abort(new Error("cancelled"));
  await assert.rejects(taking, /cancelled/);
  assert.equal(inner(), 0);
});

Deno.test("lockedAmongHosts() leaves the directory of a chat shared [04.20.12]", async () => {
  const { calls, abort, port, take } = setup([{ held: true }]);
  const chat: ClaimedTask = claimed({ chat_session_id: "c", issue_id: "", chat_message: "hello" });
  assert.equal(await port.localDirectory(chat, abort.signal), DIRECTORY);
  (await take())();
  assert.deepEqual(calls, []);
});
