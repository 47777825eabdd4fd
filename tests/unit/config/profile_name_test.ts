import assert from "node:assert/strict";
import { checkProfileName, healthPort, InvalidProfileName } from "../../../lib/config/mod.ts";

Deno.test("healthPort() gives every vector [03 §2.1]", () => {
  const vectors: [string, number][] = [
    ["", 19514],
    ["a", 19612],
    ["b", 19613],
    ["A", 19580],
    ["1", 19564],
    ["dev", 19834],
    ["ved", 19834],
    ["staging", 20264],
    ["Staging", 20232],
    ["prod", 19952],
    ["ab", 19710],
    ["ba", 19710],
    ["profilé", 19531],
    ["zzzzzzzzzzzzzz", 20223],
    ["default", 20256],
    ["test", 19963],
    ["work", 19966],
    ["local", 20038],
    ["self-host", 20432],
    ["my-team", 20213],
    ["team/dev", 20304],
    ["desktop", 20277],
    ["desktop-api.multica.ai", 19681],
    ["desktop-localhost-8080", 19544],
    ["desktop-127.0.0.1-8080", 20012],
    ["desktop-staging.example.com", 20230],
    ["开发", 19577],
  ];
  for (const [profile, port] of vectors) assert.equal(healthPort(profile), port, profile);
});

Deno.test("checkProfileName() keeps names inside the profiles directory [03 §2]", () => {
  for (const name of ["", "staging", "team/dev", "a.b-c_D1", "desktop-127.0.0.1-8080", "..a"]) {
    assert.equal(checkProfileName(name), name);
  }
  for (const name of ["..", ".", "a/../b", "a/./b", "/a", "a/", "a//b", "a b", "profilé", "a\\b", "a\0"]) {
    assert.throws(() => checkProfileName(name), InvalidProfileName, name);
  }
});
