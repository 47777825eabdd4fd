/** The rehearsal agent as a subprocess, through the Claude driver. */
import assert from "node:assert/strict";
import { driverFor, REHEARSAL_VERB } from "../../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

const MODULE = new URL("../../../lib/agents/rehearsal.ts", import.meta.url).href;
const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

/** A stand-in for the binary: `<deno> run … <program> __rehearsal`, as prefix arguments. */
async function rehearse(
  prompt: string,
  work: (dir: string, abort: () => void) => Promise<void>,
  at?: string,
) {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/work`);
    await Deno.writeTextFile(`${dir}/work/README.md`, "# Sample\n");
    const program = `${dir}/program.ts`;
    await Deno.writeTextFile(
      program,
      `import { runRehearsalAgent } from ${
        JSON.stringify(MODULE)
      };\nDeno.exit(await runRehearsalAgent(Deno.args));\n`,
    );
    const cli = await script(
      `${dir}/cli`,
      `#!/bin/sh\nexec "${Deno.execPath()}" run -A -q --config ${CONFIG} "$@"\n`,
    );
    const started = await startAgent(
      await driverFor("rehearsal"),
      agentRequest(cli, `${dir}/work`, {
        provider: "rehearsal",
        prompt,
        prefixArgs: [program, REHEARSAL_VERB],
        tempDir: dir,
        env: { HOME: Deno.env.get("HOME") ?? dir, IS_SANDBOX: "" },
      }),
    );
    if (at !== undefined) await started.event((event) => event.type === at);
    await work(`${dir}/work`, () => started.abort());
    const result = await started.run.result;
    await started.run.ended;
    return { result, events: started.events };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("rehearsal agent reads and changes files and says that it is no model", async () => {
  let notes = "";
  const { result, events } = await rehearse("Fix the bug\nplease", async (dir) => {
    for (let tries = 0; notes === "" && tries < 400; tries++) {
      notes = await Deno.readTextFile(`${dir}/REHEARSAL.md`).catch(() => "");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  });
  assert.equal(result.status, "completed", result.error);
  assert.match(result.output, /no model/);
  assert.match(result.sessionId, /^[0-9a-f-]{36}$/);
  assert.match(notes, /Asked: Fix the bug/);
  const shape = events.filter((event) => event.type !== "activity").map((event) =>
    event.type === "tool_use" ? `tool_use ${event.tool}` : event.type
  );
  assert.deepEqual(shape, [
    ...["session", "thinking", "text"],
    ...["tool_use Glob", "tool_result", "tool_use Read", "tool_result", "tool_use Write", "tool_result"],
    "text",
  ]);
});

Deno.test("rehearsal agent can be told to fail, and to wait until it is cancelled", async () => {
  const failed = await rehearse("rehearsal:fail=API Error: 529 overloaded", async () => {});
  assert.deepEqual([failed.result.status, failed.result.error], ["failed", "API Error: 529 overloaded"]);
  const cancelled = await rehearse(
    "rehearsal:wait=600000",
    (_dir, abort) => Promise.resolve(abort()),
    "text",
  );
  assert.equal(cancelled.result.status, "aborted");
});
