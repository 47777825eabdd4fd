/** The main job over real processes: claim, work directory, start, agent, transcript, usage, result. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Hold } from "../../lib/plane/mod.ts";
import { withWorld } from "../helpers/e2e_world.ts";

const PLAY = `
init
think "A file is wanted."
say "Writing."
use t1 Write '{"file_path":"hello.txt"}'
echo hi > hello.txt
got t1 "written"
say "All done."
result "All done."`;

Deno.test("host does the main job in the order the server expects [R8][R35][R36][R38][R40]", () =>
  withWorld({ play: PLAY }, async (world) => {
    const { plane } = world;
    const starting = new Hold();
    plane.faults.script("POST /api/daemon/tasks/:id/start", [{ hold: starting }]);
    const host = await world.running();
    const sessionKnown = plane.waitForEvent((event) => event.type === "session");
    const id = world.task({ title: "Write hello" });

    await starting.reached;
    assert.equal(world.agent.starts().length, 0, "no agent before the server knows");
    const made = [...Deno.readDirSync(join(world.home.workspacesRoot, world.workspaceId))];
    assert.ok(made.length >= 1, "the work directory exists before start is said");
    starting.release();

    const task = await plane.taskState(id, ["completed", "failed", "cancelled"]);
    assert.equal(task.status, "completed", task.error + host.output);
    assert.equal(task.output, "All done.");
    const [start] = world.agent.starts();
    assert.equal(world.agent.starts().length, 1);
    assert.equal(task.session_id, start!.session);
    assert.equal(task.work_dir, start!.cwd);
    assert.equal(await Deno.readTextFile(join(task.work_dir, "hello.txt")), "hi\n");
    assert.ok(task.work_dir.startsWith(world.home.workspacesRoot));
    assert.equal((await sessionKnown).type, "session");

    const messages = plane.messages(id);
    assert.deepEqual(messages.map((one) => one.type), [
      "thinking",
      "text",
      "tool_use",
      "tool_result",
      "text",
    ]);
    assert.deepEqual(messages.map((one) => one.seq), [1, 2, 3, 4, 5]);
    assert.equal(messages[2]!.tool, "Write");
    assert.deepEqual(
      plane.usage(id).map(({ provider, model, input_tokens, output_tokens }) => ({
        provider,
        model,
        input_tokens,
        output_tokens,
      })),
      [{ provider: "claude", model: "claude-x", input_tokens: 10, output_tokens: 5 }],
    );

    const all = plane.requests();
    assert.match(`${all[0]!.method} ${all[0]!.path}`, /renew/, "renewal is the first request");
    const first = (what: string) => {
      const found = world.calls(id, what)[0];
      assert.ok(found !== undefined, `no ${what}`);
      assert.ok(found.status < 300, `${what} answered ${found.status}`);
      return found.n;
    };
    assert.equal(world.calls(id, "/start").length, 1);
    assert.equal(world.calls(id, "/usage").length, 1);
    assert.equal(world.calls(id, "/complete").length, 1);
    assert.equal(world.calls(id, "/fail").length, 0);
    assert.ok(first("/start") < first("/messages"));
    assert.ok(first("/messages") < first("/usage"));
    assert.ok(first("/usage") < first("/complete"));
    assert.ok(first("/session") < first("/complete"));
    const progress = world.calls(id, "/progress").map((one) => JSON.parse(one.body));
    assert.deepEqual(progress[0], { summary: "Launching claude", step: 1, total: 2 });

    assert.equal((await host.stop()).code, 0, host.output);
    assert.equal(plane.requests().at(-1)!.path, "/api/daemon/deregister");
  }));

Deno.test("a follow-up that waits already when its predecessor ends goes on with session and directory [R44]", () =>
  withWorld({}, async (world) => {
    const { plane } = world;
    const host = await world.running();
    const first = world.task();
    const issueId = plane.task(first)!.issue_id;
    const more = [1, 2, 3].map(() => world.task({ issueId }));
    for (const id of [first, ...more]) {
      const task = await plane.taskState(id, ["completed", "failed", "cancelled"]);
      assert.equal(task.status, "completed", task.error);
    }
    const starts = world.agent.starts();
    assert.equal(starts.length, 4);
    assert.deepEqual([...new Set(starts.map((one) => one.cwd))].length, 1, host.output);
    assert.deepEqual([...new Set(starts.map((one) => one.session))].length, 1, host.output);
    assert.equal((await host.stop()).code, 0, host.output);
  }));
