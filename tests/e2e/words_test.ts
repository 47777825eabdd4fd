/** What the host says of itself: /health, status and config, in words. */
import assert from "node:assert/strict";
import { withWorld } from "../helpers/e2e_world.ts";

interface Claiming {
  readonly state: string;
  readonly why: string;
}

const why = (health: Record<string, unknown>) => health["claiming"] as Claiming;

Deno.test("/health and status say in words that the host claims, that its slots are full, and that it stops", () =>
  withWorld({ play: 'init\nhold mid\nresult "Done."' }, async (world) => {
    const mid = world.agent.hold("mid");
    const host = await world.running({ MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "1" });
    await host.until((health) => why(health).state === "claiming");
    let status = await world.run("status");
    assert.match(status.stdout, /Claiming: +yes: 1 of 1 task slots are free/);
    const id = world.task();
    await mid.reached;
    const word = (health: Record<string, unknown>) =>
      (health["status_sentences"] as Record<string, string>)[`task ${id.slice(-12)}`];
    const full = await host.until((health) => word(health) === "claude is working");
    assert.equal(why(full).state, "full");
    assert.equal(why(full).why, "all 1 task slots are taken");
    assert.equal(full["active_task_count"], 1);
    assert.equal(full["running_task_count"], 1);
    const sentences = full["status_sentences"] as Record<string, string>;
    for (const loop of ["socket", "sync", "heartbeat", "token", "reports"]) {
      assert.ok((sentences[loop] ?? "") !== "", `no sentence for ${loop}`);
    }
    status = await world.run("status");
    assert.match(status.stdout, /Claiming: +no: all 1 task slots are taken/);
    host.signal("SIGTERM");
    const stopping = await host.until((health) => health["status"] === "stopping");
    assert.equal(why(stopping).state, "paused");
    assert.match(why(stopping).why, /the host is stopping/);
    await mid.release();
    assert.equal((await host.ended).code, 0);
    status = await world.run("status");
    assert.match(status.stdout, /stopped/);
  }));

Deno.test("a token revoked while the host runs: it says so, claims nothing, and goes on with a new one [f14]", () =>
  withWorld({ play: 'init\nsay "Working."\nhold mid\nresult "Done."' }, async (world) => {
    const { plane } = world;
    const mid = world.agent.hold("mid");
    const host = await world.running({ MULTICA_DRAIN_TIMEOUT: "1s" });
    const id = world.task();
    await mid.reached;
    plane.revokeToken(plane.token);
    await mid.release();
    const health = await host.until((health) =>
      /holding/.test((health["status_sentences"] as Record<string, string>)["reports"] ?? "")
    );
    assert.equal(plane.task(id)!.status, "running");
    assert.match((health["status_sentences"] as Record<string, string>)["reports"]!, /refuses our login/);
    const token = plane.mintToken("mul", { userId: plane.userId });
    const login = await world.runArgs(["login", "--token", token, "--server-url", plane.url]);
    assert.equal(login.code, 0, login.stderr);
    assert.equal((await plane.taskState(id, ["completed", "failed"])).status, "completed");
    assert.equal(world.agent.starts().length, 1, "the finished run is reported, not repeated");
    assert.equal(world.calls(id, "/complete").filter((one) => one.status === 200).length, 1);
    const next = await plane.taskState(world.task(), ["completed", "failed", "running"]);
    assert.equal(next.status, "running", "it claims again");
    assert.equal((await host.stop()).code, 0);
  }));

Deno.test("config shows every value with its origin and masks the token", () =>
  withWorld({}, async (world) => {
    const shown = await world.run("config");
    assert.equal(shown.code, 0, shown.stderr);
    assert.doesNotMatch(shown.stdout + shown.stderr, new RegExp(world.plane.token));
    assert.match(shown.stdout, /token +mul_\S*[*…]/);
    assert.match(shown.stdout, new RegExp(`server_url +${world.plane.url} +profile file`));
    assert.match(shown.stdout, /poll_interval +30s +default/);
  }));

Deno.test("logs of a run name the steps and hold no token", () =>
  withWorld({}, async (world) => {
    const host = await world.running({ LOG_LEVEL: "debug", MULTICA_LOG_LEVEL: "debug" });
    const task = await world.plane.taskState(world.task(), ["completed", "failed"]);
    assert.equal(task.status, "completed");
    assert.equal((await host.stop()).code, 0);
    assert.match(host.output, /task begins/);
    assert.match(host.output, /report settled/);
    assert.doesNotMatch(host.output, new RegExp(world.plane.token));
    assert.doesNotMatch(host.output, /mat_[0-9a-zA-Z]{8}/);
  }));
