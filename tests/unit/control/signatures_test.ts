import assert from "node:assert/strict";
import fc from "fast-check";
import {
  byteOrder,
  fnv1a64,
  pollOffsetMs,
  pollOffsetNs,
  profileSetSignature,
  reposVersion,
  type RuntimeProfile,
} from "../../../lib/control/mod.ts";

type Row = [
  id: string,
  enabled: boolean,
  family: string,
  command: string,
  visibility: string,
  args: string[],
];

function profiles(...rows: Row[]): RuntimeProfile[] {
  return rows.map(([id, enabled, protocol_family, command_name, visibility, fixed_args]) => ({
    id,
    display_name: "any",
    protocol_family,
    command_name,
    fixed_args,
    visibility,
    enabled,
  }));
}

const P1: Row = ["p1", true, "codex", "company-codex", "workspace", ["--foo"]];

Deno.test("fnv1a64() check values", () => {
  assert.equal(fnv1a64("").toString(16), "cbf29ce484222325");
  assert.equal(fnv1a64("a").toString(16), "af63dc4c8601ec8c");
  assert.equal(fnv1a64("foobar").toString(16), "85944171f73967e8");
});

Deno.test("fnv1a64() agrees with arithmetic on big integers", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(text)) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
    assert.equal(fnv1a64(text), hash);
  }));
});

Deno.test("profileSetSignature() [S0] of no profiles", () => {
  assert.equal(profileSetSignature([]), "0");
});

Deno.test("profileSetSignature() [S1, S2, S3] tells arguments and their borders apart", () => {
  assert.equal(profileSetSignature(profiles(P1)), "c61be286d902666f");
  const withArgs = (args: string[]) =>
    profileSetSignature(profiles([...P1.slice(0, 5), args] as unknown as Row));
  assert.equal(withArgs(["--foo", "--bar"]), "8cffbcb6b8d8c5eb");
  assert.equal(withArgs(["--foo--bar"]), "9d6679cfdeaa870c");
});

Deno.test("profileSetSignature() [S4, S5] counts enabled and visibility", () => {
  assert.equal(profileSetSignature(profiles(["p1", false, ...P1.slice(2)] as Row)), "c5549a054e989c2e");
  assert.equal(
    profileSetSignature(profiles(["p1", true, "codex", "company-codex", "private", ["--foo"]])),
    "598dd29b1f00d08d",
  );
});

Deno.test("profileSetSignature() [S6] does not depend on order", () => {
  const a: Row = ["p-a", true, "codex", "a", "", []];
  const b: Row = ["p-b", true, "claude", "b", "", []];
  assert.equal(profileSetSignature(profiles(a, b)), "d33a101ae46e2238");
  assert.equal(profileSetSignature(profiles(b, a)), "d33a101ae46e2238");
});

Deno.test("profileSetSignature() [S7, S8] real ids, and characters beyond ASCII", () => {
  assert.equal(
    profileSetSignature(profiles(
      ["3f1d2c4b-5a69-4788-9aab-0c1d2e3f4a5b", true, "codex", "company-codex", "workspace", [
        "--model",
        "composer-2.5",
      ]],
      ["0b9e8d7c-6f5e-4d3c-8b2a-190817263544", true, "claude", "team-claude", "workspace", []],
    )),
    "f0d7f2334f2c8dff",
  );
  assert.equal(
    profileSetSignature(profiles(["p1", true, "codex", "café-codex", "workspace", ["--naïve=✓"]])),
    "5038eadb157b069c",
  );
});

Deno.test("profileSetSignature() of the socket chapter's vectors (spec 02 §10.1)", () => {
  const one: Row = ["11111111-1111-1111-1111-111111111111", true, "claude", "my-claude", "workspace", []];
  const two: Row = ["22222222-2222-2222-2222-222222222222", false, "codex", "codex-beta", "workspace", [
    "--foo",
    "bar baz",
  ]];
  assert.equal(profileSetSignature(profiles(one)), "6c7678b5f688fa36");
  assert.equal(profileSetSignature(profiles([one[0], false, ...one.slice(2)] as Row)), "7721ea435569efaf");
  assert.equal(profileSetSignature(profiles(two, one)), "107eef5ed7cb982");
});

Deno.test("pollOffsetNs() [V8.2] of every vector", () => {
  const intervals = [30_000_000_000n, 5_000_000_000n, 50_000_000n, 3_600_000_000_000n];
  const rows: [string, string, ...number[]][] = [
    ["rt-1", "ca40471f75a97251", 14614522449, 4614522449, 14522449, 1394614522449],
    ["runtime-fast", "c6ff3acac5dce7f8", 21148342264, 1148342264, 48342264, 1581148342264],
    ["runtime-slow", "9a3f0e2f08d8e1e3", 20548356579, 548356579, 48356579, 3200548356579],
    [
      "550e8400-e29b-41d4-a716-446655440000",
      "fbb0538ee83a5048",
      12667584584,
      2667584584,
      17584584,
      372667584584,
    ],
    [
      "00000000-0000-0000-0000-000000000001",
      "7c384b6218f2983e",
      4096290878,
      4096290878,
      46290878,
      1144096290878,
    ],
    [
      "f47ac10b-58cc-4372-a567-0e02b2c3d479",
      "70ed2686c31eff00",
      1969415936,
      1969415936,
      19415936,
      61969415936,
    ],
    ["runtime-a", "d144d05a5288c7c9", 18693593033],
    ["runtime-b", "d144cd5a5288c2b0", 20158708400],
    ["runtime-1", "d145005a52891959", 25251747161],
    ["11111111-1111-1111-1111-111111111111", "c155f09940d24ca1", 3348683937],
  ];
  for (const [id, hash, ...offsets] of rows) {
    assert.equal(fnv1a64(id).toString(16), hash);
    offsets.forEach((ns, i) => assert.equal(pollOffsetNs(id, intervals[i]!), BigInt(ns), `${id} ${i}`));
  }
  assert.equal(pollOffsetNs("", 30n), 0n);
  assert.equal(pollOffsetNs("rt-1", 0n), 0n);
  assert.equal(pollOffsetNs("rt-1", -5n), 0n);
  assert.equal(pollOffsetMs("rt-1", 30_000), 14614.522449);
  assert.equal(pollOffsetMs("rt-1", 0), 0);
});

Deno.test("reposVersion() [V8.3] sorts, trims and drops blanks and repeats", () => {
  const api = "https://github.com/acme/api.git";
  const web = "https://github.com/acme/web.git";
  assert.equal(reposVersion([]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(reposVersion([api]), "353c27154559f72ea6d928d93bf3fe91c067237896de5f13e1a276f19bb6fc52");
  const both = "02a208fd2301fb684b0f00e4499dc9a4d4a26ea538bdc7402a427ef937456afb";
  assert.equal(reposVersion([web, api]), both);
  assert.equal(reposVersion([` ${api} `, "", web, web, "  "]), both);
});

Deno.test("byteOrder() is the order of the UTF-8 bytes", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
    const [x, y] = [a, b].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
    const wanted = Math.sign(compareBytes(x, y));
    assert.equal(Math.sign(byteOrder(a, b)), wanted);
  }));
  assert.ok(byteOrder("\uffff", "\u{10000}") < 0);
});

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
