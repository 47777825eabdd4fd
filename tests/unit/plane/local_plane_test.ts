import assert from "node:assert/strict";
import type { HostError } from "../../../lib/core/mod.ts";
import {
  type FollowEvent,
  LocalPlaneAway,
  LocalPlaneClient,
  LocalPlaneRefused,
  serveLocalPlane,
} from "../../../lib/plane/mod.ts";
import { claim, wire } from "../../helpers/plane.ts";

async function registerHost(
  local: { plane: Parameters<typeof wire>[0]; workspaceId: string },
  providers: string[],
) {
  const answer = await wire(local.plane, "POST", "/api/daemon/register", {
    workspace_id: local.workspaceId,
    daemon_id: "machine-1",
    device_name: "box",
    runtimes: providers.map((type) => ({ name: type, type, version: "1", status: "online" })),
  });
  return (answer.json.runtimes as { id: string }[]).map((row) => row.id);
}

Deno.test("serveLocalPlane() makes an agent per registered provider and runs a task in a directory", async () => {
  const local = await serveLocalPlane({ dbPath: ":memory:" });
  try {
    const client = new LocalPlaneClient(local);
    await assert.rejects(client.add({ prompt: "x" }), LocalPlaneRefused);
    const [runtimeId] = await registerHost(local, ["claude", "codex"]);
    assert.deepEqual((await client.agents()).map((one) => one.name), ["claude", "codex"]);
    await assert.rejects(client.add({ prompt: "x", agent: "gemini" }), /there is: claude, codex/);
    await assert.rejects(client.add({ prompt: "x", agent: "claude", dir: "relative" }), /absolute path/);
    const task = await client.add({ prompt: "Fix the bug\nplease", agent: "Claude", dir: "/srv/repo" });
    assert.equal(task.title, "Fix the bug");
    const claimed = await claim(local.plane, runtimeId!);
    const expected = { local_path: "/srv/repo", daemon_id: "machine-1" };
    assert.deepEqual(claimed.project_resources[0].resource_ref, expected);
    assert.equal((await client.show(task.id.slice(-12))).task.id, task.id);
    await registerHost(local, ["claude", "codex"]);
    assert.equal((await client.agents()).length, 2);
  } finally {
    await local.close();
  }
});

Deno.test("LocalPlaneClient.follow() yields states and transcript in order and ends with the task", async () => {
  const local = await serveLocalPlane({ dbPath: ":memory:" });
  try {
    const client = new LocalPlaneClient(local);
    const [runtimeId] = await registerHost(local, ["claude"]);
    const task = await client.add({ prompt: "Say hello" });
    const events: FollowEvent[] = [];
    const following = (async () => {
      for await (const event of client.follow(task.id)) events.push(event);
    })();
    await claim(local.plane, runtimeId!);
    const base = `/api/daemon/tasks/${task.id}`;
    await wire(local.plane, "POST", `${base}/start`, {});
    await wire(local.plane, "POST", `${base}/messages`, {
      messages: [{ seq: 1, type: "text", content: "hel\n\nlo" }],
    });
    await wire(local.plane, "POST", `${base}/messages`, {
      messages: [{ seq: 2, type: "text", content: "wörld" }],
    });
    await wire(local.plane, "POST", `${base}/complete`, { output: "hello" });
    await following;
    const texts = events.flatMap((event) => event.type === "message" ? [event.message.content] : []);
    assert.deepEqual(texts, ["hel\n\nlo", "wörld"]);
    const states = events.flatMap((event) => event.type === "state" ? [event.task.status] : []);
    assert.equal(states.at(-1), "completed");
    const late: FollowEvent[] = [];
    for await (const event of client.follow(task.id)) late.push(event);
    assert.deepEqual(late.map((event) => event.type), ["message", "message", "state"]);
    await client.remove(task.id);
    await assert.rejects(client.show(task.id), LocalPlaneRefused);
  } finally {
    await local.close();
  }
});

Deno.test("LocalPlaneClient needs the user's token and names the remedy when nobody answers", async () => {
  const local = await serveLocalPlane({ dbPath: ":memory:" });
  const wrong = new LocalPlaneClient({ url: local.url, token: "mul_wrong" });
  await assert.rejects(wrong.list(), /invalid token/);
  await local.close();
  await assert.rejects(new LocalPlaneClient(local).list(), (error) => {
    assert(error instanceof LocalPlaneAway);
    assert.match(error.hint ?? "", /: multica-host local$/);
    return true;
  });
});

Deno.test("serveLocalPlane() keeps workspace, agents and tasks over a restart", async () => {
  const dir = await Deno.makeTempDir();
  const token = `mul_${"a".repeat(40)}`;
  try {
    const first = await serveLocalPlane({ dbPath: `${dir}/plane.db`, token });
    await registerHost(first, ["claude"]);
    const task = await new LocalPlaneClient(first).add({ prompt: "Later" });
    await first.close();
    const second = await serveLocalPlane({ dbPath: `${dir}/plane.db`, token });
    assert.equal(second.workspaceId, first.workspaceId);
    assert.equal((await new LocalPlaneClient(second).show(task.id)).task.status, "queued");
    await second.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("serveLocalPlane() says in one sentence what is wrong with its file", async () => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/plane.sqlite`;
  await Deno.writeTextFile(file, "this is no database ".repeat(100));
  await assert.rejects(
    serveLocalPlane({ dbPath: file }),
    (error: HostError) =>
      /Cannot use .*plane\.sqlite": .*not a database/.test(error.message) && error.hint !== undefined,
  );
  await assert.rejects(
    serveLocalPlane({ dbPath: `${dir}/nowhere/plane.sqlite` }),
    (error: HostError) => error.hint === "check the owner and the rights of its directory",
  );
  await Deno.remove(dir, { recursive: true });
});
