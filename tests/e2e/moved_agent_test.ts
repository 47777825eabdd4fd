/** An agent program whose path vanishes under a running host: a version manager's upgrade (spec 03 §17.9). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withWorld } from "../helpers/e2e_world.ts";

Deno.test("a pinned path that vanished is found again, and the host goes on without a restart", () =>
  withWorld({}, async (world) => {
    const versions = join(world.home.dir, ".nvm/versions/node");
    const install = async (version: string) => {
      await Deno.mkdir(join(versions, version, "bin"), { recursive: true });
      await Deno.symlink(world.agent.path, join(versions, version, "bin/claude"));
    };
    await install("v20.1.0");
    const host = await world.running({ MULTICA_CLAUDE_PATH: "" });
    const { plane } = world;
    const first = world.task();
    assert.equal((await plane.taskState(first, ["completed", "failed"])).status, "completed");

    await install("v22.2.0");
    await Deno.remove(join(versions, "v20.1.0"), { recursive: true });
    const second = await plane.taskState(world.task(), ["completed", "failed"]);
    assert.equal(second.status, "completed", second.error + host.output);
    assert.equal(world.agent.starts().length, 2);
    const third = await plane.taskState(world.task(), ["completed", "failed"]);
    assert.equal(third.status, "completed", third.error);

    await install("v20.1.0");
    await Deno.remove(join(versions, "v22.2.0"), { recursive: true });
    const back = await plane.taskState(world.task(), ["completed", "failed"]);
    assert.equal(back.status, "completed", back.error);
    const { engine } = await host.health() as { engine: { restarts: number } };
    assert.equal(engine.restarts, 0);
  }));
