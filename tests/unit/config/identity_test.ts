import assert from "node:assert/strict";
import { join } from "node:path";
import {
  hostNameIds,
  legacyDaemonIds,
  machineId,
  peekMachineId,
  realFiles,
} from "../../../lib/config/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const OLD = "0197f7a2-5c1e-7b3a-9d40-3f2c1b0a9e8d";
const OTHER = "aa0b1c2d-7777-4888-8999-aabbccddeeff";

async function withHome(work: (home: string) => Promise<void> | void): Promise<void> {
  const home = await Deno.makeTempDir();
  try {
    await work(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function options(home: string, profile = "") {
  return { files: realFiles, home, profile, clock: new FakeClock() };
}

async function legacy(home: string, profile: string, text: string): Promise<void> {
  const dir = join(home, ".multica/profiles", profile);
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(join(dir, "daemon.id"), text);
}

Deno.test("machineId() makes one UUIDv7, keeps it, and shares it between profiles [03 §4.1]", async () => {
  await withHome(async (home) => {
    assert.equal(peekMachineId(options(home)), "");
    const id = machineId(options(home));
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(machineId(options(home)), id);
    assert.equal(machineId(options(home, "staging")), id);
    const path = join(home, ".multica/daemon.id");
    assert.equal(await Deno.readTextFile(path), `${id}\n`);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  });
});

Deno.test("machineId() replaces a corrupt file [03 §4.1]", async () => {
  await withHome(async (home) => {
    await Deno.mkdir(join(home, ".multica"));
    for (const bad of ["", "garbage\n", "0197f7a2"]) {
      await Deno.writeTextFile(join(home, ".multica/daemon.id"), bad);
      assert.match(machineId(options(home)), /^[0-9a-f-]{36}$/);
    }
    await Deno.writeTextFile(join(home, ".multica/daemon.id"), `  ${OLD}  \n\n`);
    assert.equal(machineId(options(home)), OLD);
  });
});

Deno.test("machineId() promotes the legacy id of the profile being started, once [03 §4.1]", async () => {
  await withHome(async (home) => {
    await legacy(home, "staging", `${OLD}\n`);
    await legacy(home, "prod", `${OTHER}\n`);
    assert.equal(machineId(options(home, "staging")), OLD);
    assert.equal(machineId(options(home, "prod")), OLD);
  });
});

Deno.test("machineId() does not take a directory it cannot read for a missing file [03 §4.1]", async () => {
  await withHome(async (home) => {
    await Deno.mkdir(join(home, ".multica/daemon.id"), { recursive: true });
    assert.throws(() => machineId(options(home)), { code: "file_read_failed" });
  });
});

Deno.test("hostNameIds() gives every vector [03 §4.2]", () => {
  assert.deepEqual(hostNameIds("MacBook-Pro", ""), ["MacBook-Pro", "MacBook-Pro.local"]);
  assert.deepEqual(hostNameIds("MacBook-Pro.local", ""), ["MacBook-Pro", "MacBook-Pro.local"]);
  const named = ["MacBook-Pro", "MacBook-Pro.local", "MacBook-Pro-staging", "MacBook-Pro.local-staging"];
  assert.deepEqual(hostNameIds("MacBook-Pro", "staging"), named);
  assert.deepEqual(hostNameIds("MacBook-Pro.local", "staging"), named);
  assert.deepEqual(hostNameIds("  ", "staging"), []);
});

Deno.test("legacyDaemonIds() adds valid ids of direct profile directories, without our own [03 §4.2]", async () => {
  await withHome(async (home) => {
    await legacy(home, "b", OTHER);
    await legacy(home, "a", "corrupt");
    await legacy(home, "team/dev", "11111111-1111-4111-8111-111111111111");
    await legacy(home, "own", OLD);
    await Deno.writeTextFile(join(home, ".multica/profiles/file"), "x");
    const ids = legacyDaemonIds({ ...options(home), hostname: "box", daemonId: OLD });
    assert.deepEqual(ids, ["box", "box.local", OTHER]);
  });
  await withHome((home) => {
    assert.deepEqual(legacyDaemonIds({ ...options(home), hostname: "", daemonId: OLD }), []);
  });
});
