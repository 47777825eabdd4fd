/**
 * Hostile agents as a task sees them: real processes, the host's own power over trees, one table. Each case gives the right
 * verdict at the server, bounded memory, no process left, and a slot that is free within the grace + 2 s.
 */
import assert from "node:assert/strict";
import { type Driver, driverFor } from "../../../lib/agents/mod.ts";
import { DirectProcessControl } from "../../../lib/core/mod.ts";
import { script } from "../../helpers/agent_run.ts";
import { markerAlive } from "../../helpers/process_control.ts";
import { FakeSlot, inWorld } from "../../helpers/task_world.ts";

/** Cursor's: its protocol says which word is the last, so nothing is waited for after it. */
const GRACE_MS = 500;
const SLACK_MS = 2_000;
const MEMORY_BYTES = 150e6;

const INIT = '{"type":"system","subtype":"init","session_id":"c-1"}';
const DONE = '{"type":"result","subtype":"success","session_id":"c-1","result":"Done."}';
const say = (line: string) => `printf '%s\\n' '${line}'`;
const text = (words: string) =>
  `{"type":"assistant","message":{"content":[{"type":"text","text":"${words}"}]}}`;
const DEAF = `trap "" TERM HUP INT; while :; do sleep 1; done`;

interface Hostile {
  readonly what: string;
  readonly body: string;
  /** Longer than any pipe. */
  readonly bigPrompt?: boolean;
  readonly status: "completed" | "failed";
  /** Output of a completed task, reason of a failed one. */
  readonly says: string;
  /** What the transcript has to have. */
  readonly rows?: RegExp;
}

const CASES: readonly Hostile[] = [
  {
    what: "prints a line of 64 MiB",
    body: `${say(INIT)}; head -c 67108864 /dev/zero | tr '\\0' x; echo; ${say(DONE)}; cat >/dev/null`,
    status: "completed",
    says: "Done.",
    rows: /longer than the limit/,
  },
  {
    what: "prints invalid UTF-8 and NULs",
    body: `${say(INIT)}; printf '\\377\\376\\0\\0\\n'
printf '{"type":"assistant","message":{"content":[{"type":"text","text":"a\\303(b\\\\u0000c"}]}}\\n'
${say(DONE)}; cat >/dev/null`,
    status: "completed",
    says: "a\ufffd(bc",
    rows: /a\ufffd\(bc/,
  },
  {
    what: "exits in the middle of a JSON line",
    body: `cat >/dev/null; ${say(INIT)}; printf '{"type":"result","resu'; exit 0`,
    status: "failed",
    says: "agent_error.empty_or_unparseable_output",
  },
  {
    what: "ignores SIGTERM",
    body: `${say(INIT)}; ${say(DONE)}; ${DEAF}`,
    status: "completed",
    says: "Done.",
  },
  {
    what: "leaves a daemon behind, forked twice, in a session of its own, deaf, that holds its pipes",
    body: `(setsid sh -c '(setsid sh -c '"'"'${DEAF}'"'"' &)' &); ${say(INIT)}; ${say(DONE)}; exit 0`,
    status: "completed",
    says: "Done.",
  },
  {
    what: "never reads its stdin",
    body: `${say(INIT)}; ${say(text("deaf"))}; ${say(DONE)}; exec sleep 600`,
    bigPrompt: true,
    status: "completed",
    says: "deaf",
  },
  {
    what: "exits before it reads the prompt",
    body: "exit 3",
    bigPrompt: true,
    status: "failed",
    says: "agent_error.process_failure",
  },
  {
    what: "talks on after its result",
    body: `${say(INIT)}; ${say(DONE)}; ${say(DONE.replace("Done.", "No!"))}; yes '${
      text("late")
    }' & sleep 600`,
    status: "completed",
    says: "Done.",
  },
];

/** The driver, noting when a run's outcome was known. */
function noting(driver: Driver, at: { result: number }): Driver {
  return {
    async start(request, ports) {
      const run = await driver.start(request, ports);
      run.result.then(() => at.result = performance.now());
      return run;
    },
  };
}

class TimedSlot extends FakeSlot {
  releasedAt = 0;
  override release(): void {
    this.releasedAt ||= performance.now();
    super.release();
  }
}

for (const { what, body, bigPrompt, status, says, rows } of CASES) {
  Deno.test(`hostile agent under a task: one that ${what}`, async () => {
    const at = { result: 0 };
    const options = {
      processes: new DirectProcessControl(),
      driverFor: async () => noting(await driverFor("cursor"), at),
      settings: { inheritedEnv: { PATH: "/usr/local/bin:/usr/bin:/bin" } },
    };
    await inWorld(options, async (world) => {
      const executable = await script(`${world.dir}/agent`, `#!/bin/sh\n${body}\n`);
      const prompt = bigPrompt === true ? "p".repeat(300_000) : "do it";
      const task = await world.claimed({ prompt });
      const slot = new TimedSlot();
      const before = Deno.memoryUsage().rss;
      let memory = 0;
      const gauge = setInterval(() => memory = Math.max(memory, Deno.memoryUsage().rss - before), 20);
      try {
        await world.run(task, slot, world.target({ executable }));
      } finally {
        clearInterval(gauge);
      }
      const view = world.plane.task(task.id)!;
      const said = view.status === "completed" ? view.output : view.failure_reason;
      assert.deepEqual([view.status, said], [status, says], view.error);
      if (rows !== undefined) assert.match(JSON.stringify(world.plane.messages(task.id)), rows);
      assert.equal(markerAlive(`MULTICA_TASK_ID=${task.id}`), false);
      const waited = slot.releasedAt - at.result;
      assert.ok(waited < GRACE_MS + SLACK_MS, `slot free after ${Math.round(waited)} ms`);
      assert.ok(memory < MEMORY_BYTES, `${Math.round(memory / 1e6)} MB`);
    });
  });
}
