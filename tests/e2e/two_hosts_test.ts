/** Two hosts of one user on one machine: two profiles, two servers, one directory of the user's. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { healthPort } from "../../lib/config/mod.ts";
import { shortId } from "../../lib/core/mod.ts";
import { Plane } from "../../lib/plane/mod.ts";
import { SHORT_PLAY } from "../helpers/e2e_agent.ts";
import { freeProfile, withWorld } from "../helpers/e2e_world.ts";
import { HostProcess, type TestHome } from "../helpers/host_process.ts";

Deno.test("a directory of the user's is worked in by one host at a time, whatever its profile [04.10]", () =>
  withWorld({ play: 'init\nhold mid\nresult "First."' }, async (world) => {
    const { agent, home } = world;
    const localDir = join(home.dir, "project");
    await Deno.mkdir(localDir);
    await using other = await secondHost(home, world.env);
    const first = await world.running();
    const mid = agent.hold("mid");
    const held = world.task({ localDir });
    await mid.reached;

    agent.play(SHORT_PLAY);
    const waiting = other.task(localDir);
    const task = await other.plane.taskState(waiting, ["waiting_local_directory"]);
    assert.match(task.wait_reason, new RegExp(`project \\(held by task ${shortId(held)}\\)$`));
    assert.equal(agent.starts().length, 1);

    await mid.release();
    assert.equal((await world.plane.taskState(held, ["completed", "failed"])).output, "First.");
    assert.equal((await other.plane.taskState(waiting, ["completed", "failed"])).output, "Done.");
    assert.deepEqual(agent.starts().map(({ cwd }) => cwd), [localDir, localDir]);
    assert.equal((await first.stop()).code, 0);
    assert.equal((await other.host.stop()).code, 0);
    const left = [...Deno.readDirSync(join(home.dir, ".multica/directory_locks"))].map(({ name }) => name);
    assert.deepEqual(left, ["claims.sqlite"]);
  }));

/** A second profile in the same home, logged in at a server of its own, and its host. */
async function secondHost(home: TestHome, env: Record<string, string>) {
  const plane = await Plane.open();
  const profile = freeProfile();
  const file = join(home.dir, ".multica/profiles", profile, "config.json");
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, JSON.stringify({ server_url: plane.url, token: plane.token }));
  const workspaceId = plane.createWorkspace({ name: "Other" });
  const agentId = plane.createAgent({ workspaceId, name: "coder", provider: "claude" });
  const host = HostProcess.start(home, {
    args: ["--profile", profile],
    port: healthPort(profile),
    env,
  });
  await host.ready();
  return {
    plane,
    host,
    task: (localDir: string) => plane.addTask({ workspaceId, agentId, title: "Say hello", localDir }).id,
    [Symbol.asyncDispose]: async () => {
      await host[Symbol.asyncDispose]();
      await plane.close();
    },
  };
}
