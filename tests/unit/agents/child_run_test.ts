/** The life of an agent child, with small shell scripts as the CLI. */
import assert from "node:assert/strict";
import { startChild } from "../../../lib/agents/child_run.ts";
import { type AgentResult, type ChildEnd, type ChildRun, failedResult } from "../../../lib/agents/mod.ts";
import type { Driver } from "../../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";
import { markerAlive } from "../../helpers/process_control.ts";

const done: AgentResult = { ...failedResult("", 0), status: "completed", output: "ok" };

/** Lines are events; `END` decides; `ask` writes back. */
function lineDriver(more: { graceMs?: number; maxLineBytes?: number; ends?: ChildEnd[] } = {}): Driver {
  return {
    start(request, ports) {
      const run: ChildRun = startChild({
        name: "toy",
        request,
        ports,
        args: ["one"],
        stdin: "piped",
        graceMs: more.graceMs ?? 200,
        ...(more.maxLineBytes === undefined ? {} : { maxLineBytes: more.maxLineBytes }),
      }, (run) => ({
        line(line) {
          run.emit({ type: "text", text: line });
          if (line === "END") run.decide(done);
        },
        conclude(end) {
          more.ends?.push(end);
          const error = `exit ${end.exit?.code} ${end.exit?.signal} ${end.stopCause} ${end.stderrTail}`;
          return failedResult(error, end.durationMs);
        },
      }));
      run.send(request.prompt + "\n");
      return Promise.resolve(run.run);
    },
  };
}

