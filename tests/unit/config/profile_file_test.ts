import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import {
  changeAllowed,
  clearToken,
  configFile,
  fileValue,
  ProfileFileInvalid,
  readProfileFile,
  realFiles,
  saveLogin,
  setFileSetting,
  UnknownKey,
  updateProfileFile,
  withFileValue,
} from "../../../lib/config/mod.ts";

async function withHome(work: (home: string) => Promise<void> | void): Promise<void> {
  const home = await Deno.makeTempDir();
  try {
    await work(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function target(home: string, profile = "") {
  return { files: realFiles, home, cwd: home, profile };
}

Deno.test("readProfileFile() takes a missing file for empty and says what is wrong with a bad one [03 §3]", async () => {
  await withHome(async (home) => {
    const path = join(home, "config.json");
    assert.deepEqual(readProfileFile(realFiles, path), {});
    await Deno.writeTextFile(path, "\uFEFF" + '{"server_url":"https://x"}');
    assert.deepEqual(readProfileFile(realFiles, path), { server_url: "https://x" });
    for (const bad of ["{", "[]", "3", "null", '"x"']) {
      await Deno.writeTextFile(path, bad);
      assert.throws(() => readProfileFile(realFiles, path), ProfileFileInvalid, bad);
    }
  });
});

Deno.test("updateProfileFile() keeps keys of other programs, writes 0600 and two-space JSON in one step [03 §3]", async () => {
  await withHome(async (home) => {
    const path = join(home, "p/config.json");
    await Deno.mkdir(join(home, "p"));
    await Deno.writeTextFile(path, '{"later_key":{"a":[1]},"token":"mul_x","empty":{}}', { mode: 0o644 });
    updateProfileFile(realFiles, path, (file) => ({ ...file, server_url: "https://x" }));
    assert.equal(
      await Deno.readTextFile(path),
      JSON.stringify({ later_key: { a: [1] }, token: "mul_x", empty: {}, server_url: "https://x" }, null, 2) +
        "\n",
    );
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    const left = [...Deno.readDirSync(join(home, "p"))].map((entry) => entry.name).sort();
    assert.deepEqual(left, [".config.lock", "config.json"]);
  });
});

Deno.test("updateProfileFile() leaves the old file when writing fails", async () => {
  await withHome(async (home) => {
    const path = join(home, "config.json");
    await Deno.mkdir(path);
    assert.throws(() => updateProfileFile({ ...realFiles, read: () => "{}" }, path, () => ({ a: 1 })), {
      code: "file_write_failed",
    });
    assert.deepEqual([...Deno.readDirSync(home)].map((entry) => entry.name).sort(), [
      ".config.lock",
      "config.json",
    ]);
  });
});

Deno.test("withFileValue() changes one key and nothing else", () => {
  const file = { a: 1, backends: { openclaw: { binary_path: "/x" }, other: 2 } };
  const next = withFileValue(file, "backends.openclaw.cli_timeout", "5s");
  assert.equal(fileValue(next, "backends.openclaw.binary_path"), "/x");
  assert.equal(fileValue(next, "backends.openclaw.cli_timeout"), "5s");
  assert.deepEqual(withFileValue(next, "backends.openclaw.cli_timeout", ""), file);
  assert.deepEqual(
    withFileValue({ backends: { openclaw: { cli_timeout: "5s" } } }, "backends.openclaw.cli_timeout", ""),
    {},
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("x", "y", "z"), fc.jsonValue()),
      fc.jsonValue(),
      (object, value) => {
        const { key: _gone, ...rest } = withFileValue(object, "key", value);
        assert.deepEqual(rest, { ...object });
      },
    ),
  );
});

Deno.test("setFileSetting() checks like a start does and keeps the other settings [03 §17.1]", async () => {
  await withHome((home) => {
    const path = configFile(home, "");
    saveLogin(target(home), { token: "mul_x", serverUrl: "https://x" });
    for (
      const [key, text, value] of [
        ["poll_interval", "1m", "1m"],
        ["agent_timeout", "0", "0s"],
        ["max_concurrent_tasks", "3", 3],
        ["disable_auto_update", "true", true],
        ["backends.openclaw.cli_timeout", "10s", "10s"],
        ["device_name", "Box", "Box"],
        ["allow_commands", "a, /b/c", ["a", "/b/c"]],
        ["server_url", "wss://y/ws", "wss://y/ws"],
        ["app_url", "https://app.y/", "https://app.y"],
      ] as const
    ) {
      setFileSetting(target(home), key, text);
      assert.deepEqual(fileValue(readProfileFile(realFiles, path), key), value, key);
    }
    setFileSetting(target(home), "poll_interval", "");
    const file = readProfileFile(realFiles, path);
    assert.equal(file["poll_interval"], undefined);
    assert.equal(file["token"], "mul_x");
    for (
      const [key, bad] of [
        ["poll_interval", "30"],
        ["poll_interval", "0s"],
        ["max_concurrent_tasks", "many"],
        ["max_concurrent_tasks", "0"],
        ["disable_auto_update", "maybe"],
        ["server_url", "localhost:8080"],
        ["heartbeat_interval", "0s"],
      ] as const
    ) {
      assert.throws(
        () => setFileSetting(target(home), key, bad),
        { code: "settings_invalid" },
        `${key}=${bad}`,
      );
    }
    assert.throws(() => setFileSetting(target(home), "token", "mul_y"), UnknownKey);
    assert.deepEqual(readProfileFile(realFiles, path), file);
  });
});

Deno.test("saveLogin() and clearToken() touch what is theirs [03 §10.1] [03 §10.4]", async () => {
  await withHome((home) => {
    const path = configFile(home, "staging");
    updateProfileFile(
      realFiles,
      path,
      () => ({ workspace_id: "w", later: 1, profile_command_overrides: { a: "/b" } }),
    );
    saveLogin(target(home, "staging"), { token: "mul_x", serverUrl: "https://x" });
    const expected = {
      later: 1,
      profile_command_overrides: { a: "/b" },
      server_url: "https://x",
      token: "mul_x",
    };
    assert.deepEqual(readProfileFile(realFiles, path), expected);
    assert.equal(clearToken(target(home, "staging")), true);
    assert.equal(clearToken(target(home, "staging")), false);
    assert.equal(readProfileFile(realFiles, path)["token"], undefined);
  });
});

Deno.test("changeAllowed() adds once and takes back", async () => {
  await withHome((home) => {
    assert.deepEqual(changeAllowed(target(home), "a", true), ["a"]);
    assert.deepEqual(changeAllowed(target(home), "a", true), ["a"]);
    assert.deepEqual(changeAllowed(target(home), "/b/c", true), ["a", "/b/c"]);
    assert.deepEqual(changeAllowed(target(home), "a", false), ["/b/c"]);
    assert.deepEqual(changeAllowed(target(home), "/b/c", false), []);
    assert.equal("allow_commands" in readProfileFile(realFiles, configFile(home, "")), false);
  });
});
