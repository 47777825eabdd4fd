import assert from "node:assert/strict";
import {
  bundleLimitMs,
  cacheSegment,
  isConsistentBundle,
  isSafeSkillPath,
  skillManifest,
} from "../../../lib/control/mod.ts";

const deploy = { source: "workspace", id: "skill-1", name: "deploy", description: "", content: "main" };

Deno.test("skillManifest() [V8.4] of a bundle with files in any order", () => {
  const manifest = skillManifest({
    ...deploy,
    files: [{ path: "b.md", content: "b" }, { path: "a.md", content: "a" }],
  });
  assert.equal(manifest.hash, "sha256:33e66181e0c3f20ddd25e788217aa60776a46852beebe562ef6621b543e84fd4");
  assert.equal(manifest.size_bytes, 6);
  assert.deepEqual(manifest.files, [
    {
      path: "a.md",
      sha256: "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
      size_bytes: 1,
    },
    {
      path: "b.md",
      sha256: "sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
      size_bytes: 1,
    },
  ]);
});

Deno.test("skillManifest() [V8.4] without files, and with characters beyond ASCII", () => {
  const bare = skillManifest({ ...deploy, files: [] });
  assert.equal(bare.hash, "sha256:b83948ff81671da9ad2125bf2aa6adb5dcb2dbda53affbdff848130c30eeec19");
  assert.equal(bare.size_bytes, 4);
  const builtin = skillManifest({
    source: "builtin",
    id: "builtin:multica-squads",
    name: "multica-squads",
    description: "é",
    content: "✓",
    files: [{ path: "references/x.md", content: "" }],
  });
  assert.equal(builtin.hash, "sha256:f1b7e5a9d3d589e344798efc87126012a4dfb6b4f959bd8dc038910f8cba9a25");
  assert.deepEqual([builtin.size_bytes, builtin.files.length], [3, 1]);
});

Deno.test("cacheSegment() [V8.5] of every vector", () => {
  const rows = [
    ["builtin:multica-squads", "builtin_multica-squads"],
    ["sha256:ab12", "sha256_ab12"],
    ["", "_"],
    [".", "_."],
    ["..", "_.."],
    ["a/b", "a_b"],
    ["…😀", "__"],
  ] as const;
  for (const [input, wanted] of rows) assert.equal(cacheSegment(input), wanted);
});

Deno.test("isSafeSkillPath() takes clean relative paths alone", () => {
  for (const good of ["a", "a/b.md", "a b", ".hidden", "..a"]) assert.ok(isSafeSkillPath(good), good);
  for (const bad of ["", "/a", "a\\b", "a/../b", "..", ".", "a//b", "a/", "./a", "a\0"]) {
    assert.equal(isSafeSkillPath(bad), false, JSON.stringify(bad));
  }
});

Deno.test("isConsistentBundle() refuses a wrong hash and a path that escapes", () => {
  const file = (path: string) => ({ path, content: "x", sha256: "", size_bytes: 0 });
  const bundle = (paths: string[], hash?: string) => {
    const files = paths.map(file);
    return { ...deploy, files, size_bytes: 0, hash: hash ?? skillManifest({ ...deploy, files }).hash };
  };
  assert.ok(isConsistentBundle(bundle(["a.md"])));
  assert.equal(isConsistentBundle(bundle(["a.md"], "sha256:00")), false);
  assert.equal(isConsistentBundle(bundle(["../a.md"])), false);
});

Deno.test("bundleLimitMs() of every vector (spec 01 §11.7) [C11.7]", () => {
  const rows = [[0, 30], [1_484_800, 30], [1_536_000, 30], [1_587_200, 31], [1_638_399, 31], [
    15_360_000,
    300,
  ], [
    1_000_000_000,
    300,
  ]] as const;
  for (const [bytes, seconds] of rows) assert.equal(bundleLimitMs(bytes), seconds * 1000, `${bytes}`);
});
