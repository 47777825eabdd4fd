import assert from "node:assert/strict";
import { socketUrl } from "../../../lib/control/mod.ts";

Deno.test("socketUrl() of every vector (spec 02 §2.1, 17.2)", () => {
  const rows: [string, string[], string][] = [
    [
      "http://localhost:8080",
      ["runtime-b", "runtime-a"],
      "ws://localhost:8080/api/daemon/ws?runtime_ids=runtime-a%2Cruntime-b",
    ],
    [
      "https://api.example.com",
      ["runtime-1"],
      "wss://api.example.com/api/daemon/ws?runtime_ids=runtime-1",
    ],
    [
      "https://api.example.com/multica",
      ["runtime-1"],
      "wss://api.example.com/multica/api/daemon/ws?runtime_ids=runtime-1",
    ],
    [
      "https://api.example.com/multica/",
      ["b", "a", "c"],
      "wss://api.example.com/multica/api/daemon/ws?runtime_ids=a%2Cb%2Cc",
    ],
    ["http://127.0.0.1:8080/?x=1", ["z"], "ws://127.0.0.1:8080/api/daemon/ws?runtime_ids=z&x=1"],
    [" wss://api.example.com ", [], "wss://api.example.com/api/daemon/ws"],
    ["ws://h:1/#frag", ["q"], "ws://h:1/api/daemon/ws?runtime_ids=q"],
  ];
  for (const [base, ids, wanted] of rows) assert.equal(socketUrl(base, ids), wanted);
});

Deno.test("socketUrl() refuses other schemes and nonsense", () => {
  for (const base of ["ftp://x", "", "localhost:8080", "file:///x"]) {
    assert.throws(() => socketUrl(base, ["a"]), { code: "invalid_server_url" });
  }
});
