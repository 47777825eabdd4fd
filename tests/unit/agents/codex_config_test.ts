import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import { MCP_BEGIN as B, MCP_END as E, withManagedMcp } from "../../../lib/agents/codex_config.ts";
import { applyCodexMcp } from "../../../lib/agents/codex_config_file.ts";
import {
  codexArgs,
  filterCodexOverrides,
  isMcpOverride,
  isShellPolicyOverride,
} from "../../../lib/agents/codex_args.ts";
import { agentRequest } from "../../helpers/agent_run.ts";

const SANDBOX = 'sandbox_mode = "workspace-write"\n';
const servers = (mcpServers: Record<string, unknown>) => ({ mcpServers });

Deno.test("withManagedMcp() [CX-27] gives the chapter's five files", () => {
  assert.equal(
    withManagedMcp(SANDBOX, servers({ zeta: { command: "b" }, alpha: { command: "a", env: { K: "v" } } })),
    `${SANDBOX}\n${B}\n[mcp_servers.alpha]\ncommand = "a"\nenv = { K = "v" }\n\n[mcp_servers.zeta]\ncommand = "b"\n${E}\n`,
  );
  assert.equal(withManagedMcp(SANDBOX, {}), `${SANDBOX}\n${B}\n${E}\n`);
  assert.equal(
    withManagedMcp(
      "",
      servers({
        fetch: {
          command: "uvx",
          args: ["a", "b"],
          timeout: 30,
          ratio: 0.5,
          on: true,
          env: { "A B": 'x\ty"z' },
        },
      }),
    ),
    `${B}\n[mcp_servers.fetch]\nargs = ["a", "b"]\ncommand = "uvx"\nenv = { "A B" = "x\\ty\\"z" }\non = true\nratio = 0.5\ntimeout = 30\n${E}\n`,
  );
  const user =
    `${SANDBOX}\n[mcp_servers.global_fetch]\ncommand = "x"\n[mcp_servers.global_fetch.env]\nA = "1"\n[other_section]\nkeep_me = true\n`;
  assert.equal(
    withManagedMcp(user, servers({ new_server: { command: "new" } })),
    `${SANDBOX}\n[other_section]\nkeep_me = true\n\n${B}\n[mcp_servers.new_server]\ncommand = "new"\n${E}\n`,
  );
  const kept = `[mcp_servers.user_global]\ncommand = "keep"\n`;
  const old = `${SANDBOX}\n${B}\n[mcp_servers.fetch]\ncommand = "uvx"\n${E}\n\n${kept}`;
  assert.equal(withManagedMcp(old, undefined), `${SANDBOX}\n${kept}`);
});

Deno.test("withManagedMcp() [CX-27] [CX-28] is idempotent, and absent leaves user tables", () => {
  const user = `a = 1\n[mcp_servers.mine]\ncommand = "x"\n`;
  assert.equal(withManagedMcp(user, undefined), user);
  for (const config of [{}, servers({}), servers({ a: { command: "x" } })]) {
    const once = withManagedMcp(user, config);
    assert.ok(!once.includes("mine"));
    assert.equal(withManagedMcp(once, config), once);
  }
});

Deno.test("withManagedMcp() [CX-27] rejects what has no form", () => {
  for (
    const bad of [
      servers({ "bad name": {} }),
      servers({ a: [] }),
      servers({ a: "x" }),
      servers({ a: null }),
      servers({ a: { env: { K: null } } }),
      { mcpServers: [] },
    ]
  ) assert.throws(() => withManagedMcp("", bad), /server|mcpServers/);
});

Deno.test("withManagedMcp() removes root tables and dotted keys of the user's servers too", () => {
  const user =
    `mcp_servers.a.command = "x"\nmodel = "m"\n[mcp_servers]\nb = { command = "y" }\n[tail]\nz = 1\n`;
  const text = withManagedMcp(user, servers({ mine: { command: "c" } }));
  assert.deepEqual(Object.keys(parse(text).mcp_servers as object), ["mine"]);
  assert.deepEqual({ ...(parse(text).tail as object) }, { z: 1 });
});

Deno.test("withManagedMcp() speaks of remote servers in Codex's words", () => {
  const text = withManagedMcp(
    "",
    servers({
      far: { type: "HTTP", url: "http://x/y", headers: { A: "b" }, tools: ["t"] },
      near: { command: "c", prompts: [] },
      bare: { url: "http://z", http_headers: { Q: "1" }, headers: { W: "2" } },
    }),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(parse(text).mcp_servers)), {
    bare: { experimental_use_rmcp_client: true, http_headers: { Q: "1" }, url: "http://z" },
    far: { experimental_use_rmcp_client: true, http_headers: { A: "b" }, url: "http://x/y" },
    near: { command: "c" },
  });
});

