import assert from "node:assert/strict";
import { isOfficialCloud, normaliseServerUrl, printableUrl } from "../../../lib/config/mod.ts";

Deno.test("normaliseServerUrl() gives every vector [03 §5.2] [01 §1.1]", () => {
  const vectors: [string, string][] = [
    ["ws://localhost:8080/ws", "http://localhost:8080"],
    ["wss://api.internal.co/ws", "https://api.internal.co"],
    ["ws://localhost:18106/ws", "http://localhost:18106"],
    ["https://api.example.com/", "https://api.example.com"],
    ["https://api.example.com/multica/?x=1#y", "https://api.example.com/multica"],
    ["https://api.example.com/multica/ws", "https://api.example.com/multica/ws"],
    ["ws://localhost:8080/ws/", "http://localhost:8080/ws"],
    ["https://x.example/ws?a=1#b", "https://x.example"],
    ["  HTTPS://x.example//  ", "https://x.example"],
  ];
  for (const [input, result] of vectors) assert.equal(normaliseServerUrl(input), result, input);
});

Deno.test("normaliseServerUrl() refuses what is no server address [03 §5.2]", () => {
  for (
    const bad of ["localhost:8080", "://bad-url", "", "ftp://x", "http://", "http:///ws", "api.example.com"]
  ) {
    assert.throws(() => normaliseServerUrl(bad), SyntaxError, bad);
  }
  assert.throws(() => normaliseServerUrl("ftp://x"), /must use ws, wss, http, or https/);
});

Deno.test("isOfficialCloud() looks at the host alone [03 §5.2]", () => {
  for (const url of ["https://api.multica.ai", "wss://API.Multica.AI:8443/ws", "http://api.multica.ai/x"]) {
    assert.ok(isOfficialCloud(url), url);
  }
  for (
    const url of [
      "https://multica.ai",
      "https://staging.multica.ai",
      "https://api-preview.multica.ai",
      "",
      "garbage",
    ]
  ) {
    assert.ok(!isOfficialCloud(url), url);
  }
});

Deno.test("printableUrl() hides a password", () => {
  assert.equal(printableUrl("https://me:pw@x.example/p"), "https://***@x.example/p");
  assert.equal(printableUrl("https://x.example/p@q"), "https://x.example/p@q");
});
