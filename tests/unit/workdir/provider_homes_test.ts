import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "smol-toml";
import { cursorSlug } from "../../../lib/workdir/cursor_mcp.ts";
import { claimed, withWorkdirs, WORKSPACE } from "../../helpers/workdir_world.ts";

const DONE = { outcome: "completed", undelivered: false } as const;
const agent = (fields: Readonly<Record<string, unknown>>) => ({
  agent: { id: "agent-1", name: "Robin", instructions: "", ...fields },
});

Deno.test("Workdirs.prepare() cursor: the agent's servers over the machine's, approved; its logins linked", async () => {
  await withWorkdirs(async ({ home, prepare }) => {
    await Deno.mkdir(join(home, ".cursor"));
    const own = { mcpServers: { mine: { command: "m" }, both: { command: "old" } } };
    await Deno.writeTextFile(join(home, ".cursor", "mcp.json"), JSON.stringify(own));
    await Deno.writeTextFile(join(home, ".cursor", "mcp-auth.json"), "{}");
    const mcp_config = { mcpServers: { both: { command: "new" } } };
    const custom_env = { CURSOR_MCP_AUTH_SOURCE: "~/.cursor" };
    const env = await prepare(claimed(agent({ mcp_config, custom_env })), { provider: "cursor" });
    const merged = { mcpServers: { mine: { command: "m" }, both: { command: "new" } } };
    assert.deepEqual(JSON.parse(await Deno.readTextFile(join(env.workDir, ".cursor", "mcp.json"))), merged);
    const project = join(env.env.CURSOR_DATA_DIR!, "projects", cursorSlug(env.workDir));
    const approvals: string[] = JSON.parse(await Deno.readTextFile(join(project, "mcp-approvals.json")));
    assert.deepEqual(approvals.map((key) => key.split("-")[0]), ["both", "mine"]);
    assert.equal(await Deno.readLink(join(project, "mcp-auth.json")), join(home, ".cursor", "mcp-auth.json"));
    assert.equal(env.env.CURSOR_MCP_AUTH_SOURCE, undefined);
    await env.close(DONE);
  });
});

Deno.test("Workdirs.prepare() cursor without managed servers makes nothing; an empty set approves nothing", async () => {
  await withWorkdirs(async ({ prepare }) => {
    const plain = await prepare(claimed(), { provider: "cursor" });
    assert.equal(plain.env.CURSOR_DATA_DIR, undefined);
    assert.equal(plain.mcpConfig, undefined);
    await plain.close(DONE);
    const task = claimed({ id: "01a01ec0-e69d-7000-8000-000000000002", ...agent({ mcp_config: {} }) });
    const empty = await prepare(task, { provider: "cursor" });
    const project = join(empty.env.CURSOR_DATA_DIR!, "projects", cursorSlug(empty.workDir));
    assert.equal(await Deno.readTextFile(join(project, "mcp-approvals.json")), "[]");
    await empty.close(DONE);
  });
});

Deno.test("Workdirs.prepare() codex: the driver gets the machine's servers too, the file holds none", async () => {
  await withWorkdirs(async ({ root, home, prepare }) => {
    await Deno.mkdir(join(home, ".codex"));
    await Deno.writeTextFile(join(home, ".codex", "config.toml"), '[mcp_servers.mine]\ncommand = "m"\n');
    const task = claimed(agent({ mcp_config: { mcpServers: { a: { command: "a" } } } }));
    const env = await prepare(task, { provider: "codex" });
    assert.equal(env.env.CODEX_HOME, join(root, WORKSPACE, "0123456789ab", "codex-home"));
    assert.deepEqual(JSON.parse(JSON.stringify(env.mcpConfig)), {
      mcpServers: { mine: { command: "m" }, a: { command: "a" } },
    });
    const config = parse(await Deno.readTextFile(join(env.env.CODEX_HOME!, "config.toml")));
    assert.equal(config["mcp_servers"], undefined);
    assert.equal(config["allow_login_shell"], false);
    await env.close(DONE);
  });
});
