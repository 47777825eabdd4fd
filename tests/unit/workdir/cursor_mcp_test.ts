import assert from "node:assert/strict";
import { join } from "node:path";
import { openFiles } from "../../../lib/core/mod.ts";
import {
  approvalKey,
  cursorMcp,
  CursorMcpError,
  cursorProjectRoot,
  cursorSlug,
  writeCursorData,
} from "../../../lib/workdir/cursor_mcp.ts";

Deno.test("cursorSlug() vectors of 04 §8", () => {
  const vectors: Record<string, string> = {
    "/tmp/work": "tmp-work",
    "/home/u/multica_workspaces/ws-1/a1b2c3d4/workdir": "home-u-multica-workspaces-ws-1-a1b2c3d4-workdir",
    "C:\\Users\\me\\repo": "C-Users-me-repo",
    "/srv/My Project (2)/x_y.z": "srv-My-Project-2-x-y-z",
  };
  for (const [path, slug] of Object.entries(vectors)) assert.equal(cursorSlug(path), slug);
});

Deno.test("approvalKey() vectors of 04 §8, the correct column", () => {
  const vectors: readonly (readonly [root: string, name: string, server: string, key: string])[] = [
    ["/tmp/work", "fetch", '{"command":"uvx","args":["mcp-server-fetch"]}', "fetch-b3a6127d3cbd8e52"],
    [
      "/tmp/work",
      "fetch",
      '{ "args": [ "mcp-server-fetch" ], "command": "uvx", "env": { "TOKEN": "x" } }',
      "fetch-4c7232835349773b",
    ],
    [
      "/tmp/work",
      "fetch",
      '{"command":"uvx","args":["mcp"],"env":{"URL":"https://x.test?a=1&b=2"}}',
      "fetch-37ab92a3e088d73a",
    ],
    ["/tmp/work", "http", '{"url":"https://mcp.example.com","type":"http"}', "http-b87171e017c993df"],
    [
      "/private/tmp/work",
      "withtypecwd",
      '{"enabled":true,"cwd":"/tmp/probe","timeout":30,"args":["mcp"],"command":"uvx","type":"stdio"}',
      "withtypecwd-ba71d2f70913528e",
    ],
    [
      "/private/tmp/work",
      "remote",
      '{"enabled":true,"headers":{"Authorization":"Bearer x"},"timeout":30,"url":"https://mcp.example.com","type":"http"}',
      "remote-abc2ffe78532b37e",
    ],
  ];
  for (const [root, name, server, key] of vectors) {
    assert.equal(approvalKey(name, JSON.parse(server), root), key);
  }
});

Deno.test("cursorMcp() plans the file and the approvals, sorted; refuses what is no server", () => {
  const { file, approvals } = cursorMcp({ mcpServers: { z: { command: "z" }, a: { url: "u" } } }, "/w");
  assert.deepEqual(approvals.map((key) => key.split("-")[0]), ["a", "z"]);
  assert.equal(file.path, ".cursor/mcp.json");
  assert.equal(file.mode, 0o600);
  assert.equal(
    file.text,
    '{\n  "mcpServers": {\n    "z": {\n      "command": "z"\n    },\n    "a": {\n      "url": "u"\n    }\n  }\n}\n',
  );
  assert.deepEqual(cursorMcp({}, "/w").approvals, []);
  for (const mcpServers of [{ " ": {} }, { a: [] }, { a: null }, "x"]) {
    assert.throws(() => cursorMcp({ mcpServers }, "/w"), CursorMcpError);
  }
});

Deno.test("writeCursorData() approves and trusts; the project root never lies above its limit", async () => {
  const base = await Deno.realPath(await Deno.makeTempDir());
  try {
    const work = join(base, "env", "workdir");
    await Deno.mkdir(join(work, "sub"), { recursive: true });
    await Deno.mkdir(join(base, ".git"));
    const files = await openFiles(join(base, "env"));
    assert.equal(await cursorProjectRoot(files, work, work), work);
    await writeCursorData(files, join(base, "env", "cursor-data"), work, ["a-1"]);
    const project = join(base, "env", "cursor-data", "projects", cursorSlug(work));
    assert.deepEqual(JSON.parse(await Deno.readTextFile(join(project, "mcp-approvals.json"))), ["a-1"]);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(join(project, ".workspace-trusted"))), {
      trustedAt: "1970-01-01T00:00:00Z",
      workspacePath: work,
      trustMethod: "multica-managed",
    });
    for (const name of ["mcp-approvals.json", ".workspace-trusted"]) {
      assert.equal((await Deno.stat(join(project, name))).mode! & 0o777, 0o600);
    }
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});
