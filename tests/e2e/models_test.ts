/** A server's question for models, answered by the CLI itself, asked from inside the engine's narrow rights (spec 08 §2). */
import assert from "node:assert/strict";
import { withWorld } from "../helpers/e2e_world.ts";

const OPENCODE = `#!/bin/sh
case "$*" in
  --version) echo 1.18.33 ;;
  "models --verbose") printf '%s\\n' 'scripted/m1' '{"reasoning":true,"variants":{"low":{},"high":{}}}' 'scripted/m2' ;;
  *) exit 1 ;;
esac
`;

Deno.test("the host asks OpenCode for its models when the server wants them", () =>
  withWorld({}, async (world) => {
    await Deno.mkdir(`${world.home.dir}/bin`);
    await Deno.writeTextFile(`${world.home.dir}/bin/opencode`, OPENCODE, { mode: 0o755 });
    await world.running({
      PATH: `${world.home.dir}/bin:/usr/bin:/bin`,
      MULTICA_DAEMON_HEARTBEAT_INTERVAL: "1s",
    });
    const { plane } = world;
    await plane.until(() => plane.runtimes().some((runtime) => runtime.provider === "opencode"));
    const runtime = plane.runtimes().find((one) => one.provider === "opencode")!;
    const request = plane.requestModels(runtime.id);
    await plane.until(() => ["completed", "failed"].includes(plane.action(request)?.status ?? ""));
    const { status, result } = plane.action(request)!;
    assert.equal(status, "completed", JSON.stringify(result));
    const models = result!.models as { id: string; thinking?: { supported_levels: { value: string }[] } }[];
    assert.deepEqual(models.map(({ id }) => id), ["scripted/m1", "scripted/m2"]);
    assert.deepEqual(models[0]!.thinking!.supported_levels.map(({ value }) => value), ["low", "high"]);
  }));
