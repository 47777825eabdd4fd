/** Cancelling Claude ends its whole tree, whoever obeys (N-13). */
import assert from "node:assert/strict";
import { claudeDriver } from "../../../lib/agents/claude.ts";
import { agentRequest, script, startAgent } from "../../helpers/agent_run.ts";
import { markerAlive } from "../../helpers/process_control.ts";

const INIT = `echo '{"type":"system","session_id":"s-1"}'`;
const IGNORE = `trap "" TERM; `;
const LOOP = "while :; do sleep 0.2; done";

for (
  const [what, leader, child, killed] of [
    ["when both obey SIGTERM", "", "", false],
    ["when both ignore it", IGNORE, IGNORE, true],
    ["when the leader obeys and a detached grandchild ignores it", "", IGNORE, true],
  ] as const
) {
  Deno.test(`claude driver [N-13] cancel reaps leader and grandchild ${what}`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      const cli = await script(
        `${dir}/cli`,
        `#!/bin/sh\nsetsid sh -c '${child}touch up; ${LOOP}' &\n${leader}while [ ! -e up ]; do sleep 0.01; done\n` +
          `${INIT}\n${LOOP}\n`,
      );
      const request = agentRequest(cli, dir);
      const { run, abort, event } = await startAgent(claudeDriver, request);
      await event((event) => event.type === "session");
      const began = performance.now();
      abort();
      const result = await run.result;
      assert.deepEqual([result.status, result.sessionId], ["aborted", "s-1"]);
      const report = await run.ended;
      assert.deepEqual([report.empty, report.killed], [true, killed]);
      assert.ok(performance.now() - began < 7_000); // grace + 2 s
      assert.equal(markerAlive(request.marker), false);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}
