import assert from "node:assert/strict";
import {
  agentEnvironment,
  type AgentEnvironmentInput,
  DEFAULT_PATH,
  isBlockedName,
  shellVisibleNames,
} from "../../../lib/workdir/agent_environment.ts";
import { claimed } from "../../helpers/workdir_world.ts";

const input = (
  change: Partial<AgentEnvironmentInput> & { readonly fields?: Readonly<Record<string, unknown>> } = {},
): AgentEnvironmentInput => {
  const { fields, ...rest } = change;
  return {
    task: claimed(fields),
    token: "mat_secret",
    serverUrl: "https://s",
    healthPort: 4242,
    workspacesRoot: "/root",
    slot: 3,
    inherited: { HOME: "/h", PATH: "/usr/bin" },
    shimDir: "/shim",
    workDir: "/work",
    additions: {},
    ...rest,
  };
};

const custom = (custom_env: Readonly<Record<string, string>>) => ({
  agent: { id: "agent-1", name: "R", custom_env },
});

Deno.test("agentEnvironment() sets the task's variables over everything", () => {
  const { env } = agentEnvironment(input({ additions: { TMPDIR: "/t", MULTICA_TASK_ID: "forged" } }));
  const expected: Readonly<Record<string, string>> = {
    HOME: "/h",
    PATH: "/shim:/usr/bin",
    PWD: "/work",
    TMPDIR: "/t",
    MULTICA_TOKEN: "mat_secret",
    MULTICA_SERVER_URL: "https://s",
    MULTICA_DAEMON_PORT: "4242",
    MULTICA_WORKSPACE_ID: claimed().workspace_id,
    MULTICA_AGENT_NAME: "Robin",
    MULTICA_AGENT_ID: "agent-1",
    MULTICA_TASK_ID: claimed().id,
    MULTICA_TASK_SLOT: "3",
    MULTICA_TASK_WORKSPACES_ROOT: "/root",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(env[name], value, name);
});

Deno.test("agentEnvironment() [HD-11] skips blocked and unusable names, and names them without their values", () => {
  const names = [
    "multica_runtime_id",
    "Path",
    "home",
    "TMPDIR",
    "cursor_data_dir",
    "REASONIX_STATE_HOME",
    "bad-name",
    "1X",
  ];
  const all = Object.fromEntries(names.map((name) => [name, "v"]));
  const { env, blockedKeys } = agentEnvironment(
    input({ fields: custom({ ...all, NUL: "a\0b", ANTHROPIC_API_KEY: "sk", CURSOR_AGENT: "1" }) }),
  );
  assert.deepEqual([...blockedKeys].sort(), [...names, "NUL"].sort());
  assert.equal(env.ANTHROPIC_API_KEY, "sk");
  assert.equal(env.CURSOR_AGENT, "1");
  assert.equal(env.PATH, "/shim:/usr/bin");
  assert.ok(isBlockedName("tmp") && !isBlockedName("HERMES_HOME"));
});

Deno.test("agentEnvironment() [CL-13] drops what would tell a nested agent that it runs inside another", () => {
  const { env } = agentEnvironment(input({
    inherited: {
      CLAUDECODE: "1",
      CLAUDE_CODE_ENTRYPOINT: "x",
      CLAUDECODE_X: "x",
      CLAUDECODEX: "kept",
      CLAUDE_CODE_USE_BEDROCK: "kept",
      Multica_Token: "leaked",
      MULTICA_HOST_ONLY: "leaked",
    },
  }));
  assert.deepEqual([env.CLAUDECODE, env.CLAUDE_CODE_ENTRYPOINT, env.CLAUDECODE_X], [
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual([env.CLAUDECODEX, env.CLAUDE_CODE_USE_BEDROCK], ["kept", "kept"]);
  assert.ok(!Object.values(env).includes("leaked"));
  assert.equal(env.PATH, `/shim:${DEFAULT_PATH}`);
});

Deno.test("agentEnvironment() by kind, and what it says must be masked", () => {
  const quick =
    agentEnvironment(input({ fields: { quick_create_prompt: "x", quick_create_attachment_ids: ["a", "b"] } }))
      .env;
  assert.equal(quick.MULTICA_QUICK_CREATE_TASK_ID, claimed().id);
  assert.equal(quick.MULTICA_QUICK_CREATE_ATTACHMENT_IDS, '["a","b"]');
  const auto = agentEnvironment(input({ fields: { autopilot_run_id: "r", autopilot_id: "a" } })).env;
  assert.deepEqual([auto.MULTICA_AUTOPILOT_RUN_ID, auto.MULTICA_AUTOPILOT_ID], ["r", "a"]);
  const { secrets } = agentEnvironment(
    input({ fields: custom({ API_KEY: "short", LONG: "twelve chars or more", FLAG: "true" }) }),
  );
  assert.deepEqual([...secrets].sort(), ["mat_secret", "short", "twelve chars or more"]);
});

Deno.test("shellVisibleNames() shows no inherited secret, the task's variables, and the agent's own", () => {
  const names = shellVisibleNames({
    ...input({ fields: custom({ MY_API_KEY: "x" }) }),
    inherited: { HOME: "/h", AWS_SECRET_ACCESS_KEY: "x", GITHUB_TOKEN: "x", Lang: "C", MULTICA_OLD: "x" },
    additions: { CODEX_HOME: "/c" },
  });
  for (const name of ["HOME", "Lang", "PATH", "CODEX_HOME", "MULTICA_TOKEN", "MY_API_KEY"]) {
    assert.ok(names.includes(name), name);
  }
  for (const name of ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "MULTICA_OLD"]) {
    assert.ok(!names.includes(name), name);
  }
  const upper = names.map((name) => name.toUpperCase());
  assert.deepEqual(upper, [...new Set(upper)].sort());
});
