/** Local directories among the hosts of one machine (spec 04 §10.4, 20.17), with real files and a real second process. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DirectoryLocks } from "../../../lib/supervisor/directory_locks.ts";

const FREE = { held: true, holder: "" };

async function withDir(work: (dir: string) => Promise<void> | void): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(join(dir, "directory_locks"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("DirectoryLocks keep two hosts out of one directory and of one inside another, first in first out", () =>
  withDir((dir) => {
    const [one, two, three] = [new DirectoryLocks(dir), new DirectoryLocks(dir), new DirectoryLocks(dir)];
    assert.deepEqual(one.take("/a/b", "t1"), FREE);
    assert.deepEqual(one.take("/a/b", "t1"), FREE, "asking again is no second claim");
    assert.deepEqual(two.take("/a", "t2"), { held: false, holder: "t1" });
    assert.deepEqual(three.take("/a/b/c", "t3"), { held: false, holder: "t1" });
    assert.deepEqual(
      three.take("/a/bc", "t4"),
      { held: false, holder: "t2" },
      "waits behind the one above it",
    );
    assert.deepEqual(three.take("/x", "t5"), FREE);
    one.release("/a/b", "t1");
    assert.deepEqual(three.take("/a/b/c", "t3"), { held: false, holder: "t2" });
    assert.deepEqual(two.take("/a", "t2"), FREE);
    two.reset();
    assert.deepEqual(three.take("/a/b/c", "t3"), FREE);
    for (const host of [one, two, three]) host.close();
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["claims.sqlite"]);
  }));

Deno.test("DirectoryLocks: claims of a host that was killed are dropped [f01]", () =>
  withDir(async (dir) => {
    const module = new URL("../../../lib/supervisor/directory_locks.ts", import.meta.url).href;
    const script = `import { DirectoryLocks } from ${JSON.stringify(module)};
      console.log(new DirectoryLocks(${JSON.stringify(dir)}).take("/a", "theirs").held);
      await new Promise((resolve) => setTimeout(resolve, 600_000));`;
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, script);
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--no-check", "--config", config, file],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const said = new TextDecoder().decode((await reader.read()).value);
    assert.equal(said, "true\n");
    const ours = new DirectoryLocks(dir);
    assert.deepEqual(ours.take("/a", "ours"), { held: false, holder: "theirs" });
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    assert.deepEqual(ours.take("/a", "ours"), FREE);
    ours.close();
    await Deno.remove(file);
  }));

Deno.test("DirectoryLocks that cannot be kept stand in nobody's way", () =>
  withDir(async (dir) => {
    await Deno.writeTextFile(dir, "a file");
    const locks = new DirectoryLocks(dir);
    assert.deepEqual(locks.take("/a", "t1"), FREE);
    locks.release("/a", "t1");
    locks.close();
  }));
