import assert from "node:assert/strict";
import type { Plane } from "../../../lib/plane/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claim, scene, wire, withPlane } from "../../helpers/plane.ts";

const claude = { name: "Claude", type: " Claude ", version: "2.0", status: "online" };

function register(plane: Plane, body: Record<string, unknown>, token?: string) {
  const full = { daemon_id: "d1", device_name: "box", cli_version: "1", runtimes: [claude], ...body };
  return wire(plane, "POST", "/api/daemon/register", full, token === undefined ? {} : { token });
}

Deno.test("register keeps the runtime id, normalises the provider and reports repositories", () =>
  withPlane({}, async (plane) => {
    const url = "https://github.com/acme/api.git";
    const workspaceId = plane.createWorkspace({
      name: "A",
      repos: [{ url: ` ${url} ` }, { url }],
      settings: { github_enabled: false },
    });
    const first = await register(plane, { workspace_id: workspaceId });
    const [row] = first.json.runtimes;
    assert.deepEqual([row.provider, row.status, row.device_info, row.owner_id], [
      "claude",
      "online",
      "box · 2.0",
      plane.userId,
    ]);
    assert.deepEqual(row.metadata, { version: "2.0", cli_version: "1", launched_by: "" });
    assert.deepEqual(first.json.repos, [{ url }]);
    assert.equal(
      first.json.repos_version,
      "353c27154559f72ea6d928d93bf3fe91c067237896de5f13e1a276f19bb6fc52",
    );
    assert.deepEqual(first.json.settings, { github_enabled: false });
    const again = await register(plane, { workspace_id: workspaceId });
    assert.equal(again.json.runtimes[0].id, row.id);
    plane.deleteRuntime(row.id);
    assert.notEqual((await register(plane, { workspace_id: workspaceId })).json.runtimes[0].id, row.id);
  }));

Deno.test("register refuses with the server's texts", () =>
  withPlane({}, async (plane) => {
    const workspace_id = plane.createWorkspace({ name: "A" });
    const texts: [Record<string, unknown>, number, string][] = [
      [{ workspace_id, daemon_id: "" }, 400, "daemon_id is required"],
      [{ workspace_id: "" }, 400, "workspace_id is required"],
      [
        { workspace_id, runtimes: [], failed_profiles: null },
        400,
        "at least one runtime or failed profile is required",
      ],
      [{ workspace_id: "x" }, 400, "invalid workspace_id"],
      [{ workspace_id: crypto.randomUUID() }, 404, "workspace not found"],
      [{ workspace_id, runtimes: "no" }, 400, "invalid request body"],
    ];
    for (const [body, status, text] of texts) {
      const answer = await register(plane, body);
      assert.deepEqual([answer.status, answer.json.error], [status, text]);
    }
  }));

Deno.test("register takes a profile's family from the profile and refuses unknown and disabled ones half way", () =>
  withPlane({}, async (plane) => {
    const workspaceId = plane.createWorkspace({ name: "A" });
    const profile = plane.createProfile({
      workspaceId,
      displayName: "Co",
      protocolFamily: "codex",
      commandName: "co",
    });
    const custom = { name: "Co", type: "wrong", version: "", status: "online", profile_id: profile };
    const answer = await register(plane, { workspace_id: workspaceId, runtimes: [custom] });
    assert.deepEqual([answer.json.runtimes[0].provider, answer.json.runtimes[0].profile_id], [
      "codex",
      profile,
    ]);
    plane.updateProfile(profile, { enabled: false });
    const refused = await register(plane, { workspace_id: workspaceId, runtimes: [claude, custom] });
    assert.deepEqual([refused.status, refused.json.error], [409, `runtime profile is disabled: ${profile}`]);
    assert.deepEqual(plane.runtimes().map((row) => row.provider), ["codex", "claude"]);
    const unknown = crypto.randomUUID();
    const gone = await register(plane, {
      workspace_id: workspaceId,
      runtimes: [{ ...custom, profile_id: unknown }],
    });
    assert.deepEqual([gone.status, gone.json.error], [400, `unknown runtime profile: ${unknown}`]);
    const list = await wire(plane, "GET", `/api/daemon/workspaces/${workspaceId}/runtime-profiles`);
    assert.deepEqual(list.json.runtime_profiles, []);
  }));

Deno.test("register keeps failed profiles as offline rows that are not in the answer", () =>
  withPlane({}, async (plane) => {
    const workspaceId = plane.createWorkspace({ name: "A" });
    const profile = plane.createProfile({
      workspaceId,
      displayName: "Co",
      protocolFamily: "codex",
      commandName: "co",
    });
    const failed_profiles = [
      { profile_id: profile, command_name: "co", reason: " " },
      { profile_id: crypto.randomUUID(), command_name: "x", reason: "y" },
    ];
    const answer = await register(plane, { workspace_id: workspaceId, runtimes: [], failed_profiles });
    assert.deepEqual([answer.status, answer.json.runtimes], [200, []]);
    const row = plane.runtime(plane.runtimes()[0]!.id)!;
    assert.equal(row.status, "offline");
    assert.deepEqual(row.metadata, {
      version: "",
      runtime_profile_registration_error: true,
      runtime_profile_failure_reason: "custom runtime command could not be resolved",
      command_name: "co",
    });
  }));

Deno.test("register [R21] with an mdt token of another workspace is 404", () =>
  withPlane({}, async (plane) => {
    const mine = plane.createWorkspace({ name: "A" });
    const other = plane.createWorkspace({ name: "B" });
    const token = plane.mintToken("mdt", { workspaceId: mine, daemonId: "d1" });
    assert.equal((await register(plane, { workspace_id: other }, token)).status, 404);
    assert.equal((await register(plane, { workspace_id: mine }, token)).status, 200);
  }));

