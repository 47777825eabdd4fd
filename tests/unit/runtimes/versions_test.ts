import assert from "node:assert/strict";
import fc from "fast-check";
import { checkMinimum, compareVersions, parseVersion, versionLine } from "../../../lib/runtimes/versions.ts";

Deno.test("versionLine() keeps the vectors of spec 06 §10.7", () => {
  const vectors: [string, string][] = [
    ["2.1.5 (Claude Code)", "2.1.5 (Claude Code)"],
    ["codex-cli 0.118.0", "codex-cli 0.118.0"],
    ["Active code page: 65001\n0.42.0\n", "0.42.0"],
    ["Active code page: 65001\r\n0.42.0\r\n", "0.42.0"],
    ["\n\n  v1.2.3 beta \n", "v1.2.3 beta"],
    ["  some-build-id  ", "some-build-id"],
    ["", ""],
  ];
  for (const [output, stored] of vectors) assert.equal(versionLine(output), stored);
});

Deno.test("parseVersion() keeps the vectors of spec 06 §10.7", () => {
  assert.deepEqual(parseVersion("v2.1.100"), [2, 1, 100]);
  assert.deepEqual(parseVersion("codex-cli 0.118.0"), [0, 118, 0]);
  assert.equal(parseVersion("invalid"), undefined);
  assert.equal(parseVersion(""), undefined);
});

Deno.test("checkMinimum() keeps the vectors of spec 06 §10.7", () => {
  const kinds = (provider: string, minimum: string, versions: string[]) =>
    versions.map((version) => checkMinimum(provider, version, minimum).kind);
  assert.deepEqual(kinds("claude", "2.0.0", ["2.0.0", "1.9.99", "invalid"]), ["ok", "too_old", "unparsable"]);
  assert.deepEqual(kinds("codex", "0.100.0", ["0.100.0", "0.99.0"]), ["ok", "too_old"]);
  assert.deepEqual(kinds("cursor", "", ["anything", ""]), ["ok", "ok"]);
  const old = checkMinimum("claude", "1.9.99", "2.0.0");
  assert.equal(
    old.kind === "ok" ? "" : old.problem,
    "claude version 1.9.99 is below minimum required 2.0.0 - please upgrade",
  );
});

Deno.test("compareVersions() orders like the numbers, in any spelling", () => {
  const part = fc.nat(5000);
  fc.assert(fc.property(part, part, part, part, part, part, (a, b, c, d, e, f) => {
    const left = parseVersion(`x v${a}.${b}.${c}-beta`)!;
    const right = parseVersion(`${d}.${e}.${f}`)!;
    const expected = a !== d ? a - d : b !== e ? b - e : c - f;
    assert.equal(Math.sign(compareVersions(left, right)), Math.sign(expected));
  }));
});
