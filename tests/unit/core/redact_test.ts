import assert from "node:assert/strict";
import fc from "fast-check";
import { DEPTH_MASK, MASK, Redactor, secretValues, urlCredentials } from "../../../lib/core/mod.ts";

const TOKEN = "mat_0123456789abcdef0123456789abcdef";
const ODD = 'p"a/ss<w>\nörd$&';

function b64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

Deno.test("Redactor [f17] masks a known secret plain, JSON-escaped, URL-encoded and in base64", () => {
  const redactor = new Redactor({ secrets: [TOKEN, ODD] });
  for (const secret of [TOKEN, ODD]) {
    const json = JSON.stringify(secret).slice(1, -1);
    for (const form of [secret, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(secret)]) {
      const out = redactor.text(`before ${form} after`);
      assert.equal(out, `before ${MASK} after`);
    }
    for (const lead of ["", "x", "xy", "user:"]) {
      const out = redactor.text(`value ${b64(lead + secret + "tail")} end`);
      assert.ok(out.includes(MASK), `${lead}: ${out}`);
      assert.ok(!out.includes(b64(secret).slice(4, 14)));
    }
  }
});

Deno.test("Redactor masks overlapping secrets as one, longest first", () => {
  const redactor = new Redactor({ secrets: ["xxabcdef", "abcdefLONGTOKEN", "abcdef"] });
  assert.equal(redactor.text("- xxabcdefLONGTOKEN -"), `- ${MASK} -`);
  assert.equal(redactor.text("abcdef"), MASK);
});

const PATTERNS: readonly [string, string][] = [
  ["id AKIAIOSFODNN7EXAMPLE.", "id [REDACTED AWS KEY]."],
  [`aws_secret_access_key = ${"a".repeat(40)}`, "[REDACTED AWS SECRET]"],
  ["-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----", "[REDACTED PRIVATE KEY]"],
  [`x ghp_${"a1".repeat(20)} y`, "x [REDACTED GITHUB TOKEN] y"],
  [`x github_pat_${"a1".repeat(20)} y`, "x [REDACTED GITHUB TOKEN] y"],
  [`sk-${"a".repeat(24)}`, "[REDACTED API KEY]"],
  ["xoxb-1234567890-abc", "[REDACTED SLACK TOKEN]"],
  ["xapp-1234567890-abc", "[REDACTED SLACK TOKEN]"],
  [`glpat-${"a".repeat(20)}`, "[REDACTED GITLAB TOKEN]"],
  [`AIza${"b".repeat(35)} z`, "[REDACTED GOOGLE API KEY] z"],
  [`sk_live_${"b".repeat(16)}`, "[REDACTED STRIPE KEY]"],
  ["eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2", "[REDACTED JWT]"],
  ["Authorization: bearer abc.def-ghi==", "Authorization: Bearer [REDACTED]=="],
  ["postgresql://ann:pw@db/x", "[REDACTED CONNECTION STRING]@db/x"],
  ["export DB_PASSWORD=hunter2 ok", "export [REDACTED CREDENTIAL] ok"],
  ["api_key : abc", "[REDACTED CREDENTIAL]"],
  ["the token is fine, tokens too", "the token is fine, tokens too"],
  ["they said key. sk-short", "they said key. sk-short"],
];

Deno.test("Redactor [11.16] applies the pattern table and is idempotent", () => {
  const redactor = new Redactor();
  for (const [input, expected] of PATTERNS) {
    assert.equal(redactor.text(input), expected);
    assert.equal(redactor.text(expected), expected);
  }
});

Deno.test("Redactor hides the user's name in the home directory only", () => {
  const redactor = new Redactor({ home: "/home/ann/" });
  assert.equal(redactor.text("cd /home/ann/work; ls /home/ann"), "cd /home/****/work; ls /home/****");
  assert.equal(redactor.text("/home/anna /home/ann.bak ann"), "/home/anna /home/ann.bak ann");
});

Deno.test("Redactor walks nested values without touching the original", () => {
  const redactor = new Redactor({ secrets: [TOKEN] });
  const input = { a: [{ b: `x${TOKEN}` }, 3, null], [TOKEN]: true };
  const before = structuredClone(input);
  assert.deepEqual(redactor.value(input), { a: [{ b: `x${MASK}` }, 3, null], [MASK]: true });
  assert.deepEqual(input, before);
  const clean = { a: ["b", { c: 1 }] };
  assert.equal(redactor.value(clean), clean);
});