Deno.test("register [R22] merges legacy ids of any case with their agents and tasks", () =>
  withPlane({}, async (plane) => {
    const workspaceId = plane.createWorkspace({ name: "A" });
    const old = [];
    for (const daemon_id of ["Host", "host.local", "HOST.local"]) {
      old.push((await register(plane, { workspace_id: workspaceId, daemon_id })).json.runtimes[0].id);
    }
    const agentId = plane.createAgent({ workspaceId, name: "a", runtimeId: old[1] });
    const task = plane.addTask({ workspaceId, agentId, prompt: "x" });
    const legacy = { legacy_daemon_ids: ["host", "host.local", "nothing"] };
    const answer = await register(plane, { workspace_id: workspaceId, daemon_id: "uuid", ...legacy });
    const id = answer.json.runtimes[0].id;
    assert.deepEqual(plane.runtimes().map((row) => row.id), [id]);
    assert.equal(plane.task(task.id)!.runtime_id, id);
    const known = () =>
      [...(plane.runtime(id)!.metadata as { legacy_daemon_ids: string[] }).legacy_daemon_ids].sort();
    assert.deepEqual(known(), ["HOST.local", "Host", "host.local"]);
    await register(plane, { workspace_id: workspaceId, daemon_id: "uuid", ...legacy });
    assert.equal(plane.runtimes().length, 1);
    assert.equal(known().length, 3);
  }));

Deno.test("deregister marks known runtimes offline, skips foreign ones and leaves running tasks", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    await claim(plane, runtimes.claude!);
    const post = (runtime_ids: string[]) => wire(plane, "POST", "/api/daemon/deregister", { runtime_ids });
    assert.equal((await post([])).json.error, "runtime_ids is required");
    assert.equal((await post(["x"])).json.error, "invalid runtime_ids");
    assert.deepEqual((await post([crypto.randomUUID(), runtimes.claude!])).json, { status: "ok" });
    assert.equal(plane.runtime(runtimes.claude!)!.status, "offline");
    assert.equal(plane.task(task.id)!.status, "dispatched");
    await wire(plane, "POST", "/api/daemon/heartbeat", { runtime_id: runtimes.claude });
    assert.equal(plane.runtime(runtimes.claude!)!.status, "online");
  }));

Deno.test("recover-orphans fails what is in flight and retries it once", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents } = await scene(plane);
    const task = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    const quick = plane.addTask({
      kind: "quick-create",
      workspaceId,
      agentId: agents.claude!,
      quick: { prompt: "y" },
    });
    await claim(plane, runtimes.claude!);
    await claim(plane, runtimes.claude!);
    const recover = async () =>
      (await wire(plane, "POST", `/api/daemon/runtimes/${runtimes.claude}/recover-orphans`, {})).json;
    assert.deepEqual(await recover(), { orphaned: 2, retried: 1 });
    assert.equal(plane.task(quick.id)!.failure_reason, "runtime_recovery");
    const retry = await claim(plane, runtimes.claude!);
    assert.deepEqual([retry.parent_task_id, retry.attempt, retry.issue_id], [task.id, 2, task.issue_id]);
    assert.deepEqual(await recover(), { orphaned: 1, retried: 0 });
  }));

Deno.test("an agent whose runtime was deleted is bound again at the next registration, its queue with it", () =>
  withPlane({}, async (plane) => {
    const { workspaceId, runtimes, agents, daemonId } = await scene(plane);
    const lost = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "x" });
    plane.deleteRuntime(runtimes.claude!);
    assert.equal(plane.task(lost.id), undefined);
    const waiting = plane.addTask({ workspaceId, agentId: agents.claude!, prompt: "y" });
    assert.equal(waiting.runtime_id, "");
    const answer = await register(plane, { workspace_id: workspaceId, daemon_id: daemonId });
    assert.equal((await claim(plane, answer.json.runtimes[0].id)).id, waiting.id);
  }));

Deno.test("tokens are refused with the middleware's texts and renewed near their end", async () => {
  const clock = new FakeClock();
  await withPlane({ clock, sweeper: false }, async (plane) => {
    const get = (authorization: string) =>
      wire(plane, "GET", "/api/workspaces", undefined, {
        token: "",
        headers: authorization === "" ? {} : { authorization },
      });
    const error = async (authorization: string) => (await get(authorization)).json.error;
    assert.equal(await error(""), "missing authorization header");
    assert.equal(await error("Basic x"), "invalid authorization format");
    assert.equal(await error("Bearer mul_no"), "invalid token");
    const beat = await wire(plane, "POST", "/api/daemon/heartbeat", {}, { token: "mdt_no" });
    assert.equal(beat.json.error, "invalid daemon token");
    const workspaceId = plane.createWorkspace({ name: "A" });
    const mdt = plane.mintToken("mdt", { workspaceId, daemonId: "d" });
    assert.equal((await wire(plane, "GET", "/api/workspaces", undefined, { token: mdt })).status, 401);
    const day = 86_400_000;
    const token = plane.mintToken("mul", { userId: plane.userId, expiresAt: clock.now() + 8 * day });
    const renew = async (of: string) =>
      (await wire(plane, "POST", "/api/tokens/current/renew", {}, { token: of })).json;
    assert.equal((await renew(token)).renewed, false);
    await clock.advance(2 * day);
    const both = await Promise.all([renew(token), renew(token)]);
    assert.deepEqual(both.map((one) => one.renewed).sort(), [false, true]);
    assert.equal(both[0].expires_at, both[1].expires_at);
    assert.deepEqual(await renew(plane.token), { expires_at: "", renewed: false });
    await clock.advance(91 * day);
    assert.equal((await wire(plane, "GET", "/api/workspaces", undefined, { token })).status, 401);
  });
});
