import assert from "node:assert/strict";
import { join } from "node:path";
import { isBearer, readCredential, writeCredential } from "../../../lib/api/credential.ts";

Deno.test("writeCredential() makes a fresh one at every start, readable by the user alone [03 §9.3]", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "profile", "host.credential");
    assert.equal(await readCredential(path), "");
    const first = await writeCredential(path);
    const second = await writeCredential(path);
    assert.notEqual(first, second);
    assert.equal(await readCredential(path), second);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(join(dir, "profile"))].map((entry) => entry.name), [
      "host.credential",
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("isBearer() takes the exact credential only", () => {
  assert.ok(isBearer("Bearer abc", "abc"));
  for (const header of [undefined, "", "Bearer ", "Bearer ab", "Bearer abcd", "bearer abc", "abc"]) {
    assert.ok(!isBearer(header, "abc"), String(header));
  }
  assert.ok(!isBearer("Bearer ", ""));
});