Deno.test("withManagedMcp() writes valid TOML for any strings", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())), (env) => {
      const text = withManagedMcp("", servers({ s: { command: "c", env } }));
      const read = parse(text).mcp_servers as { s: { env: Record<string, unknown> } };
      assert.deepEqual({ ...read.s.env }, { ...env });
    }),
  );
});

Deno.test("applyCodexMcp() [CX-27] forces mode 0600 on an existing file and does not write twice", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/config.toml`;
    await Deno.writeTextFile(path, SANDBOX, { mode: 0o644 });
    const request = { env: { CODEX_HOME: dir }, mcpConfig: servers({ a: { command: "x" } }) };
    await applyCodexMcp(request);
    const first = await Deno.stat(path);
    assert.equal(first.mode! & 0o777, 0o600);
    await applyCodexMcp(request);
    assert.equal((await Deno.stat(path)).ino, first.ino);
    await applyCodexMcp({ env: { CODEX_HOME: dir }, mcpConfig: undefined });
    assert.equal(await Deno.readTextFile(path), `${SANDBOX}\n`);
    assert.deepEqual([...Deno.readDirSync(dir)].map((entry) => entry.name), ["config.toml"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

const request = (more: Parameters<typeof agentRequest>[2]) =>
  agentRequest("/x", "/w", { provider: "codex", ...more });

Deno.test("codexArgs() [CX-24] puts extra before custom and drops --listen in both spellings", () => {
  assert.deepEqual(
    codexArgs(request({
      extraArgs: ["--listen", "tcp://evil", "--a"],
      customArgs: ["--sandbox", "read-only", "--listen=bad"],
    })),
    ["app-server", "--listen", "stdio://", "--a", "--sandbox", "read-only"],
  );
  assert.deepEqual(codexArgs(request({ customArgs: ["--foo", "bar"] })), [
    "app-server",
    "--listen",
    "stdio://",
    "--foo",
    "bar",
  ]);
});

Deno.test("filterCodexOverrides() [CX-25] drops MCP overrides only beside a managed set", () => {
  const managed = (...args: string[]) =>
    filterCodexOverrides(args, { mcpConfig: {}, env: {}, serviceTier: "" });
  const model = ["-c", 'model="o3"'];
  assert.deepEqual(managed("-c", 'mcp_servers.fetch={ command = "evil" }', ...model), model);
  assert.deepEqual(managed('-c=mcp_servers.fetch={ command = "evil" }', "--listen=keep"), ["--listen=keep"]);
  assert.deepEqual(
    managed("--config", 'mcp_servers.x.env.KEY="leak"', "--config", 'sandbox="workspace-write"'),
    ["--config", 'sandbox="workspace-write"'],
  );
  assert.deepEqual(managed("-c", 'mcp_servers={fetch={command="evil"}}', ...model), model);
  assert.deepEqual(managed("-c", "mcp_servers_extra.x=1"), ["-c", "mcp_servers_extra.x=1"]);
  const free = filterCodexOverrides(["-c", "mcp_servers.a.command=x"], {
    mcpConfig: undefined,
    env: {},
    serviceTier: "",
  });
  assert.deepEqual(free, ["-c", "mcp_servers.a.command=x"]);
  assert.ok(isMcpOverride(" mcp_servers"));
});

Deno.test("isShellPolicyOverride() finds it at the root, in profiles and under quoted keys", () => {
  for (
    const value of [
      "shell_environment_policy.inherit=all",
      "shell_environment_policy={inherit='all'}",
      "profiles.x.shell_environment_policy.inherit=all",
      `"shell_environment_policy".inherit=all`,
      `profiles."a.b".shell_environment_policy={}`,
      `profiles.x={shell_environment_policy={}}`,
    ]
  ) assert.ok(isShellPolicyOverride(value), value);
  for (
    const value of ["model=shell_environment_policy", "profiles.x.model=1", "shell_environment_policy2.a=1"]
  ) {
    assert.ok(!isShellPolicyOverride(value), value);
  }
});

Deno.test("codexArgs() filters a launch prefix like the chapter's tables", () => {
  const prefixArgs = [
    "proxy",
    "run",
    "-c",
    "mcp_servers.evil.command=/bin/sh",
    "-c",
    "shell_environment_policy.inherit=all",
    "--model",
    "gpt-5",
  ];
  assert.deepEqual(
    codexArgs(request({ prefixArgs, mcpConfig: {}, env: { CODEX_HOME: "/h" } })),
    ["proxy", "run", "--model", "gpt-5", "app-server", "--listen", "stdio://"],
  );
  for (
    const off of [["--disable", "fast_mode"], ["--disable=fast_mode"], ["-c", "features.fast_mode=false"]]
  ) {
    assert.deepEqual(
      codexArgs(request({ prefixArgs: ["proxy", "run", ...off], serviceTier: "priority" })),
      ["proxy", "run", "app-server", "--listen", "stdio://", "--enable", "fast_mode"],
    );
  }
  assert.ok(!codexArgs(request({ serviceTier: "flex" })).includes("--enable"));
});
