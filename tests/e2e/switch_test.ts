/** A switch costs nothing: the files and environment of an existing Multica installation, unchanged (spec 03 §1–4). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { healthPort } from "../../lib/config/mod.ts";
import { freeProfile, withWorld } from "../helpers/e2e_world.ts";

const MACHINE_ID = "0197f7a2-5c1e-7b3a-9d40-3f2c1b0a9e8d";
const PROFILE_ID = "0197f7a2-0000-7b3a-9d40-3f2c1b0a9e8d";

Deno.test("a profile of an existing installation keeps its port", () => {
  assert.equal(healthPort("staging"), 20264);
  assert.equal(healthPort(""), 19514);
});

for (const profile of ["staging", freeProfile()]) {
  // "staging" itself has one port on a machine: it is taken only while nobody else uses it.
  const ignore = profile === "staging" && !portFree(healthPort(profile));
  const name = profile === "staging" ? "staging" : "another profile";
  Deno.test({
    name:
      `an existing installation goes on as ${name}: id, port, token, root and unknown keys stay, tasks run`,
    ignore,
    fn: () =>
      withWorld({ profile }, async (world) => {
        const { plane, home } = world;
        const config = join(home.stateDir, "config.json");
        const settings = {
          server_url: plane.url.replace("http", "ws") + "/ws",
          app_url: "https://app.example.com",
          workspace_id: world.workspaceId,
          token: plane.token,
          future_setting: { deep: [1, 2, { three: true }] },
          zzz: null,
        };
        const text = JSON.stringify(settings, null, 2);
        await Deno.writeTextFile(config, text, { mode: 0o600 });
        await Deno.writeTextFile(join(home.dir, ".multica/daemon.id"), `${MACHINE_ID}\n`, { mode: 0o600 });
        await Deno.writeTextFile(join(home.stateDir, "daemon.id"), `${PROFILE_ID}\n`, { mode: 0o600 });
        await Deno.writeTextFile(join(home.stateDir, "daemon.log"), "old line\n");
        const older = join(home.workspacesRoot, world.workspaceId, "0a1b2c3d", "workdir");
        await Deno.mkdir(older, { recursive: true });
        await Deno.writeTextFile(join(older, "keep.txt"), "kept");

        const host = await world.running();
        const health = (await host.health())!;
        assert.equal(health["daemon_id"], MACHINE_ID);
        assert.equal(health["profile"], profile);
        assert.equal(health["server_url"], plane.url);
        assert.equal(host.port, healthPort(profile));

        const [register] = plane.requests("POST /api/daemon/register").map((one) => JSON.parse(one.body));
        assert.equal(register.daemon_id, MACHINE_ID);
        assert.ok(register.legacy_daemon_ids.includes(PROFILE_ID));
        assert.ok(
          register.legacy_daemon_ids.some((id: string) => id.endsWith(`-${profile}`)),
          "the ids of the oldest versions are announced too",
        );

        const task = await plane.taskState(world.task(), ["completed", "failed"]);
        assert.equal(task.status, "completed", task.error);
        assert.ok(task.work_dir.startsWith(home.workspacesRoot), task.work_dir);
        assert.equal((await host.stop()).code, 0, host.output);

        assert.equal(await Deno.readTextFile(config), text);
        assert.equal((await Deno.readTextFile(join(home.dir, ".multica/daemon.id"))).trim(), MACHINE_ID);
        assert.equal(await Deno.readTextFile(join(older, "keep.txt")), "kept");

        const set = await world.runArgs(["config", "set", "poll_interval", "20s"]);
        assert.equal(set.code, 0, set.stderr);
        const changed = JSON.parse(await Deno.readTextFile(config));
        assert.deepEqual({ ...changed, poll_interval: undefined }, { ...settings, poll_interval: undefined });
        assert.ok(changed.poll_interval !== undefined);
      }),
  });
}

Deno.test("the variables of an existing installation are taken", () =>
  withWorld({ home: { serverUrl: "http://127.0.0.1:9" } }, async (world) => {
    const { plane } = world;
    const root = join(world.home.dir, "elsewhere");
    const host = await world.running({
      MULTICA_SERVER_URL: plane.url,
      MULTICA_TOKEN: "mat_not_for_the_host",
      MULTICA_DAEMON_ID: "box-7",
      MULTICA_DAEMON_DEVICE_NAME: "Box 7",
      MULTICA_WORKSPACES_ROOT: root,
      MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "3",
    });
    const health = (await host.health())!;
    assert.equal(health["daemon_id"], "box-7");
    assert.equal(health["device_name"], "Box 7");
    assert.match((health["claiming"] as { why: string }).why, /of 3 task slots/);
    const task = await plane.taskState(world.task(), ["completed", "failed"]);
    assert.ok(task.work_dir.startsWith(root), task.work_dir);
    assert.equal((await host.stop()).code, 0);
  }));

function portFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}
