import assert from "node:assert/strict";
import { agentHomes } from "../../../lib/supervisor/agent_homes.ts";
import { describeRights, engineRights, workerPermissions } from "../../../lib/supervisor/rights.ts";
import { profilePaths } from "../../../lib/config/mod.ts";

const paths = profilePaths("/home/u", "staging");

function rights(serverUrl = "https://api.example.com") {
  return engineRights({
    config: { serverUrl, paths },
    executables: ["/usr/bin/claude", "/usr/bin/claude"],
    git: "/usr/bin/git",
    agentHomes: agentHomes([{ provider: "claude", homes: [".claude", ".claude.json"] }], "/home/u", {
      CLAUDE_CONFIG_DIR: "/data/claude",
    }),
    tempBase: "/tmp/multica-host-x",
  });
}

Deno.test("engineRights() lists exactly what the profile needs", () => {
  assert.deepEqual(rights(), {
    net: ["api.example.com:443", "127.0.0.1", "localhost"],
    files: [
      "/home/u/multica_workspaces_staging",
      "/home/u/.multica/profiles/staging",
      "/home/u/.multica/profiles/staging/agent-bin",
      "/tmp/multica-host-x",
      "/home/u/.agents",
      "/home/u/.claude",
      "/home/u/.claude.json",
      "/data/claude",
    ],
    run: ["/usr/bin/claude", "/usr/bin/git"],
    env: ["IGNORE_TEST_WIN32", "NO_COLOR", "FORCE_COLOR", "TERM", "CI", "NODE_ENV", "NODE_DEBUG"],
    sys: ["hostname", "statfs", "cpus", "loadavg", "systemMemoryInfo", "uid"],
  });
});

Deno.test("engineRights() names the port a URL means", () => {
  assert.equal(rights("http://10.0.0.5:8080").net[0], "10.0.0.5:8080");
  assert.equal(rights("http://local.test").net[0], "local.test:80");
  assert.equal(rights("http://[::1]:3000").net[0], "[::1]:3000");
});

Deno.test("workerPermissions() grants nothing by default and no ffi", () => {
  const permissions = workerPermissions(rights());
  assert.equal(permissions.ffi, false);
  assert.equal(permissions.import, false);
  assert.ok(Object.values(permissions).every((right) => right !== true && right !== "inherit"));
});

Deno.test("describeRights() shows every entry", () => {
  const text = describeRights(rights()).join("\n");
  for (const entry of [...rights().net, ...rights().files, ...rights().run]) {
    assert.ok(text.includes(`  ${entry}`));
  }
});
