import assert from "node:assert/strict";
import { HostError } from "../../../lib/core/mod.ts";
import { checkHostConfig } from "../../../lib/config/schema/mod.ts";
import { testConfig } from "../../helpers/host_config.ts";

Deno.test("checkHostConfig() takes what resolveHost() makes, after its way to another thread, and freezes it", () => {
  const config = testConfig("/home/u");
  const checked = checkHostConfig(structuredClone(config));
  assert.deepEqual(checked, config);
  assert.ok(Object.isFrozen(checked) && Object.isFrozen(checked.paths) && Object.isFrozen(checked.agentArgs));
});

Deno.test("checkHostConfig() refuses another shape by its field, without its value", () => {
  const refused = (change: object, field: string) =>
    assert.throws(() => checkHostConfig({ ...testConfig("/home/u"), ...change }), (error) => {
      assert.ok(error instanceof HostError);
      assert.equal(error.code, "config_malformed");
      assert.match(error.message, new RegExp(`^Cannot use the configuration: ${field}: `));
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
  refused({ token: ["s3cret"] }, "token");
  refused({ serverUrl: "s3cret" }, "serverUrl");
  refused({ pollIntervalMs: -1 }, "pollIntervalMs");
  refused({ maxConcurrentTasks: "20" }, "maxConcurrentTasks");
  refused({ healthPort: 70_000 }, "healthPort");
  refused({ paths: { stateDir: "s3cret" } }, "paths\\.\\w+");
});
