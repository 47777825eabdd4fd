/** What the Go daemon notices minutes late on a server that pushes nothing, here within one sync; on an injected clock. */
import assert from "node:assert/strict";
import { type EngineStage, onStage } from "../helpers/engine_stage.ts";

/** One sync period with its jitter, ms. */
const ONE_SYNC_MS = 37_000;

/** A baseline server whose socket is refused: nothing is hinted, nothing is pushed. */
function refuseSocket(stage: EngineStage): void {
  stage.plane.faults.always("GET /api/daemon/ws", { status: 403 });
}

function watched(stage: EngineStage): readonly string[] {
  return stage.health?.workspaces?.map((one) => one.id) ?? [];
}

Deno.test("Go daemon: a workspace joined or left is noticed within one sync on an older server", () =>
  onStage({ start: false, plane: { era: "baseline" } }, async (stage) => {
    refuseSocket(stage);
    stage.start();
    await stage.running();
    const joined = stage.plane.createWorkspace({ name: "Second" });
    await stage.until("joined", () => watched(stage).includes(joined), ONE_SYNC_MS);
    assert.equal(stage.runtimeIds(joined).length, 1);
    stage.plane.removeMember(joined);
    await stage.until("left", () => !watched(stage).includes(joined), ONE_SYNC_MS);
  }));

Deno.test("Go daemon: a set that converged to zero is noticed within one sync on an older server, and so is its return", () =>
  onStage(
    { start: false, providers: [], commands: { mine: "/opt/agents/mine" }, plane: { era: "baseline" } },
    async (stage) => {
      refuseSocket(stage);
      const [workspaceId] = stage.workspaceIds;
      const profile = stage.plane.createProfile({
        workspaceId: workspaceId!,
        displayName: "Mine",
        protocolFamily: "claude",
        commandName: "mine",
      });
      stage.start();
      await stage.running();
      const runtimes = () => stage.health?.workspaces?.[0]?.runtimes.length ?? 0;
      assert.equal(runtimes(), 1);
      stage.plane.updateProfile(profile, { enabled: false });
      await stage.until("converged", () => runtimes() === 0, ONE_SYNC_MS);
      assert.match(stage.health!.claiming.why, /no runtime is registered/);
      const since = stage.mark();
      await stage.advance(5 * 60_000);
      assert.equal(since("POST /api/daemon/register").length, 0, "nothing is owed");
      stage.plane.updateProfile(profile, { enabled: true });
      await stage.until("back", () => runtimes() === 1, ONE_SYNC_MS);
    },
  ));