async function inTemp(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("startChild() words a missing executable as the classifier knows it", async () => {
  await assert.rejects(
    startAgent(lineDriver(), agentRequest("/nonexistent/cli", "/tmp")),
    /^LaunchError: toy executable not found at "\/nonexistent\/cli": no such file or directory$/,
  );
  await assert.rejects(
    startAgent(lineDriver(), agentRequest("/bin/sh", "/nonexistent/dir")),
    /start toy: working directory "\/nonexistent\/dir" does not exist/,
  );
});

Deno.test("ChildRun settles the result at the terminal event, before the exit", async () => {
  await inTemp(async (dir) => {
    const cli = await script(
      `${dir}/cli`,
      "#!/bin/sh\nread p\necho $p\necho END\nread never\necho after\nexit 3\n",
    );
    const { run, events } = await startAgent(lineDriver(), agentRequest(cli, dir));
    assert.equal((await run.result).output, "ok");
    assert.deepEqual(await run.ended, { empty: true, leftovers: [], killed: false });
    await run.exited;
    assert.deepEqual(events.map((event) => "text" in event && event.text), ["say pong", "END", "after"]);
  });
});

Deno.test("ChildRun concludes at the exit when nothing was decided, with the stderr tail", async () => {
  await inTemp(async (dir) => {
    const cli = await script(`${dir}/cli`, "#!/bin/sh\necho half; printf 'tail'; echo oops >&2; exit 3\n");
    const { run, events } = await startAgent(lineDriver(), agentRequest(cli, dir));
    assert.equal((await run.result).error, "exit 3 null undefined oops");
    await run.ended;
    assert.deepEqual(events.map((event) => "text" in event && event.text), ["half", "tail"]);
  });
});

Deno.test("ChildRun ends a tree that ignores SIGTERM and a grandchild in its own session", async () => {
  await inTemp(async (dir) => {
    const cli = await script(
      `${dir}/cli`,
      "#!/bin/sh\ntrap '' TERM\nsetsid sleep 100 &\necho up\nwhile :; do sleep 1; done\n",
    );
    const request = agentRequest(cli, dir);
    const { run, abort, event } = await startAgent(lineDriver(), request);
    await event((event) => event.type === "text" && event.text === "up");
    abort();
    assert.match((await run.result).error, /SIGKILL cancelled/);
    const report = await run.ended;
    assert.equal(report.empty, true);
    assert.equal(report.killed, true);
    assert.equal(markerAlive(request.marker), false);
  });
});

Deno.test("ChildRun stops at its timeout", async () => {
  await inTemp(async (dir) => {
    const cli = await script(`${dir}/cli`, "#!/bin/sh\nexec sleep 100\n");
    const { run } = await startAgent(lineDriver(), agentRequest(cli, dir, { timeoutMs: 50 }));
    assert.match((await run.result).error, /SIGTERM timeout/);
    assert.equal((await run.ended).empty, true);
  });
});

Deno.test("ChildRun is not held by a daemon that keeps stdout and stderr open", async () => {
  await inTemp(async (dir) => {
    const cli = await script(`${dir}/cli`, "#!/bin/sh\n(setsid sleep 100 &) \necho END\nexit 0\n");
    const request = agentRequest(cli, dir);
    const { run } = await startAgent(lineDriver(), request);
    assert.equal((await run.result).status, "completed");
    assert.equal((await run.ended).empty, true);
    assert.equal(markerAlive(request.marker), false);
  });
});

Deno.test("ChildRun gives up a pipe whose holder cannot be found", async () => {
  await inTemp(async (dir) => {
    // The holder has neither the marker nor the group: only the drain limit ends the wait.
    const cli = await script(
      `${dir}/cli`,
      `#!/bin/sh\nenv -i setsid /bin/sh -c 'echo $$ > ${dir}/pid; exec sleep 100' &\n` +
        `while [ ! -s ${dir}/pid ]; do sleep 0.01; done\necho half\nexit 4\n`,
    );
    const { run } = await startAgent(lineDriver(), agentRequest(cli, dir));
    try {
      assert.match((await run.result).error, /exit 4/);
      await run.ended;
    } finally {
      Deno.kill(Number(await Deno.readTextFile(`${dir}/pid`)), "SIGKILL");
      // The holder's end closes the pipes; the reads end in the turns of the loop that two children take.
      for (let n = 0; n < 2; n++) await new Deno.Command("/bin/sleep", { args: ["0.05"] }).output();
    }
  });
});

Deno.test("ChildRun declares the part of a line beyond the limit", async () => {
  await inTemp(async (dir) => {
    const cli = await script(
      `${dir}/cli`,
      "#!/bin/sh\necho a\nhead -c 5000 /dev/zero | tr '\\0' x\necho\necho b\n",
    );
    const ends: ChildEnd[] = [];
    const { run, events } = await startAgent(
      lineDriver({ maxLineBytes: 1000, ends }),
      agentRequest(cli, dir),
    );
    await run.ended;
    assert.deepEqual(events.map((event) => event.type), ["text", "gap", "text"]);
    assert.equal(ends[0]?.cutBytes, 4000);
  });
});

Deno.test("ChildRun survives a CLI that never reads its stdin, or exits before reading it", async () => {
  await inTemp(async (dir) => {
    const big = "p".repeat(4 * 1024 * 1024);
    const deaf = await script(`${dir}/deaf`, "#!/bin/sh\necho END\nexec sleep 100\n");
    const first = await startAgent(lineDriver(), agentRequest(deaf, dir, { prompt: big }));
    await first.run.result;
    first.abort();
    assert.equal((await first.run.ended).empty, true);

    const gone = await script(`${dir}/gone`, "#!/bin/sh\nexit 7\n");
    const ends: ChildEnd[] = [];
    const second = await startAgent(lineDriver({ ends }), agentRequest(gone, dir, { prompt: big }));
    assert.match((await second.run.result).error, /exit 7/);
    assert.match(ends[0]!.stdinError, /pipe/i);
    await second.run.ended;
  });
});

Deno.test("ChildRun [CL-8] slows its reader down when the consumer asks for it, and drops nothing", async () => {
  await inTemp(async (dir) => {
    const cli = await script(`${dir}/cli`, "#!/bin/sh\necho a\nread p\nread q\necho END\n");
    const gate = Promise.withResolvers<void>();
    const { run, events, event } = await startAgent(
      lineDriver(),
      agentRequest(cli, dir, { prompt: "x\ny" }),
      {
        emit: (event) => event.type === "text" && event.text === "a" ? gate.promise : undefined,
      },
    );
    await event((event) => event.type === "text");
    gate.resolve();
    await run.ended;
    assert.equal(events.length, 2);
  });
});
