import assert from "node:assert/strict";
import { isLocalType, liesOnLocalFileSystem } from "../../../../lib/core/platform/file_system.ts";

Deno.test("isLocalType() knows the file systems of this machine from those of others", () => {
  for (const type of [0xef53, 0x01021994, 0x9123683e, 0x9123683e | 0]) assert.ok(isLocalType("linux", type));
  const remote = {
    nfs: 0x6969,
    cifs: 0xff534d42,
    smb2: 0xfe534d42,
    fuse: 0x65735546,
    ceph: 0x00c36400,
    v9fs: 0x01021997,
  };
  for (const [name, type] of Object.entries(remote)) assert.ok(!isLocalType("linux", type), name);
  assert.ok(isLocalType("darwin", 0x1a));
  assert.ok(!isLocalType("darwin", 0xef53));
  assert.ok(!isLocalType("windows", 0));
});

Deno.test("liesOnLocalFileSystem() says no for what is not there", () => {
  assert.equal(liesOnLocalFileSystem("/nowhere/at/all"), false);
});
