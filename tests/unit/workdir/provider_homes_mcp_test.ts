import assert from "node:assert/strict";
import { join } from "node:path";
import { openFiles } from "../../../lib/core/mod.ts";
import { seedModelCache } from "../../../lib/workdir/codex_home_cache.ts";
import { placeCursorAuth } from "../../../lib/workdir/cursor_mcp_auth.ts";
import { HomeFileRefused, readHomeFile } from "../../../lib/workdir/provider_homes_files.ts";
import { mergedMcp } from "../../../lib/workdir/provider_homes_mcp.ts";

async function inHome(run: (home: string) => Promise<void>) {
  const home = await Deno.realPath(await Deno.makeTempDir());
  try {
    await run(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function put(path: string, text: string) {
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(path, text);
}

Deno.test("mergedMcp() codex: the agent's servers win over those of config.toml; odd names stay out", async () => {
  await inHome(async (home) => {
    await put(
      join(home, ".codex", "config.toml"),
      '[mcp_servers.a]\ncommand = "old"\n[mcp_servers.b]\ncommand = "b"\nargs = ["x"]\n[mcp_servers."odd name"]\ncommand = "c"\n',
    );
    const merge = (mcpConfig: Record<string, unknown> | undefined, env = {}) =>
      mergedMcp({ provider: "codex", home, env, mcpConfig });
    const b = { command: "b", args: ["x"] };
    assert.deepEqual(
      JSON.parse(JSON.stringify(await merge({ mcpServers: { a: { command: "new" } } }))),
      { mcpServers: { a: { command: "new" }, b } },
    );
    assert.deepEqual(JSON.parse(JSON.stringify(await merge({}))), {
      mcpServers: { a: { command: "old" }, b },
    });
    assert.equal(await merge(undefined), undefined);
    assert.deepEqual(await merge({ mcpServers: {} }, { CODEX_HOME: join(home, "none") }), { mcpServers: {} });
  });
});

Deno.test("mergedMcp() claude and cursor: their JSON files; a broken one is a warning", async () => {
  await inHome(async (home) => {
    await put(join(home, ".claude.json"), JSON.stringify({ mcpServers: { m: { command: "m" } }, other: 1 }));
    await put(join(home, ".cursor", "mcp.json"), "{");
    const mcpConfig = { mcpServers: { a: { url: "https://a.test" } } };
    assert.deepEqual(await mergedMcp({ provider: "claude", home, env: {}, mcpConfig }), {
      mcpServers: { m: { command: "m" }, a: { url: "https://a.test" } },
    });
    await put(join(home, "cc", ".claude.json"), "{}");
    assert.deepEqual(
      await mergedMcp({ provider: "claude", home, env: { CLAUDE_CONFIG_DIR: join(home, "cc") }, mcpConfig }),
      mcpConfig,
    );
    assert.deepEqual(await mergedMcp({ provider: "cursor", home, env: {}, mcpConfig }), mcpConfig);
    const native = { mcp: { x: { enabled: false } } };
    assert.equal(await mergedMcp({ provider: "opencode", home, env: {}, mcpConfig: native }), native);
  });
});

Deno.test("readHomeFile() follows a link inside the roots, refuses one that leads out [f22]", async () => {
  await inHome(async (base) => {
    const [home, outside] = [join(base, "home"), join(base, "outside")];
    await put(join(home, "dotfiles", "config.toml"), "a = 1\n");
    await put(join(outside, "secret"), "s");
    await Deno.mkdir(join(home, ".codex"));
    const path = join(home, ".codex", "config.toml");
    assert.equal(await readHomeFile(path, [home]), undefined);
    await Deno.symlink(join(home, "dotfiles", "config.toml"), path);
    assert.equal(await readHomeFile(path, [home]), "a = 1\n");
    await assert.rejects(readHomeFile(path, []), HomeFileRefused);
    await Deno.remove(path);
    await Deno.symlink(join(outside, "secret"), path);
    await assert.rejects(readHomeFile(path, [home]), HomeFileRefused);
    await assert.rejects(readHomeFile(join(home, ".codex"), [home]), HomeFileRefused);
  });
});

Deno.test("seedModelCache() seeds a fresh home only, drops the list when the configuration changed", async () => {
  await inHome(async (base) => {
    const [shared, codexHome] = [join(base, "shared"), join(base, "env", "codex-home")];
    await put(join(shared, "models_cache.json"), "{}");
    await Deno.mkdir(codexHome, { recursive: true });
    const files = await openFiles(join(base, "env"));
    const seed = (config: string, isFresh: boolean) =>
      seedModelCache({ files, codexHome, shared, config, isFresh });
    const cache = () => files.read(join(codexHome, "models_cache.json"));
    await seed("a = 1", false);
    assert.equal(await cache(), undefined);
    await seed("a = 1", true);
    assert.equal(await cache(), "{}");
    await seed("a = 1", false);
    assert.equal(await cache(), "{}");
    await seed("a = 2", false);
    assert.equal(await cache(), undefined);
  });
});

Deno.test("placeCursorAuth() links, else copies, and takes an earlier one away", async () => {
  await inHome(async (home) => {
    await put(join(home, ".cursor", "mcp-auth.json"), "{}");
    const projectDir = join(home, "env", "p");
    await Deno.mkdir(projectDir, { recursive: true });
    const files = await openFiles(join(home, "env"));
    const place = (source: string, link = (path: string, target: string) => Deno.symlink(target, path)) =>
      placeCursorAuth({ files, projectDir, source, home, link });
    const there = async () => (await files.lstat(join(projectDir, "mcp-auth.json")))?.kind;
    await place("~/.cursor");
    assert.equal(await there(), "link");
    await place("~/.cursor/mcp-auth.json", () => Promise.reject(new Error("no links here")));
    assert.equal(await there(), "file");
    await place("");
    assert.equal(await there(), undefined);
    await place("relative");
    await place(join(home, "nowhere"));
    assert.equal(await there(), undefined);
  });
});
