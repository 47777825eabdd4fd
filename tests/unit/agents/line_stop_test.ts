/** What a CLI says of its end while it is being stopped is only its answer to that (spec 06 §6.3, §7.6; 07 §5.3). */
import assert from "node:assert/strict";
import { copilotDriver } from "../../../lib/agents/copilot.ts";
import { cursorDriver } from "../../../lib/agents/cursor.ts";
import type { Driver } from "../../../lib/agents/mod.ts";
import { openCodeDriver } from "../../../lib/agents/opencode.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";

interface PoliteCli {
  readonly driver: Driver;
  readonly name: string;
  /** Its first sign of life. */
  readonly begin: string;
  /** What it says when it gets TERM. */
  readonly last: string;
}

const CLIS: Readonly<Record<string, PoliteCli>> = {
  copilot: {
    driver: copilotDriver,
    name: "copilot",
    begin: '{"type":"session.start","data":{"sessionId":"s1"}}',
    last:
      '{"type":"session.error","data":{"message":"interrupted"}}\n{"type":"result","sessionId":"s1","exitCode":0}',
  },
  cursor: {
    driver: cursorDriver,
    name: "cursor-agent",
    begin: '{"type":"system","subtype":"init","session_id":"s1"}',
    last: '{"type":"result","subtype":"success","is_error":false,"session_id":"s1","result":"half"}',
  },
  opencode: {
    driver: openCodeDriver,
    name: "opencode",
    begin: '{"type":"step_start","sessionID":"s1","part":{}}',
    last: '{"type":"error","sessionID":"s1","error":{"name":"MessageAbortedError"}}',
  },
};

for (const [provider, { driver, name, begin, last }] of Object.entries(CLIS)) {
  for (const why of ["cancel", "deadline"]) {
    Deno.test(`${provider} driver: a last word after the ${why} does not turn it into another end`, async () => {
      const dir = await Deno.makeTempDir();
      try {
        const cli = await script(
          `${dir}/cli`,
          `#!/bin/sh\nexec 2>/dev/null\ntrap 'echo '"'"'${last}'"'"'; exit 0' TERM\necho '${begin}'\nwhile :; do sleep 0.05; done\n`,
        );
        const clock = new FakeClock();
        const timeoutMs = why === "deadline" ? 60_000 : 0;
        const { run, event, abort } = await startAgent(
          driver,
          agentRequest(cli, dir, { provider, timeoutMs }),
          { clock },
        );
        await event(() => true);
        if (why === "cancel") abort();
        else await clock.advance(timeoutMs);
        const { status, error, sessionId } = await run.result;
        assert.deepEqual(
          [status, error],
          why === "cancel" ? ["aborted", "execution cancelled"] : ["timeout", `${name} timed out after 1m0s`],
        );
        assert.equal(sessionId, "s1");
        assert.equal((await run.ended).empty, true);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });
  }
}