Deno.test("Redactor gives up below depth 32", () => {
  const redactor = new Redactor({ secrets: [TOKEN] });
  let deep: unknown = { end: TOKEN };
  for (let i = 0; i < 40; i++) deep = { deep };
  const text = JSON.stringify(redactor.value(deep));
  assert.ok(!text.includes(TOKEN));
  assert.ok(text.includes(`{"_":"${DEPTH_MASK}"}`));
});

Deno.test("secretValues() takes secret names, secret shapes and everything long", () => {
  const values = secretValues({
    MY_TOKEN: "abcde",
    PLAIN: "short",
    LONG: "twelve chars",
    FLAG_TOKEN: "true",
    SHAPE: "ghp_abcdefgh",
    PORT_KEY: "8080",
  });
  assert.deepEqual(values, ["abcde", "twelve chars", "ghp_abcdefgh"]);
  assert.deepEqual(urlCredentials("see https://u:hunter22@host/x and http://h/"), ["hunter22"]);
});

const SECRETS = [TOKEN, ODD, "pass phrase with blanks", "geheimnis-für-alle", "abcdefgh", "efghijkl"];
const FRAGMENTS = [
  ...SECRETS,
  ...SECRETS.map((s) => JSON.stringify(s).slice(1, -1)),
  ...SECRETS.map(b64),
  ...PATTERNS.map(([input]) => input),
  "TOKEN",
  "SECRET_KEY",
  " = ",
  ":",
  "Bearer ",
  "value.",
  "-----BEGIN PRIVATE KEY-----",
  "-----END PRIVATE KEY-----",
  "/home/ann",
  "/home/ann/x ",
  "你好，世界。",
  " ",
  "\n",
  "\n\n",
  "word ",
  "they",
  "done.",
  '{"a":"b"}',
  "AKIA",
  "ghp_",
  "ey",
  "-----",
  "postgres://",
  "a:b@",
];

const textArb = fc.array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ maxLength: 6 })), {
  maxLength: 12,
})
  .map((parts) => parts.join(""));

Deno.test("Redactor [f17] lets no secret survive, and twice is once", () => {
  const redactor = new Redactor({ secrets: SECRETS, home: "/home/ann" });
  fc.assert(
    fc.property(textArb, (text) => {
      const out = redactor.text(text);
      for (const secret of SECRETS) assert.ok(!out.includes(secret), `${secret} in ${out}`);
      assert.equal(redactor.text(out), out);
    }),
    { numRuns: 500 },
  );
});

Deno.test("StreamRedactor [f17] gives the same result for any cut", () => {
  const redactor = new Redactor({ secrets: SECRETS, home: "/home/ann" });
  fc.assert(
    fc.property(textArb, fc.array(fc.nat(30), { maxLength: 40 }), (text, cuts) => {
      const stream = redactor.stream();
      let out = "";
      let at = 0;
      for (const size of cuts) {
        out += stream.push(text.slice(at, at + size));
        at += size;
        for (const secret of SECRETS) assert.ok(!out.includes(secret));
      }
      out += stream.push(text.slice(at)) + stream.end();
      assert.equal(out, redactor.text(text));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("StreamRedactor holds nothing back from finished prose", () => {
  const stream = new Redactor({ secrets: SECRETS }).stream();
  assert.equal(stream.push("All done."), "All done.");
  assert.equal(stream.push("你好，世界。"), "你好，世界。");
  assert.equal(stream.push("see mat_0123"), "see ");
  assert.equal(stream.push("456789abcdef0123456789abcdef. Bye."), `${MASK}. Bye.`);
  assert.equal(stream.held, 0);
});

Deno.test("StreamRedactor stays bounded on endless words and keeps secrets whole", () => {
  const stream = new Redactor({ secrets: [TOKEN] }).stream();
  let out = "";
  for (let i = 0; i < 400; i++) {
    out += stream.push("TOKEN=" + "x".repeat(997) + TOKEN.slice(0, 20)) + stream.push(TOKEN.slice(20));
    assert.ok(stream.held < 70_000);
  }
  out += stream.end();
  assert.ok(!out.includes(TOKEN));
});
